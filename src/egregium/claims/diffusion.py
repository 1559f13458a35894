"""Noise that pushes walkers out of a minimum: d theta = -grad f dt + Sigma^(1/2) dW, and what f gains by it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from egregium.claims.surfaces import DOUBLE
from egregium.curvature import hessian
from egregium.landscape import Landscape
from egregium.operators import dense_matrix
from egregium.results import Check, Series
from egregium.stats import mean_half_width

#: Level of the statistical error: of some twenty comparisons one in fifty runs would fail by chance.
LEVEL = 0.999
#: Of a step of the solver, t lambda_max.
STEP = 0.1
#: How much of what f differs from a quadratic at the walkers may also be in their motion: the same derivatives.
ANHARMONIC = 3.0

#: Gradients of f at many points at once: (k, n) -> (k, n).
Gradients = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Law:
    """The gain at a minimum with Hessian H = sum_i lambda_i u_i u_i^T, were f quadratic.

    Attributes:
        eigenvalues: lambda_i. variances: u_i^T Sigma u_i, sigma lambda_i where Sigma = sigma H.
    """

    eigenvalues: Tensor
    variances: Tensor

    def short(self, t: float) -> float:
        """(t / 2) tr(H Sigma), to first order in t."""
        return t / 2 * float(self.eigenvalues @ self.variances)

    def exact(self, t: float) -> float:
        """(1/4) sum_i u_i^T Sigma u_i (1 - exp(-2 lambda_i t)), for any Sigma: mixed terms have no share in E[f]."""
        return float(-self.variances @ torch.expm1(-2 * t * self.eigenvalues)) / 4

    def left(self, t: float) -> float:
        """What is still missing of the long run at t."""
        return float(self.variances @ torch.exp(-2 * t * self.eigenvalues)) / 4

    def next_order(self, t: float) -> float:
        """(t^2 / 2) tr(H^2 Sigma): by at most so much the short-time law is too large, where H >= 0."""
        return t**2 / 2 * float(self.eigenvalues.square() @ self.variances)

    @property
    def long_run(self) -> float:
        """tr Sigma / 4: what the gain tends to."""
        return float(self.variances.sum()) / 4


def diffused(
    gradients: Gradients, root: Tensor, start: Tensor, times: Sequence[float], step: float, draw: torch.Generator
) -> Tensor:
    """(len(times), k, n) walkers at `times`, from time 0 at start (k, n), by Heun's method in steps of at most `step`.

    `root`: Sigma^(1/2). Of second order in the step for the means: on a quadratic they are off by less than
    (step lambda_max)^2 / 2, relative.
    """
    x, now, found = start, 0.0, []
    for time in times:
        steps = math.ceil((time - now) / step - 1e-9)
        h = (time - now) / steps
        for _ in range(steps):
            kick = math.sqrt(h) * torch.randn(x.shape, dtype=x.dtype, generator=draw) @ root
            slope = gradients(x)
            x = x + kick - h / 2 * (slope + gradients(x + kick - h * slope))
        found.append(x)
        now = time
    return torch.stack(found)


def heun_error(step: float, eigenvalues: Tensor) -> float:
    """The relative error of the mean gain that such steps may have."""
    return (step * float(eigenvalues.max())) ** 2 / 2


def quadratic_gains(walkers: Tensor, start: Tensor, H: Tensor) -> Tensor:
    """(..., k) the gains of walkers (..., k, n) were f quadratic about `start`."""
    moved = walkers - start
    return ((moved @ H) * moved).sum(-1) / 2


def doubling(first: float, last: float) -> list[float]:
    """Times from `first` by factors of two, and `last`."""
    count = math.ceil(math.log2(last / first) - 1e-9)
    return [first * 2**k for k in range(count)] + [last]


def chance(samples: Tensor, level: float = LEVEL) -> float:
    """Half the width of the interval of a mean."""
    return mean_half_width(samples, level)


@dataclass(frozen=True, eq=False)
class Minimum:
    """A landscape at its minimum, and its losses (k, n) -> (k,) and gradients (k, n) -> (k, n) at many points."""

    name: str
    land: Landscape
    losses: Callable[[Tensor], Tensor]
    gradients: Gradients

    @cached_property
    def H(self) -> Tensor:
        """Dense."""
        return dense_matrix(hessian(self.land))

    @cached_property
    def eigenvalues(self) -> Tensor:
        """In ascending order, those that rounding made negative as 0."""
        values: Tensor = torch.linalg.eigvalsh(self.H)
        return values.clamp(min=0.0)

    @cached_property
    def root(self) -> Tensor:
        """H^(1/2)."""
        values, vectors = torch.linalg.eigh(self.H)
        root: Tensor = vectors * values.clamp(min=0.0).sqrt() @ vectors.T
        return root


@dataclass(frozen=True, eq=False)
class Escape:
    """Gains (m, k) of k walkers at m times; `beyond`: (m,) what is not the law's fault, without chance."""

    minimum: Minimum
    law: Law
    times: list[float]
    gains: Tensor
    beyond: Tensor

    def check(self, what: str, k: int, expected: float, further: float, rival: float) -> Check:
        """At time k; `further`: of higher order in the statement; `rival`: what it must be told from."""
        here = f"{self.minimum.name}, t λ_max = {self.times[k] * float(self.law.eigenvalues.max()):.3g}"
        why = f"{100 * LEVEL:g} % over {self.gains.shape[1]} walkers; next order; solver's step; f not quadratic"
        tolerance = chance(self.gains[k]) + float(self.beyond[k]) + further
        resolves = abs(expected - rival) / 2
        return Check(what, here, float(self.gains[k].mean()), expected, tolerance, why, resolves=resolves)

    def points(self, name: str) -> Series:
        """With 95 % intervals."""
        wide = tuple(chance(gains, 0.95) for gains in self.gains)
        return Series(name, tuple(self.times), tuple(self.gains.mean(1).tolist()), wide)

    def line(self, name: str, law: Callable[[float], float]) -> Series:
        """A law at all times."""
        return Series(name, tuple(self.times), tuple(law(t) for t in self.times), mark="line")


def escaped(minimum: Minimum, law: Law, root: Tensor, times: list[float], walkers: int, seed: int) -> Escape:
    """Walkers from the minimum, under noise with the covariance root^T root."""
    start = minimum.land.theta.expand(walkers, -1)
    step = STEP / float(law.eigenvalues.max())
    draw = torch.Generator().manual_seed(seed)
    found = diffused(minimum.gradients, root, start, times, step, draw)
    gains = torch.stack([minimum.losses(x) for x in found]) - minimum.land.value()
    anharmonic = (gains - quadratic_gains(found, start, minimum.H)).mean(1).abs()
    drift = torch.tensor(times, dtype=DOUBLE) * float(minimum.land.gradient().square().sum())
    solver = heun_error(step, law.eigenvalues) * gains.mean(1).abs()
    return Escape(minimum, law, times, gains, ANHARMONIC * anharmonic + drift + solver)

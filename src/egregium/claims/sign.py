"""C3: where H is positive semi-definite R is not negative, and 0 only where one direction has all the curvature."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.minima import digit_minimum
from egregium.claims.networks import digit_landscape
from egregium.claims.sign_target import measured, on_target, sign_checks
from egregium.claims.spectra import Spectrum, spectrum
from egregium.claims.surfaces import DOUBLE, quadratic, saddle
from egregium.landscape import Landscape
from egregium.measurement import eigenpairs, scalar_curvature
from egregium.results import Chart, Check, Series

#: Rounding of R and of what it is held against, relative to (tr H)^2 + |H|_F^2.
ROUNDING = 1e-11
#: Logarithms to base 10 of the lengths of random gradients, from and to.
LENGTHS = (-1.5, 1.5)
#: Second eigenvalue, relative to the first, of surfaces that are nearly bent in one direction only.
SLIGHT = 1e-3
#: Steps from a network's minimum along its sharpest direction: H stays positive definite after the first alone.
NEAR, FAR = 0.03, 0.3

LOWER = "smallest R / β² [(tr H)² − |H|²_F] is at least 1, so R > 0"
UPPER = "largest R / β [(tr H)² − |H|²_F] is at most 1"
EXACT_LOWER = "R / β² [(tr H)² − |H|²_F] = 1 in two dimensions: the lower bound is attained"
EXACT_UPPER = (
    "R / β [(tr H)² − |H|²_F] = 1 where the gradient is orthogonal to the range of H: the upper bound is attained"
)
DEFINITE = "λ_min ≥ 0: the condition holds"


@dataclass(frozen=True, eq=False)
class Place:
    """A point: |g|, R, and the spectrum of H."""

    gradient_norm: float
    R: float
    spectrum: Spectrum

    @property
    def beta(self) -> float:
        """1 / (1 + |g|^2)."""
        return 1 / (1 + self.gradient_norm**2)

    @property
    def quotient(self) -> float:
        """R / [(tr H)^2 - |H|_F^2]."""
        return self.R / self.spectrum.at_rest


def _place(land: Landscape) -> Place:
    """R by products with the shape operator, exactly."""
    R = scalar_curvature(land, method="exact").value
    return Place(float(land.gradient().norm()), R, spectrum(land))


def _run(run: Run) -> Outcome:
    generator = torch.Generator().manual_seed(run.seed)
    draws = run.pick(20, 300)
    checks, random = list[Check](), list[Place]()
    for n, rank in ((2, 2), (3, 2), (8, 2), (8, 8), (20, 5)):
        places = [_place(_bowl(n, rank, generator)) for _ in range(draws)]
        checks += _bounds(f"quadratics with random H ⪰ 0 of rank {rank}, n = {n}", places)
        random += places
        if n == 2:
            checks.append(_attained(EXACT_LOWER, places, lambda p: p.beta**2))
    across = [_place(_bowl(3, 2, generator, across=True)) for _ in range(draws)]
    checks.append(_attained(EXACT_UPPER, across, lambda p: p.beta))
    checks += _one_direction(draws, generator)
    run.advance("softmax regression", 0.3)
    name, convex = _regression(run, generator)
    checks += _bounds(name, convex)
    run.advance("a network near its minimum", 0.5)
    near = list[Place]()
    for name, land in _network(run).items():
        checks += sign_checks(name, measured(land, run))
        if (here := _place(land)).spectrum.smallest >= 0:
            checks += _bounds(name, [here])
            near.append(here)
    seen = {"random quadratics": random, "softmax regression on digits": convex, "tanh network on digits": near}
    return Outcome((*checks, *_outside()), (_chart(seen),))


def _bowl(n: int, rank: int, generator: torch.Generator, second: float = 1.0, across: bool = False) -> Landscape:
    """x^T A x / 2 + g x at 0, A >= 0 of this rank, its eigenvalues but for the first about `second`; any gradient g.

    `across`: g is orthogonal to the range of A, with rank n - 1.
    """
    Q = torch.linalg.qr(torch.randn(n, rank, dtype=DOUBLE, generator=generator)).Q
    B = Q * (0.5 + torch.rand(rank, dtype=DOUBLE, generator=generator))  # none next to 0, where R drowns in rounding
    B[:, 1:] *= math.sqrt(second)
    normal = torch.linalg.qr(B, mode="complete").Q[:, -1] if across else None
    return _tilted(lambda x: (B.T @ x).square().sum() / 2, n, generator, normal)


def _tilted(
    f: Callable[[Tensor], Tensor], n: int, generator: torch.Generator, along: Tensor | None = None
) -> Landscape:
    """f plus a plane of random slope, at 0, in a random direction or along this one."""
    low, high = LENGTHS
    slope = torch.randn(n, dtype=DOUBLE, generator=generator) if along is None else along.clone()
    length = 10 ** (low + (high - low) * float(torch.rand((), generator=generator)))
    slope *= length / slope.norm()
    return Landscape.from_function(lambda x: f(x) + slope @ x, torch.zeros(n, dtype=DOUBLE))


def _bounds(subject: str, places: list[Place]) -> list[Check]:
    """The condition, and both bounds of R, each at the point that comes nearest to breaking it.

    S~ = P H P / W has 2 e_2 = R, and e_2 of P H P is the trace of the second exterior power of H, which is >= 0, times
    that of P^2, whose eigenvalues are beta (planes that hold the gradient) and 1.
    """
    lowest = min(p.spectrum.smallest for p in places)
    below, above = min(p.quotient / p.beta**2 for p in places), max(p.quotient / p.beta for p in places)
    rounding = max(ROUNDING * p.spectrum.size / (p.beta * p.spectrum.at_rest) for p in places)
    why = "rounding, which grows with 1 + |g|²"
    # that of the loss's own numbers, of order 1, is in H where all samples are fitted and H is next to 0
    eigenvalues = max(p.spectrum.rounding * max(1.0, 1 / p.spectrum.spectral) for p in places)
    return [
        Check(
            DEFINITE, subject, lowest, 0.0, eigenvalues, "n roundings of |H|₂, or of 1 where that is more", "at least"
        ),
        Check(LOWER, subject, below, 1.0, rounding, why, "at least", resolves=0.1),
        Check(UPPER, subject, above, 1.0, rounding, why, "at most", resolves=0.1),
    ]


def _attained(what: str, places: list[Place], bound: Callable[[Place], float]) -> Check:
    """A bound that is R, at the point where R is farthest from it."""
    subject = f"quadratics with random H ⪰ 0 of rank 2, n = {places[0].spectrum.values.numel()}"
    worst = max((p.quotient / bound(p) for p in places), key=lambda quotient: abs(quotient - 1))
    rounding = max(ROUNDING * p.spectrum.size / (p.beta**2 * p.spectrum.at_rest) for p in places)
    return Check(what, subject, worst, 1.0, rounding, "rounding, which grows with (1 + |g|²)²", resolves=0.1)


def _one_direction(count: int, generator: torch.Generator) -> list[Check]:
    """R = 0 where one direction has all the curvature, and not where a second one has a little."""
    flat = {
        "quadratics with random H ⪰ 0 of rank 1, n = 8": [_bowl(8, 1, generator) for _ in range(count)],
        "exp(a·x) plus a plane, n = 5": [_exponential(5, generator) for _ in range(count)],
    }
    checks = list[Check]()
    for name, lands in flat.items():
        largest = max(abs(p.R) / p.spectrum.size for p in map(_place, lands))
        what = "largest |R| / [(tr H)² + |H|²_F] = 0 where rank H = 1"
        checks.append(Check(what, name, largest, 0.0, ROUNDING, "rounding"))
    slight = [_place(_bowl(8, 2, generator, SLIGHT)) for _ in range(count)]
    smallest = min(p.R / p.beta**2 / p.spectrum.size for p in slight)
    what = "smallest R / β² [(tr H)² + |H|²_F] is not 0 where rank H = 2"
    name = f"quadratics whose second eigenvalue is about {SLIGHT:g} of the first, n = 8"
    return [*checks, Check(what, name, smallest, 0.0, ROUNDING, "rounding", "differs from")]


def _exponential(n: int, generator: torch.Generator) -> Landscape:
    """exp(a x) plus a plane: all derivatives of any order, in one direction."""
    a = torch.randn(n, dtype=DOUBLE, generator=generator)
    return _tilted(lambda x: torch.exp(a @ x), n, generator)


def _regression(run: Run, generator: torch.Generator) -> tuple[str, list[Place]]:
    """Softmax regression, whose loss is convex: along its training, at weights 0, and at random ones of three sizes."""
    path = [digit_landscape((), run.pick(200, 1000), seed=run.seed, steps=steps) for steps in (5, 10, 15)]
    land = path[0]
    thetas = [torch.zeros(land.n, dtype=DOUBLE)]
    for size in (0.1, 0.5, 2.0):
        thetas += [size * torch.randn(land.n, dtype=DOUBLE, generator=generator) for _ in range(run.pick(1, 4))]
    places = [_place(at) for at in (*path, *(land.at(theta) for theta in thetas))]
    return f"softmax regression on digits, n = {land.n}", places


def _network(run: Run) -> dict[str, Landscape]:
    """A network where H is positive definite, at rest and not, and where it has negative eigenvalues."""
    hidden, samples = run.pick(((4,), 200), ((8,), 300))
    land = digit_minimum(hidden, samples, run.seed)
    top = eigenpairs(land, 1, seed=run.seed).vectors[:, 0]
    name = f"tanh network on digits, n = {land.n}"
    return {
        f"{name}, at its minimum": land,
        f"{name}, {NEAR:g} uphill": land.at(land.theta + NEAR * top),
        f"{name}, {NEAR:g} uphill, the other way": land.at(land.theta - NEAR * top),
        f"{name}, {FAR:g} uphill": land.at(land.theta + FAR * top),
        f"{name}, trained without weight decay": digit_landscape(hidden, samples, seed=run.seed, steps=40),
        f"{name}, at initialisation": digit_landscape(hidden, samples, seed=run.seed, steps=0),
    }


def _outside() -> list[Check]:
    """No converse: R of either sign, and 0, where H has negative eigenvalues."""
    checks = list[Check]()
    flat = quadratic(torch.tensor([1.0, 1.0, -0.5]))
    for surface in (quadratic(torch.tensor([3.0, 3.0, -0.1])), quadratic(torch.tensor([-1.0, -2.0])), saddle(), flat):
        at, known = _place(surface.land), surface.scalar_curvature
        sign = "R > 0" if known > 0 else "R < 0" if known < 0 else "R = 0"
        what = (
            f"{sign} with λ_min = {at.spectrum.smallest:.3g} < 0: the sign of R tells nothing of those of eigenvalues"
        )
        rounding = ROUNDING * at.spectrum.size
        checks.append(Check(what, surface.name, at.R, known, rounding, "rounding", outside=True))
    rank = float((at.spectrum.values.abs() > at.spectrum.rounding).sum())
    what, why = "rank H is not 1 though R = 0, where λ_min < 0", "a whole number"
    return [*checks, Check(what, flat.name, rank, 1.0, 0.5, why, "differs from", outside=True)]


def _chart(seen: dict[str, list[Place]]) -> Chart:
    low, high = LENGTHS
    x = tuple(torch.logspace(low, high, 61, dtype=DOUBLE).tolist())
    shown = {name: [p for p in places if p.gradient_norm >= x[0]] for name, places in seen.items()}
    return Chart(
        "R where H is positive semi-definite, at any gradient",
        "Random quadratics with random gradients, softmax regression and a tanh network on digits; nothing was sampled "
        "but the surfaces. R is never 0, and lies from β² to β times what it would be without a gradient.",
        "length of the gradient, |g|",
        "R / [(tr H)² − |H|²_F]",
        (
            *(
                Series(name, tuple(p.gradient_norm for p in places), tuple(p.quotient for p in places))
                for name, places in shown.items()
            ),
            Series("β = 1 / (1 + |g|²)", x, tuple(1 / (1 + g**2) for g in x), mark="line"),
            Series("β²", x, tuple(1 / (1 + g**2) ** 2 for g in x), mark="line"),
        ),
        x_scale="log",
        y_scale="log",
    )


CLAIM = Claim(
    id="C3",
    title="R sees curvature that two directions or more share",
    statement=(
        "Wherever H is positive semi-definite, at any gradient, R ≥ 0, and R = 0 if and only if rank H ≤ 1. More "
        "sharply, β² [(tr H)² − |H|²_F] ≤ R ≤ β [(tr H)² − |H|²_F] there, β = 1/(1 + |g|²)."
    ),
    source="arXiv 2307.04719, flat directions and the sign of R; the two bounds by the second exterior power of H",
    condition=(
        "H ⪰ 0: a convex loss anywhere, any loss at its minima, and near those where H is positive definite: near a "
        "minimum where H has eigenvalues 0, as (xy − 1)² on xy = 1, R may be negative. No converse: R > 0 has nothing "
        "to say about the signs of eigenvalues, as diag(3, 3, −0.1) and the maximum diag(−1, −2) show; and "
        "diag(1, 1, −1/2) has R = 0 at rank 3."
    ),
    simulated=(
        "R by products on quadratics with random H ⪰ 0 of several sizes and ranks and random gradients, on functions "
        "of one direction, on softmax regression on digits at weights of all sizes, and on a tanh network on digits at "
        "its minimum, near it, and where H has negative eigenvalues, also by sampling and with the smallest eigenvalue."
    ),
    run=_run,
    on_target=on_target,
    simulated_on_target="R, the trace and the smallest eigenvalue at the target's point, by random probes.",
)

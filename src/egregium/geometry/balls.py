"""Volumes of geodesic balls, by Monte Carlo over directions through the exponential map.

In polar coordinates about a point, with theta_u(t) the volume density of exp along the unit direction u,

    vol B_M(r) / vol B_E(r) = E_u [ (n / r^n) int_0^r D_u(t) t^(n-1) dt ],   D_u(t) = det(A_u(t) / t),

A_u the Jacobi fields that start at 0, perpendicular to u. Directions come in opposite pairs, whose odd terms cancel;
log D_u is taken for the polynomial in t through its values at Chebyshev nodes, and integrated by Gauss's rule.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import Any

import numpy as np
import torch
from numpy.polynomial import Chebyshev
from scipy.special import roots_jacobi, roots_laguerre
from torch import Tensor

from egregium.curvature import tangent_frame
from egregium.errors import ArgumentError, ArithmeticalError
from egregium.estimators.probes import checked_seed, gaussian, signs
from egregium.geometry.arguments import landscape, positive, whole
from egregium.geometry.geodesics import LOST, followed
from egregium.geometry.kinks import kink_note
from egregium.geometry.motion import Solver, State
from egregium.geometry.tangent import TangentSpace, tangent_space
from egregium.landscape import Landscape
from egregium.measurement import scalar_curvature
from egregium.operators.inner import dots, gram, norm
from egregium.results import BallVolumes, Cost, Estimate

#: Parameters up to which all n - 1 Jacobi fields are followed; above, a few random ones.
ALL_FIELDS = 48
#: Nodes in t beside t = 0.
NODES = 6
#: Nodes of the integral over t, and dimensions up to which its rule is Gauss-Jacobi.
RADIAL, MOST_JACOBI = 24, 500
#: Streams of directions and of probes.
DIRECTIONS, PROBES = 11, 12


def ball_volumes(
    land: Landscape,
    radii: float | Sequence[float],
    *,
    pairs: int = 16,
    probes: int | None = None,
    scale: float = 1.0,
    seed: int = 0,
    confidence: float = 0.95,
    tolerance: float | None = None,
    steps: int | None = None,
    rtol: float = 0.01,
) -> BallVolumes:
    """Volumes of geodesic balls over those of Euclidean balls, beside their expansion 1 - R r^2 / (6 (n + 2)) + O(r^4).

    Args:
        radii: one or several, on the graph; all from the same geodesics, of which the longest sets the price.
        pairs: opposite pairs of uniform directions. Where there are 2 n or more, they are taken as whole orthonormal
            frames, over which the term in r^2 does not vary: R is the sum of Ric(e, e) over any frame.
        probes: random Jacobi fields a direction, whose determinant is estimated to second order; None: all of them, up
            to 48 parameters, else 4.
        tolerance, steps: of the geodesics, as in `geodesic`.
        rtol: of R, for the expansion.

    Intervals are Student's over pairs or frames: too narrow, 88 to 92 % for 95 %, where few pairs meet curvature that
    sits in one plane of many. What the polynomial in t, the determinant's expansion and the solver may leave out is in
    them as `bias`, an estimate: a bump much narrower than the radius may be missed. A density that has passed a
    conjugate point is counted with its sign, and a note says so where it is negative at a node.
    Cost: 2 pairs geodesics, each right-hand side 3 + 2 (n - 1) or 3 + 2 probes gradients. Memory: about 20 times 2 n
    (or 2 + 3 probes) vectors. Raises ArgumentError for radii or counts that do not fit, ArithmeticalError where a ball
    reaches an edge of the domain of f.

    >>> f = lambda x: -torch.sqrt(1 - x @ x)  # a cap of the unit sphere: 2 pi (1 - cos r) against pi r^2
    >>> land = Landscape.from_function(f, torch.zeros(2, dtype=torch.float64))
    >>> found = ball_volumes(land, 0.5, pairs=3)
    >>> abs(found.ratios[0].value - 2 * (1 - math.cos(0.5)) / 0.5**2) < 1e-8
    True
    """
    started = time.perf_counter()
    listed = radii if isinstance(radii, (list, tuple, np.ndarray)) else [radii]
    r = np.array([positive(one, "radii") for one in listed])
    if not r.size:
        raise ArgumentError("radii must be a positive number or several, got none.")
    if landscape(land).n < 2 or whole(pairs, 0, "pairs") < 2 or (probes is not None and whole(probes, 0, "probes") < 2):
        raise ArgumentError(
            f"A volume needs n >= 2, pairs >= 2 and probes >= 2, got n = {land.n}, pairs={pairs}, probes={probes}."
        )
    T, seed = tangent_space(land, scale=scale), checked_seed(seed)
    few = probes if probes is not None else None if land.n <= ALL_FIELDS else 4
    plan = _Plan(T, float(r.max()), few, Solver(tolerance, steps, math.inf), seed)
    together = land.n if pairs >= 2 * land.n else 1
    samples, off, cost, turned = [], [], Cost(gradients=1), False
    for i in range(pairs // together):
        found = []
        for q in plan.directions(i, together):
            D, left_out, spent = plan.density(q)
            cost, turned = cost + spent, turned or bool((D <= 0).any())
            ratio, truncated = mean_over_ball(plan.nodes, D, r, land.n)
            found.append(ratio)
            off.append(truncated + left_out[np.searchsorted(plan.nodes, r * (1 - 1e-12))])
        samples.append(np.mean(found, 0))
    table = torch.from_numpy(np.stack(samples))
    R = scalar_curvature(T.land, rtol=rtol, confidence=confidence, seed=seed)
    fields = f"all {land.n - 1} Jacobi fields" if few is None else f"{few} random Jacobi fields"
    drawn = f"{len(samples)} orthonormal frames" if together > 1 else f"{pairs} pairs of directions"
    method = f"{drawn}, {fields}, {plan.solver.words(T.land.dtype)}"
    cost = replace(cost + R.cost, seconds=time.perf_counter() - started)
    how: dict[str, Any] = {"method": method, "confidence": confidence, "cost": cost}
    ratios = [
        Estimate(float(x.mean()), float(x.std()) / len(x) ** 0.5, len(x) - 1, x, bias=float(b), **how)
        for x, b in zip(table.T, np.mean(off, 0), strict=True)
    ]
    far = ("A geodesic has passed a conjugate point: the ball is counted with multiplicity there.",) if turned else ()
    return BallVolumes(
        radii=torch.from_numpy(r),
        ratios=tuple(ratios),
        expansion=tuple(R.affine(-(float(x) ** 2) / (6 * (land.n + 2)), 1.0) for x in r),
        log_euclidean=torch.from_numpy(
            0.5 * land.n * math.log(math.pi) + land.n * np.log(r) - math.lgamma(land.n / 2 + 1)
        ),
        n=land.n,
        samples=table,
        cost=cost,
        method=method,
        notes=(*kink_note(T.land), *far),
    )


@dataclass(frozen=True, eq=False)
class _Plan:
    """How the density along one direction is found."""

    T: TangentSpace
    radius: float
    probes: int | None
    solver: Solver
    seed: int
    drawn: Iterator[int] = field(default_factory=count)

    @property
    def nodes(self) -> np.ndarray:
        """Chebyshev nodes in (0, radius], the last of them the radius."""
        return self.radius * (1 - np.cos(np.pi * np.arange(1, NODES + 1) / NODES)) / 2

    @property
    def draw(self) -> dict[str, Any]:
        return {"seed": self.seed, "dtype": self.T.land.dtype, "device": self.T.land.device}

    def directions(self, index: int, together: int) -> Iterator[Tensor]:
        """Sample number `index`: so many orthonormal directions, in the symmetric frame, each with its opposite."""
        first = index * together
        rows = torch.stack([gaussian(self.T.n, first + j, stream=DIRECTIONS, **self.draw) for j in range(together)])
        for q in torch.linalg.qr(rows.T)[0].T:
            yield q
            yield -q

    def density(self, q: Tensor) -> tuple[np.ndarray, np.ndarray, Cost]:
        """(D at the nodes, how far it may be off there, cost) along the unit direction q.

        Off by what the determinant's expansion leaves out, and by twice the solver's drift.
        """
        T = self.T
        if self.probes is None:
            frame = torch.linalg.qr(torch.cat([q.unsqueeze(1), torch.eye(T.n, dtype=q.dtype, device=q.device)], 1))[0]
            across = frame.T[1:].contiguous()
        else:
            across = signs(T.n, next(self.drawn) * self.probes, self.probes, stream=PROBES, **self.draw).T
            across = across - torch.outer((across @ q), q)
        rows = (T.inverse_root @ torch.cat([q.unsqueeze(0), across]).T).T.contiguous()
        carried = rows[:0] if self.probes is None else rows[1:]
        course = followed(T, rows[0], [0.0, *self.nodes], self.solver, carried, torch.zeros_like(rows[1:]), rows[1:])
        if course.ended:
            raise ArithmeticalError(
                f"A geodesic of radius {self.radius:.4g} ended at {course.times[-1]:.4g}: {course.ended.rstrip('.')}. "
                "Choose a smaller radius."
            )
        values, off = [], []
        for t, state in zip(course.times[1:], course.states[1:], strict=True):
            g = tangent_frame(T.land.at(state[0])).gradient
            drift = abs(float(gram(state[1:2], state[1:2])) + float(gram(state[1:2], g.unsqueeze(0))) ** 2 - 1)
            if drift > LOST:
                raise ArithmeticalError(
                    f"A geodesic has lost its speed at radius {t:.4g}: an edge of the domain, or kinks. "
                    "Choose a smaller radius."
                )
            if self.probes is None:
                value, rest = self._determinant(g, state, t, rows), 0.0
            else:
                value, rest = expanded_determinant(g, state, t, self.probes)
            values.append(value)
            off.append(rest + 2 * drift)
        checks = Cost(gradients=len(values))
        return np.array(values), np.maximum.accumulate(off), course.cost + checks

    def _determinant(self, g: Tensor, state: State, t: float, rows: State) -> float:
        """det(A / t): the volume of (velocity, fields / t) in the metric there, over that at the start."""
        W = math.hypot(1.0, norm(g))
        now = torch.cat([state[1:2], state[2 : 1 + len(rows)] / t]).double()
        sign, size = torch.linalg.slogdet(now)
        first_sign, first = torch.linalg.slogdet(rows.double())
        return float(sign * first_sign * torch.exp(size - first)) * W / self.T.W


def expanded_determinant(g: Tensor, state: State, t: float, probes: int) -> tuple[float, float]:
    """det(I + X) = exp(tr X - tr X^2 / 2 + ...) for X = A / t - I, from z^T X z and |X z|^2; and what is left out.

    X is symmetric up to higher orders in t, so that tr X^2 = |X|_F^2. The exponential of a mean of samples is too large
    by half its variance, which is taken off. `g`: the gradient there.
    """
    Z, J = state[2 : 2 + probes], state[2 + probes : 2 + 2 * probes]
    X = J / t - Z
    of_g = gram(torch.cat([Z, X]), g.unsqueeze(0)).squeeze(1)
    linear = dots(Z, X) + of_g[:probes] * of_g[probes:]
    square = dots(X, X) + of_g[probes:] ** 2
    logarithms = linear - square / 2
    size = float(square.mean()) ** 0.5
    mean, variance = float(logarithms.mean()), float(logarithms.var()) / probes
    return math.exp(mean - variance / 2), size**3 / 3 + variance**2 / 8


def mean_over_ball(nodes: np.ndarray, D: np.ndarray, radii: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n / r^n) int_0^r D t^(n-1) dt for each radius, and how far each may be off.

    A polynomial goes through log D, which is near a multiple of t^2 for any n; where D is not positive, through D. Off:
    by the size of its last two coefficients.
    """
    logarithmic = bool((D > 0).all())
    values = np.log(D) if logarithmic else D - 1
    through = Chebyshev.fit(
        np.array([0.0, *nodes]), np.array([0.0, *values]), len(nodes), domain=[0.0, float(nodes[-1])]
    )
    off = float(np.abs(through.coef[-2:]).sum())
    shares, weights = _radial_rule(n)
    at = through(radii[:, None] * shares)
    means = (np.exp(at) if logarithmic else 1 + at) @ weights
    return means, np.abs(means) * math.expm1(off) if logarithmic else np.full(len(radii), off)


@cache
def _radial_rule(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes x and weights of n int_0^1 D x^(n-1) dx: Gauss-Jacobi; where that overflows, Gauss-Laguerre in -n log x."""
    if n <= MOST_JACOBI:
        x, w = roots_jacobi(RADIAL, 0, n - 1)
        return (1 + x) / 2, w / w.sum()
    y, w = roots_laguerre(RADIAL)
    return np.exp(-y / n), w / w.sum()

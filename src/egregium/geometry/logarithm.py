"""Geodesics between two points: the logarithm and the distance."""

import math
import time
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import root
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.geometry.arguments import landscape, positive, vector
from egregium.geometry.geodesics import followed
from egregium.geometry.kinks import kink_note
from egregium.geometry.motion import BUDGET, Course, Solver
from egregium.geometry.relaxation import Relaxed, relaxed
from egregium.geometry.tangent import TangentSpace, tangent_space
from egregium.landscape import Landscape
from egregium.results import Cost, Estimate, Logarithm

BoundaryMethod = Literal["auto", "relaxation", "shooting"]

#: Largest relative residual of a geodesic that is said to have arrived, by dtype; of a relaxed path, whose gradient
#: carries more rounding.
ARRIVED, COARSE, LOOSER = {torch.float64: 1e-8, torch.float32: 1e-4}, 1e-2, 3.0
#: Paths that shooting may take.
SHOTS = 40


def log(
    land: Landscape,
    target: Float[Tensor, " n"],
    *,
    method: BoundaryMethod = "auto",
    scale: float = 1.0,
    rtol: float | None = None,
    tolerance: float | None = None,
    steps: int | None = None,
    budget: float = BUDGET,
) -> Logarithm:
    """The velocity at the landscape's point whose geodesic arrives at `target` at time 1: exp(log(target)) = target.

    "relaxation" shortens the straight line to a path of least energy, from gradients alone, a polynomial of degree 8 to
    64; "shooting" solves exp(v) = target from the straight line by Broyden's method; "auto" relaxes and then shoots
    from there, which says how far off it is. Where several geodesics arrive, it is one near the straight line, and not
    always the shortest.

    Args:
        rtol: largest |exp(v) - target| in the metric, relative to the length (1e-8 in float64, 1e-4 in float32); for
            relaxation, what is left of the energy's gradient and the polynomial's last coefficients (three times that).
        tolerance, steps: of the geodesics that are shot, as in `geodesic`.
        budget: most gradients of the full data.

    `distance` has what is left of the residual and of the integration in its interval. Features narrower than the steps
    (1 % of the path) can be missed by both methods. Any n. Cost: relaxation 10 to 100 gradients for each of 7 to 63
    points; a shot as `geodesic`. Memory: 22 vectors for each of these points. Where it does not arrive (kinks, an edge
    of the domain, the budget): `converged=False`, the best path, and a note. Raises ArgumentError for a target that
    does not fit, or is the point itself.

    >>> f = lambda x: -torch.sqrt(1 - x @ x)  # the unit sphere from its pole: 1/2 along a great circle
    >>> land = Landscape.from_function(f, torch.zeros(2, dtype=torch.float64))
    >>> found = log(land, torch.tensor([math.sin(0.5), 0.0], dtype=torch.float64))
    >>> [round(x, 7) for x in found.velocity.tolist()], found.converged
    ([0.5, 0.0], True)
    """
    started = time.perf_counter()
    if method not in ("auto", "relaxation", "shooting"):
        raise ArgumentError(f'method must be "auto", "relaxation" or "shooting", got {method!r}.')
    T = tangent_space(land, scale=scale)
    end = vector(T.land, target, "target")
    straight = end - T.land.theta
    if not bool(straight.any()):
        raise ArgumentError("target is the landscape's own point: there is no direction between them.")
    aim = positive(rtol, "rtol") if rtol is not None else ARRIVED.get(T.land.dtype, COARSE)
    positive(budget, "budget, in gradients,")
    spent = Cost(gradients=1)
    path: Relaxed | None = None
    velocity, notes = straight, kink_note(T.land)
    if method != "shooting":
        left = aim if rtol is not None and method == "relaxation" else LOOSER * aim
        path = relaxed(T.land, T.land.theta, end, left, budget - 1)
        velocity, spent = path.velocity, spent + path.cost
        if method == "relaxation":
            return _relaxed_alone(T, path, left, spent, started, notes)
    shots = Shots(T, end, Solver(tolerance, steps, budget), budget - spent.gradients)
    shots.aimed(velocity, aim)
    if path is not None and shots.residual > 1 and path.length > 0:  # it did not even come near
        shots.aimed(straight, aim)
    converged = shots.residual <= aim
    if not converged:
        notes = (*notes, _why(shots, path, aim))
    velocity = shots.velocity if math.isfinite(shots.residual) else velocity
    length = T.norm(velocity)
    off = shots.residual * length + shots.solver_error() if math.isfinite(shots.residual) else math.inf
    words = f"{shots.taken} geodesics shot" + (
        "" if path is None else f" from a path relaxed on {len(path.path)} points"
    )
    cost = replace(spent + shots.cost, seconds=time.perf_counter() - started)
    points = shots.path if path is None or converged else path.path
    distance = Estimate(length, 0.0, cost=cost, method=words, converged=converged, rounding=off)
    return Logarithm(velocity, distance, shots.residual, points, converged, cost, words, notes)


def distance(land: Landscape, target: Float[Tensor, " n"], **how: Any) -> Estimate:
    """The length of the geodesic that `log` finds, with its interval; 0 for the point itself. Options as of `log`.

    It is the distance where that geodesic is a shortest one: within the injectivity radius, and always when there is no
    other.

    >>> f = lambda x: -torch.sqrt(1 - x @ x)
    >>> land = Landscape.from_function(f, torch.zeros(2, dtype=torch.float64))
    >>> round(distance(land, torch.tensor([math.sin(0.5), 0.0], dtype=torch.float64)).value, 7)
    0.5
    """
    if not bool((vector(landscape(land), target, "target") - land.theta).any()):
        return Estimate(0.0, 0.0, method="the point itself")
    found = log(land, target, **how)
    return replace(found.distance, notes=found.notes)


class Shots:
    """Solves exp(v) = target, and keeps the best that was found."""

    def __init__(self, T: TangentSpace, target: Tensor, solver: Solver, budget: float) -> None:
        self.T, self.target, self.solver, self.budget = T, target, solver, budget
        self.there: TangentSpace | None = None
        self.velocity, self.path, self.residual = target, target.unsqueeze(0), math.inf
        self.cost, self.taken, self.ended, self.steps = Cost(), 0, "", 0

    def aimed(self, velocity: Tensor, aim: float) -> None:
        """Broyden's method from `velocity`; the first Jacobian is the identity, that of a flat graph."""
        dtype, device = velocity.dtype, velocity.device

        def missed(v: np.ndarray) -> np.ndarray:
            off = self._missed(torch.from_numpy(v).to(device, dtype))
            if self.residual <= aim or self.taken >= SHOTS:
                raise StopIteration
            return off.double().cpu().numpy()

        try:
            options: Any = {"jac_options": {"alpha": -1.0}, "maxiter": SHOTS, "fatol": 0.0}
            root(missed, velocity.double().cpu().numpy(), method="broyden1", options=options)
        except (StopIteration, FloatingPointError, ValueError) as why:
            self.ended = self.ended or str(why)

    def _missed(self, v: Tensor) -> Tensor:
        """exp(v) - target; ends the search where the geodesic does not get to its end."""
        speed, course = self._shot(v, self.solver)
        self.taken += 1
        if course.ended:
            raise StopIteration(course.ended)
        end = course.states[-1][0]
        if self.there is None:
            self.there = tangent_space(self.T.land.at(self.target))
            self.cost = self.cost + Cost(gradients=1)
        off = end - self.target
        residual = self.there.norm(off) / speed
        if residual < self.residual:
            self.residual, self.velocity, self.steps = residual, v, course.steps
            self.path = torch.stack([self.T.land.theta, end])
        return off

    def _shot(self, v: Tensor, solver: Solver) -> tuple[float, Course]:
        speed, none = self.T.norm(v), v.new_empty(0, self.T.n)
        solver = replace(solver, budget=max(self.budget - self.cost.gradients, 1e-9))
        course = followed(self.T, v / speed, [0.0, speed], solver, none, none, none)
        self.cost = self.cost + course.cost
        return speed, course

    def solver_error(self) -> float:
        """How far off the end of the best geodesic may be on the graph, by its integration.

        The sum over dopri5's steps; for RK4 twice the difference from twice as many, infinite without a budget for it.
        """
        if self.solver.steps is None:
            size = max(self.T.norm(self.velocity), 1.0)
            return self.steps * self.solver.of(self.velocity.dtype) * size
        _, course = self._shot(self.velocity, replace(self.solver, steps=2 * self.solver.steps))
        if course.ended or self.there is None:
            return math.inf
        return 2 * self.there.norm(course.states[-1][0] - self.path[-1])


def _why(shots: Shots, path: Relaxed | None, aim: float) -> str:
    reason = shots.ended or f"{shots.taken} shots left a relative residual of {shots.residual:.1e}, asked was {aim:.0e}"
    relaxation = "" if path is None or not path.failure else f" Relaxation: {path.failure.rstrip('.')}."
    return f"The geodesic does not arrive: {reason.rstrip('.')}.{relaxation} The path is the best that was found."


def _relaxed_alone(
    T: TangentSpace, path: Relaxed, aim: float, spent: Cost, started: float, notes: tuple[str, ...]
) -> Logarithm:
    left, length = max(path.slope, path.tail), path.length if math.isfinite(path.length) else T.norm(path.velocity)
    converged = not path.failure and left <= aim
    if not converged:
        reason = path.failure or f"{left:.1e} is left, relative, asked was {aim:.0e}"
        notes = (*notes, f"The path is not relaxed: {reason.rstrip('.')}.")
    cost = replace(spent, seconds=time.perf_counter() - started)
    words = f"a path relaxed on {len(path.path)} points"
    off = length * (path.slope**2 + path.tail + len(path.path) ** 2 * torch.finfo(T.land.dtype).eps)
    distance = Estimate(length, 0.0, cost=cost, method=words, converged=converged, rounding=off)
    return Logarithm(path.velocity, distance, math.inf, path.path, converged, cost, words, notes)

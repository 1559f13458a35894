"""Geodesics from a point: paths, the exponential map, what is carried along, and Jacobi fields."""

import time
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import tangent_frame
from egregium.errors import ArgumentError, ArithmeticalError, EgregiumError
from egregium.geometry.arguments import positive, rows_of, vector, whole
from egregium.geometry.kinks import kink_note
from egregium.geometry.motion import BUDGET, Course, Free, Solver, integrated
from egregium.geometry.tangent import TangentSpace, tangent_space
from egregium.landscape import Landscape
from egregium.operators.inner import gram
from egregium.results import Cost, Geodesic

#: Relative change of the squared speed beyond which a path is not said to be a geodesic.
LOST = 0.01


def geodesic(
    land: Landscape,
    velocity: Float[Tensor, " n"],
    t: float = 1.0,
    *,
    points: int = 2,
    carry: Float[Tensor, "n k"] | None = None,
    fields: tuple[Float[Tensor, "n k"], Float[Tensor, "n k"]] | None = None,
    scale: float = 1.0,
    tolerance: float | None = None,
    steps: int | None = None,
    budget: float = BUDGET,
) -> Geodesic:
    """The geodesic from the landscape's point with `velocity`, followed for the time t.

        theta'' = -beta (theta'^T H theta') g

    The speed |theta'| in the metric is conserved; the length is t times it.

    Args:
        points: how many are kept, equally spaced in time, both ends included; dopri5 starts anew at each.
        carry: vectors (n,) or (n, k) that are transported parallel along it, at no further product.
        fields: (J, DJ/dt) at the start, each (n,) or (n, k): Jacobi fields, which solve
            D^2 J/dt^2 = -R(J, theta') theta'; at each right-hand side one product more for each, no third derivatives.
        tolerance: of a step of dopri5 (default 1e-10 in float64, 1e-5 in float32), for the position in units of the
            length, for all else in units of unit vectors.
        steps: instead, so many steps of RK4 in all, rounded up between kept points.
        budget: most gradients of the full data.

    A right-hand side costs a gradient and a product (3 gradients), in one pass. Memory (measured):
    dopri5 63 vectors, RK4 25, and 2 for each point kept; more with the rows of `carry` and `fields`. Where
    it leaves the domain of f, or the budget ends, or it drifts by more than 1 %: `converged=False`, what was reached,
    and a note. At kinks (ReLU, max pooling) the gradient jumps, and the equation does not see them: a note says so.
    Raises ArgumentError for arguments that do not fit.

    >>> f = lambda x: -torch.sqrt(1 - x @ x)  # the unit sphere from its pole: a great circle
    >>> land = Landscape.from_function(f, torch.zeros(2, dtype=torch.float64))
    >>> [round(x, 7) for x in geodesic(land, torch.tensor([0.5, 0.0], dtype=torch.float64)).end.tolist()]  # sin(1/2)
    [0.4794255, 0.0]
    """
    started = time.perf_counter()
    solver = Solver(tolerance, steps, budget)
    points, t = whole(points, 2, "points"), positive(t, "t", hint=" Turn the velocity round to go back.")
    T = tangent_space(land, scale=scale)
    v = vector(T.land, velocity, "velocity")
    w = rows_of(T.land, carry, "carry") if carry is not None else v.new_empty(0, T.n)
    J, K = _fields(T.land, fields)
    speed = T.norm(v)
    if speed == 0:
        return _at_rest(T, torch.linspace(0, t, points, dtype=torch.float64), w, J, K)
    if not speed * t < float("inf"):
        raise ArgumentError("The velocity is too long: its length in the metric overflows. Scale it down.")
    lengths = [speed * t * i / (points - 1) for i in range(points)]
    course = followed(T, v / speed, lengths, solver, w, J, K / speed)
    course, drift, checks = _checked(T, course, len(w))
    count = 2 + len(w)
    return Geodesic(
        times=torch.tensor([s / speed for s in course.times], dtype=torch.float64),
        points=torch.stack([state[0] for state in course.states]),
        velocities=torch.stack([state[1] * speed for state in course.states]),
        carried=torch.stack([state[2:count].T for state in course.states]),
        fields=torch.stack([state[count : count + len(J)].T for state in course.states]),
        slopes=torch.stack([state[count + len(J) :].T * speed for state in course.states]),
        length=course.times[-1],
        drift=drift,
        converged=not course.ended and drift <= LOST,
        cost=replace(course.cost + Cost(gradients=1) + checks, seconds=time.perf_counter() - started),
        method=solver.words(T.land.dtype),
        notes=_notes(T, course, lengths[-1], drift),
    )


def exp(land: Landscape, velocity: Float[Tensor, " n"], **how: Any) -> Float[Tensor, " n"]:
    """The exponential map: where the geodesic with `velocity` is at time 1. Options, cost and errors as of `geodesic`.

    Raises ArithmeticalError where it does not get there; `geodesic` returns how far it came.

    >>> f = lambda x: -torch.sqrt(1 - x @ x)
    >>> land = Landscape.from_function(f, torch.zeros(2, dtype=torch.float64))
    >>> [round(x, 7) for x in exp(land, torch.tensor([0.0, 1.0], dtype=torch.float64)).tolist()]
    [0.0, 0.841471]
    """
    found = geodesic(land, velocity, **how)
    if not found.converged:
        raise ArithmeticalError(f"The geodesic ended at time {float(found.times[-1]):.4g} of 1: {found.notes[-1]}")
    return found.end


def _fields(land: Landscape, fields: Any) -> tuple[Tensor, Tensor]:
    """J and DJ/dt as rows. Raises ArgumentError unless they are two, of the same number of vectors."""
    if fields is None:
        none = torch.empty(0, land.n, dtype=land.dtype, device=land.device)
        return none, none
    if not isinstance(fields, (tuple, list)) or len(fields) != 2:
        raise ArgumentError(f"fields must be the pair (J, DJ/dt), got {type(fields).__name__}.")
    J, K = (rows_of(land, X, "fields") for X in fields)
    if J.shape != K.shape:
        raise ArgumentError(f"fields needs J and its derivative in equal numbers, got {len(J)} and {len(K)}.")
    return J, K


def followed(
    T: TangentSpace, v: Tensor, lengths: list[float], solver: Solver, w: Tensor, J: Tensor, K: Tensor
) -> Course:
    """The states at `lengths` along the geodesic with unit velocity v. Linear rows are of unit size while it runs."""
    one = torch.ones(2, dtype=v.dtype, device=v.device)
    near = min(lengths[-1], 1.0)
    of_fields = [max(T.norm(a) / near, T.norm(b)) or 1.0 for a, b in zip(J, K, strict=True)]
    sizes = torch.cat([one, one.new_tensor([*(T.norm(x) or 1.0 for x in w), *of_fields, *of_fields])]).unsqueeze(1)
    start = torch.cat([T.land.theta.unsqueeze(0), v.unsqueeze(0), w, J, K]) / sizes
    equations = Free(T.land, solver.budget, len(w), len(J), lengths[-1])
    course = integrated(equations, start, lengths, solver)
    return replace(course, states=[state * sizes for state in course.states])


def _checked(T: TangentSpace, course: Course, carried: int) -> tuple[Course, float, Cost]:
    """The course as far as it is in the domain, and the largest change of the inner products of velocity and carried
    vectors, over lengths; a gradient a point.
    """
    grams: list[Tensor] = []
    for k, state in enumerate(course.states):
        try:
            g = T.gradient if k == 0 else tangent_frame(T.land.at(state[0])).gradient
        except EgregiumError as error:  # RK4 does not look at its last point
            why = f"the next point is outside the domain: {error}"
            course = replace(course, times=course.times[:k], states=course.states[:k], ended=course.ended or why)
            break
        rows = state[1 : 2 + carried]
        slopes = gram(rows, g.unsqueeze(0))
        grams.append(gram(rows, rows) + slopes @ slopes.T)
    sizes = grams[0].diagonal().sqrt().clamp_min(torch.finfo(torch.float64).tiny)
    moved = max(float(((G - grams[0]) / torch.outer(sizes, sizes)).abs().max()) for G in grams)
    return course, moved, Cost(gradients=len(course.states) - 1)


def _at_rest(T: TangentSpace, times: Tensor, w: Tensor, J: Tensor, K: Tensor) -> Geodesic:
    """The geodesic of velocity 0: the point itself; Jacobi fields grow evenly."""
    here, m = T.land.theta, len(times)
    return Geodesic(
        times=times,
        points=here.expand(m, -1).clone(),
        velocities=torch.zeros(m, T.n, dtype=here.dtype, device=here.device),
        carried=w.T.expand(m, -1, -1).clone(),
        fields=torch.stack([(J + t * K).T for t in times.tolist()]),
        slopes=K.T.expand(m, -1, -1).clone(),
        length=0.0,
        drift=0.0,
        converged=True,
        cost=Cost(gradients=1),
        method="at rest: the velocity is zero",
    )


def _notes(T: TangentSpace, course: Course, length: float, drift: float) -> tuple[str, ...]:
    notes = kink_note(T.land)
    if drift > LOST:
        lost = "The path is no geodesic any more: what is conserved has moved"
        notes = (*notes, f"{lost} by {drift:.1e}, relative. It met an edge or kinks, or its steps are too long.")
    if course.ended:
        part = f"It ended at length {course.times[-1]:.4g} of {length:.4g}: {course.ended}"
        notes = (*notes, part if part.endswith(".") else part + ".")
        if notes[1:]:
            notes = (*notes, "steps= takes steps of one size, which do not try to resolve the kinks.")
    return notes

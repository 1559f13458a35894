"""Paths of low loss between two points: the straight line, and a curve that is trained."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError, NotFiniteError
from egregium.estimators import Progress, ProgressCallback, stopped
from egregium.estimators.probes import checked_seed, gaussian
from egregium.geometry.arguments import landscape, positive, vector, whole
from egregium.landscape import Landscape
from egregium.results import Cost, ModePath, Sheet, Slice
from egregium.slices.look import Look, Shape, surveyed
from egregium.slices.survey import Grid, spaced

CurveKind = Literal["linear", "bezier", "polygonal"]
#: A curve: t in [0, 1] -> the weights of its two ends and its bends.
Weights = Callable[[float], list[float]]
#: Stream of the probes that move the bends off the straight line, and by which share of the distance.
STREAM, OFF = 78, 0.01
#: The learning rate of Adam in units of the distance over sqrt(n), where none is given.
RATE = 0.05


@dataclass(frozen=True)
class Training:
    """How a path is trained: `rate` of Adam, None for that of the distance; `budget` in gradients."""

    bends: int
    steps: int
    rate: float | None
    seed: int
    budget: float
    progress: ProgressCallback | None


def mode_path(
    land: Landscape,
    other: Float[Tensor, " n"],
    *,
    kind: CurveKind = "bezier",
    bends: int = 1,
    steps: int = 200,
    learning_rate: float | None = None,
    seed: int = 0,
    progress: ProgressCallback | None = None,
    **how: Any,
) -> ModePath:
    """A path of low loss from the landscape's point to `other`, and the straight line, with quantities along both.

    The bends of the curve are trained by Adam on E f(curve(t)), t uniform in [0, 1], from gradients of the full data;
    the ends stay. "bezier" is sum_j binom(m, j) (1 - t)^(m - j) t^j p_j, with one bend the quadratic
    (1 - t)^2 theta + 2 t (1 - t) p + t^2 other; "polygonal" joins its points by straight lines.

    Args:
        kind: "linear" trains nothing.
        bends: points between the ends.
        steps, learning_rate: of Adam, the rate falling to 0 as a cosine; None: 0.05 distance / sqrt(n).
        how: quantities along both, as of `line`: `quantities`, `points`, `coarse`, ...

    The barrier is the most that f exceeds the straight line between its two ends, at the places that were looked at.
    Cost: `steps` gradients, and the quantities'. Raises ArgumentError for arguments that do not fit.
    Source: Garipov, Izmailov, Podoprikhin, Vetrov, Wilson, arXiv 1802.10026.

    >>> ring = lambda x: (x @ x - 1) ** 2  # least on the unit circle
    >>> land = Landscape.from_function(ring, torch.tensor([1.0, 0.0], dtype=torch.float64))
    >>> found = mode_path(land, torch.tensor([-1.0, 0.0], dtype=torch.float64), bends=2)
    >>> found.straight_barrier, found.barrier < 0.1
    (1.0, True)
    """
    started = time.perf_counter()
    _refuse(kind, bends, steps, learning_rate)
    look = Look(**({"seed": seed, "progress": progress} | how))
    start, end = landscape(land).theta, vector(land, other, "other")
    if bool((start == end).all()):
        raise ArgumentError("The two points are the same: there is no path between them.")
    store = look.store
    straight = _along(land, [start, end], _polygonal(2), look, f"{store}.straight" if store is not None else None)
    if kind == "linear":
        none = start.new_empty(land.n, 0)
        barrier = _barrier(straight)
        empty = torch.empty(0, dtype=torch.float64)
        return ModePath(kind, straight, straight, barrier, barrier, none, empty, straight.cost, straight.notes)
    weights = _bezier(bends + 2) if kind == "bezier" else _polygonal(bends + 2)
    left = math.inf if look.budget is None else look.budget - straight.cost.gradients
    training = Training(bends, steps, learning_rate, checked_seed(seed), left, progress)
    P, losses, note = _trained(land, [start, end], weights, training)
    left -= len(losses)
    look = look if math.isinf(left) else replace(look, budget=max(left, 1e-9))
    curve = _along(land, [start, *(p.to(land.dtype) for p in P), end], weights, look, store)
    if straight.statistics == "re-estimated":
        note.append("The path was trained with the model's own running statistics.")
    low, high = _barrier(curve), _barrier(straight)
    notes = [*curve.notes, *note]
    if not low <= high:
        notes.append("The trained path is no lower than the straight line: take more steps, or another learning rate.")
    cost = straight.cost + curve.cost + Cost(gradients=float(len(losses)))
    return ModePath(
        kind=kind,
        path=curve,
        straight=straight,
        barrier=low,
        straight_barrier=high,
        bends=torch.stack(P, 1).to(land.dtype),
        losses=losses,
        cost=replace(cost, seconds=time.perf_counter() - started),
        notes=tuple(notes),
    )


def _refuse(kind: Any, bends: Any, steps: Any, learning_rate: Any) -> None:
    if kind not in get_args(CurveKind):
        raise ArgumentError(f'kind must be "linear", "bezier" or "polygonal", got {kind!r}.')
    whole(bends, 1, "bends")
    whole(steps, 1, "steps")
    if learning_rate is not None:
        positive(learning_rate, "learning_rate")


def _trained(
    land: Landscape,
    ends: list[Tensor],
    weights: Weights,
    how: Training,
) -> tuple[list[Tensor], Float[Tensor, " steps"], list[str]]:
    """The bends after training, the loss at each step's place, and what a reader must know."""
    start, end = ends
    away = float((end - start).double().norm()) / math.sqrt(land.n)
    wide = torch.promote_types(start.dtype, torch.float32)  # Adam's epsilon is 0 in half precision
    P = [torch.lerp(start, end, (j + 1) / (how.bends + 1)).to(wide) for j in range(how.bends)]
    for j, p in enumerate(P):  # on a symmetric line the gradient has no part across it
        noise = gaussian(land.n, j, seed=how.seed, stream=STREAM, dtype=p.dtype, device=p.device)
        p.add_(noise, alpha=OFF * away)
    optimiser = torch.optim.Adam(P, lr=how.rate or RATE * away)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, how.steps)
    draw = torch.Generator().manual_seed(how.seed)
    losses: list[float] = []
    for step in range(how.steps):
        trained = f"the path was trained for {step} of {how.steps} steps"
        report = Progress(f"training a path, {how.steps} gradients", step / how.steps, None, Cost())
        if stopped(how.progress, report):
            return P, _double(losses), [f"Stopped: {trained}."]
        if step + 1 > how.budget:
            return P, _double(losses), [f"The budget ended: {trained}."]
        t = float(torch.rand((), generator=draw))
        w = weights(t)
        try:
            value, g = land.at(_mixed([start.to(wide), *P, end.to(wide)], w)).value_and_gradient()
        except NotFiniteError as error:
            return P, _double(losses), [f"The training ended after {step} of {how.steps} steps: {error}"]
        losses.append(value)
        for p, share in zip(P, w[1:-1], strict=True):
            p.grad = share * g.to(wide)
        optimiser.step()
        schedule.step()
    return [p.detach() for p in P], _double(losses), []  # the caller may add to the notes


def _along(land: Landscape, points: list[Tensor], weights: Weights, look: Look, store: Any) -> Slice:
    grids = [Grid(spaced(0.0, 1.0, count)) for count in (look.points, look.coarse)]
    length = _length(points, weights, grids[0].a)
    shape = Shape("path", ("t, from this point (0) to the other (1)",), (length,))
    at = lambda c: land.at(_mixed(points, weights(c[0])))
    return surveyed(land, at, grids, replace(look, store=store), shape, points)


def _length(points: list[Tensor], weights: Weights, places: Sequence[float]) -> float:
    """Euclidean, of the polygon through these places."""
    length, last = 0.0, _mixed(points, weights(places[0]))
    for t in places[1:]:
        here = _mixed(points, weights(t))
        length, last = length + float((here - last).double().norm()), here
    return length


def _barrier(along: Slice) -> float:
    """The most that the loss exceeds the straight line between its values at the ends; NaN without a loss."""
    sheet: Sheet | None = along.sheets.get("loss")
    if sheet is None or not bool(sheet.measured[[0, -1]].all()):
        return math.nan
    chord = torch.lerp(sheet.values[0], sheet.values[-1], sheet.a)
    off = (sheet.values - chord)[sheet.measured]
    return math.inf if bool(off.isnan().any()) else float(off.max())


def _mixed(points: list[Tensor], weights: list[float]) -> Tensor:
    """sum_j weights_j points_j; an end itself where all the weight is on it."""
    for point, weight in zip(points, weights, strict=True):
        if weight == 1:
            return point.detach().clone()
    moved = torch.zeros_like(points[0])
    for point, weight in zip(points, weights, strict=True):
        moved.add_(point.detach(), alpha=weight)
    return moved


def _bezier(count: int) -> Weights:
    m = count - 1
    return lambda t: [math.comb(m, j) * (1 - t) ** (m - j) * t**j for j in range(count)]


def _polygonal(count: int) -> Weights:
    return lambda t: [max(1 - abs(t * (count - 1) - j), 0.0) for j in range(count)]


def _double(values: list[float]) -> Float[Tensor, " m"]:
    return torch.tensor(values, dtype=torch.float64)

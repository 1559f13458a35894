"""Trace and squared Frobenius norm of a landscape's operator, or of any other."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch

from egregium.curvature import OperatorName, trace_by_parts
from egregium.estimators import ROUNDINGS, Goal, ProgressCallback, Room, Statistic, square_statistic, trace_statistic
from egregium.estimators.probes import checked_seed
from egregium.landscape import Landscape
from egregium.layerwise import RouteError
from egregium.measurement.data_error import Slope, batches_of
from egregium.measurement.dual import dual_moments
from egregium.measurement.memory import Memory
from egregium.measurement.moments import EXACT_BELOW, Method, trace_moments
from egregium.measurement.passes import trace_of_passes
from egregium.measurement.precision import in_full_precision
from egregium.measurement.preparation import prepared
from egregium.measurement.subject import notes_of, symmetric_operator, told
from egregium.operators import SymmetricOperator
from egregium.results import Cost, Estimate


@in_full_precision
def trace(
    what: Landscape | Any,
    *,
    method: Method = "auto",
    rtol: float = 0.01,
    atol: float = 0.0,
    confidence: float = 0.95,
    budget: float | None = None,
    max_seconds: float | None = None,
    seed: int = 0,
    operator: OperatorName = "hessian",
    memory: Memory = None,
    data_error: bool = False,
    progress: ProgressCallback | None = None,
) -> Estimate:
    """tr A, for A the Hessian (or Gauss-Newton matrix) of a landscape, or any square operator with `@`.

    Arguments, cost (of `data_error`: 67 gradients, and 133 for |A|_F^2) and errors as in `scalar_curvature`; for an
    operator of unknown price the budget counts products.

    >>> import torch
    >>> print(trace(torch.diag(torch.tensor([2.0, 3.0]))))
    5 (exact)
    """
    number = Number(trace_statistic, Slope(1.0, 0.0), Goal(rtol, atol, confidence, budget, max_seconds), seed, progress)
    return _estimated(what, number, method, operator, memory, data_error)


@in_full_precision
def squared_frobenius(
    what: Landscape | Any,
    *,
    method: Method = "auto",
    rtol: float = 0.01,
    atol: float = 0.0,
    confidence: float = 0.95,
    budget: float | None = None,
    max_seconds: float | None = None,
    seed: int = 0,
    operator: OperatorName = "hessian",
    memory: Memory = None,
    data_error: bool = False,
    progress: ProgressCallback | None = None,
) -> Estimate:
    """|A|_F^2 = tr A^2, the sum of the squared eigenvalues; otherwise as `trace`.

    >>> import torch
    >>> print(squared_frobenius(torch.diag(torch.tensor([2.0, 3.0]))))
    13 (exact)
    """
    number = Number(
        square_statistic, Slope(0.0, 1.0), Goal(rtol, atol, confidence, budget, max_seconds), seed, progress
    )
    return _estimated(what, number, method, operator, memory, data_error)


@dataclass(frozen=True, eq=False)
class Number:
    """The number that is asked for: as a statistic, and how it moves with trace and squared norm."""

    statistic: Statistic
    slope: Slope
    goal: Goal
    seed: int
    progress: ProgressCallback | None


def _estimated(
    what: Landscape | Any, number: Number, method: Method, operator: OperatorName, memory: Memory, data_error: bool
) -> Estimate:
    seed = checked_seed(number.seed)
    op = symmetric_operator(what, operator)
    room = prepared(op, memory, progress=number.progress)
    batches = batches_of(op) if data_error else None
    spent = room.cost
    if batches is not None:
        spent = spent + batches.price(room.block, square=number.slope.F != 0)
    e = None
    if number.statistic is trace_statistic and isinstance(what, Landscape) and method in ("auto", "stochastic"):
        e = _of_passes(what, op, number, operator, room, spent)
    if e is None:
        e = _of_products(what, op, number, method, operator, memory, room, spent)
    return e if batches is None else batches.told(e, number.slope, seed, room)


def _of_passes(
    land: Landscape, op: SymmetricOperator, number: Number, operator: OperatorName, room: Room, spent: Cost
) -> Estimate | None:
    """The trace without a product, where the network's structure allows it."""
    source = trace_by_parts(land.fixed(), operator, number.seed) if op.n >= EXACT_BELOW else None
    if source is None or source.bytes_of_pass() > room.spare:
        return None
    if source.sampled and not source.structure.whole:
        return None
    if source.first().effort > number.goal.left(spent):
        return None
    rounding = ROUNDINGS * torch.finfo(op.dtype).eps
    with suppress(RouteError):
        e = trace_of_passes(source, number.goal, spent=spent, rounding=rounding, progress=number.progress)
        return replace(e, notes=(*e.notes, *notes_of(land)))
    return None


def _of_products(
    what: Landscape | Any,
    op: SymmetricOperator,
    number: Number,
    method: Method,
    operator: OperatorName,
    memory: Memory,
    room: Room,
    spent: Cost,
) -> Estimate:
    goal, progress = number.goal, number.progress
    ended = ""
    if method == "dual" and isinstance(what, Landscape):
        moments, cost, words = dual_moments(what.fixed(), operator, goal, memory, spent, progress)
    else:
        options: dict[str, Any] = {"seed": number.seed, "spent": spent, "room": room, "progress": progress}
        moments, cost, words, ended = trace_moments(op, number.statistic, method, goal, **options)
    return told(what, moments, number.statistic, goal, spent + cost, words, ended)

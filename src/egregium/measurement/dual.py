"""method="dual": exact moments of the Gauss-Newton matrix from inner products of samples; what it refuses, and why."""

import time
from dataclasses import dataclass, replace

import torch

from egregium.curvature import OperatorName, ggn
from egregium.curvature.parts import BACKWARD, FORWARD
from egregium.errors import ArgumentError, BudgetError, OutOfMemoryError
from egregium.estimators import Goal, Progress, ProgressCallback, TraceMoments, stopped
from egregium.landscape import Landscape
from egregium.layerwise import Factor, Size, Structure, factor, jointly_affine, size_of_factor, structure
from egregium.layerwise.dual import ROWS
from egregium.layerwise.grams import SLICE
from egregium.layerwise.pieces import KEEPS_LESS
from egregium.measurement.memory import (
    COLUMN,
    FIXED,
    NEEDS,
    PLANNED,
    SHARE,
    Memory,
    free_bytes,
    size_in_bytes,
    spelled,
)
from egregium.results import Cost

#: Arrays as large as a block of M, and as the second derivatives of a batch's losses in its outputs, alive at once;
#: as gradients that are written out.
BLOCKS, LOSSES, SIDES = 6, 6, 3


@dataclass(frozen=True)
class Dual:
    """What a landscape allows: its structure, the rows of Z, the bytes they may take, and the weight decay.

    `matrices`: arrays as large as all of M that are held.
    """

    structure: Structure
    size: Size
    most: float
    decay: float
    cost: Cost
    matrices: int

    @property
    def words(self) -> str:
        return f"dual: inner products of {self.size.rows:,} gradients, {self.size.width} a sample"


def dual(
    land: Landscape,
    operator: OperatorName,
    memory: Memory,
    spent: Cost = Cost(),
    goal: Goal = Goal(),
    progress: ProgressCallback | None = None,
    matrices: int = 0,
) -> Dual:
    """Whether it can be done, found out before it is; `matrices`: arrays as large as all of M that are held.

    Raises ArgumentError where the network's structure, the weight decay or `operator` forbids it, OutOfMemoryError and
    BudgetError with what it would take.
    """
    found = structure(land)
    _refuse_unfit(land, found)
    decay = _decay(land)
    if operator == "hessian" and not jointly_affine(land):
        raise ArgumentError(
            'method="dual" knows the Gauss-Newton matrix alone, and the curvature of these outputs in the parameters, '
            'H - G, is not zero. Use operator="ggn", or method="stochastic" for the Hessian.'
        )
    size = size_of_factor(land, found)
    price = Cost(gradients=FORWARD + 1 + size.width * BACKWARD)
    if goal.budget is not None and price.effort > goal.left(spent):
        raise BudgetError(
            f'method="dual" needs about {price.effort:,.0f} gradients, the budget leaves '
            f'{max(goal.left(spent), 0):,.0f}. Raise budget=, or use method="stochastic".'
        )
    allowed = (free_bytes(land.device) * SHARE if memory is None else size_in_bytes(memory)) * PLANNED
    beside = _beside(land, found, size, matrices)
    if size.kept + beside > allowed:
        held = f" and {spelled(matrices * 8 * size.rows**2)} for the matrix of all pairs" if matrices else ""
        raise OutOfMemoryError(
            f'method="dual" needs about {spelled((size.kept + beside) / PLANNED)}: {spelled(size.kept)} for the inputs '
            f"and output gradients of the layers ({size.rows:,} rows, {size.width} for each of {size.samples:,} "
            f"samples){held}; memory allows {spelled(allowed / PLANNED)}. {KEEPS_LESS}"
        )
    if stopped(progress, Progress(f"{NEEDS} {spelled((size.kept + beside) / PLANNED)} of memory", 0.0, None, spent)):
        raise BudgetError("Stopped by the caller before there was an estimate.")
    return Dual(found, size, allowed - beside, decay, price, matrices)


def dual_moments(
    land: Landscape,
    operator: OperatorName,
    goal: Goal,
    memory: Memory,
    spent: Cost,
    progress: ProgressCallback | None = None,
) -> tuple[TraceMoments, Cost, str]:
    """(tr G, |G|_F^2), exact, with what it cost and how it was done: O(rows^2) inner products, in blocks."""
    started = time.perf_counter()
    plan = dual(land, operator, memory, spent, goal, progress)

    def goes_on(fraction: float) -> bool:
        report = Progress("inner products of samples", fraction, None, spent + plan.cost)
        return not stopped(progress, report) and not goal.late()

    moments = rows_of(land, plan).moments(goes_on)
    if moments is None:
        raise BudgetError(
            'method="dual" was ended before its last block, and a part of the inner products is no estimate. Allow '
            'more time, or use method="stochastic", which can end at any moment.'
        )
    trace, square = moments
    square += 2 * plan.decay * trace + land.n * plan.decay**2
    t, F = (torch.tensor([x], dtype=torch.float64) for x in (trace + land.n * plan.decay, square))
    cost = replace(plan.cost, seconds=time.perf_counter() - started)
    return TraceMoments(t, F, exact=True, rounding=torch.finfo(land.dtype).eps), cost, plan.words


def rows_of(land: Landscape, plan: Dual) -> Factor:
    """Z, as planned. Raises OutOfMemoryError where there is more of it than the first samples let expect."""
    Z = factor(land, plan.structure, plan.most)
    rows = sum(int(piece.signs.count_nonzero()) for piece in Z.pieces)
    more = 8 * plan.matrices * max(rows**2 - plan.size.rows**2, 0)
    if more > plan.most - plan.size.kept:
        raise OutOfMemoryError(
            f'method="dual" met {rows:,} rows, where {plan.size.rows:,} were expected from the first samples, and '
            f"memory does not allow {spelled(more)} more for the matrix of all pairs. {KEEPS_LESS}"
        )
    return Z


def _beside(land: Landscape, found: Structure, size: Size, matrices: int) -> float:
    """Bytes beside the rows, at the most: of a batch's graph and losses, or of the blocks of M and all of it."""
    vector = land.n * torch.empty(0, dtype=land.dtype).element_size()
    passing = ggn(land).graph_bytes() + (FIXED + COLUMN) * vector + LOSSES * 8 * size.largest * found.width**2
    rows = min(max(ROWS, size.width), size.rows)
    widest = max(shape.numel() // max(shape[0], 1) if shape else 1 for shape in land.shapes.values())
    written = 8 * rows * max(min(SLICE // max(8 * rows, 1), land.n), widest)
    in_double = 4 * rows * size.kept / max(size.rows, 1)
    pairing = BLOCKS * 8 * rows**2 + SIDES * written + in_double + matrices * 8 * size.rows**2
    return max(passing, pairing)


def _refuse_unfit(land: Landscape, found: Structure) -> None:
    if found.whole:
        return
    if not found.width:
        raise ArgumentError(
            'method="dual" cannot be used here: it cannot tell the outputs from the loss, or one sample from another. '
            "It needs Landscape(model, loss, data) with one output tensor, a row for each sample, and a loss that is a "
            'sum over samples; else take R, trace or norm by method="stochastic".'
        )
    missing = [name for j, name in enumerate(land.shapes) if j not in found.covered]
    some = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    raise ArgumentError(
        f'method="dual" cannot be used here: the gradients of single samples in {some} are not those of a layer that '
        "it knows (dense, convolution, embedding, norm, PReLU; each used once). Measure without those parameters "
        '(params=), or take R, trace or norm by method="stochastic".'
    )


def _decay(land: Landscape) -> float:
    """What weight decay adds to each eigenvalue. Raises ArgumentError where it is not one number for all parameters."""
    into = torch.zeros(1, land.n, dtype=torch.float64, device=land.device)
    land.add_decay(into, torch.ones_like(into))
    low, high = (float(x) for x in torch.aminmax(into))
    if low != high:
        raise ArgumentError(
            f'method="dual" can add a weight decay that is one number for all parameters; here it goes from {low:g} to '
            f'{high:g} (times scale). Use one number, and no normalised coordinates, or method="stochastic".'
        )
    return low

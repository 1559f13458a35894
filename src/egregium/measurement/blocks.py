"""The curvature of every block of parameters in one sweep, and what of the Hessian lies outside the blocks."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from egregium.curvature import (
    BlockFrames,
    DiagonalBlocks,
    OperatorName,
    TangentFrame,
    second_derivative,
    tangent_frame,
)
from egregium.curvature.hessian import SecondDerivative
from egregium.estimators import (
    Goal,
    ProgressCallback,
    Room,
    Statistic,
    gauss_statistic,
    square_statistic,
    trace_statistic,
)
from egregium.estimators.blocks import BlockRun, block_moments, seed_of
from egregium.estimators.probes import checked_seed
from egregium.landscape import Landscape
from egregium.landscape.partition import By, partition
from egregium.measurement.memory import Memory
from egregium.measurement.moments import judged, trace_moments
from egregium.measurement.precision import in_full_precision
from egregium.measurement.preparation import prepared
from egregium.measurement.turn import Turn, turn_of
from egregium.operators import Congruence
from egregium.operators.inner import norm
from egregium.results import Block, BlockTable, Cost, Estimate, environment


@in_full_precision
def blocks(
    land: Landscape,
    *,
    by: By = "layer",
    rtol: float = 0.05,
    atol: float = 0.0,
    confidence: float = 0.95,
    budget: float | None = None,
    max_seconds: float | None = None,
    seed: int = 0,
    operator: OperatorName = "hessian",
    memory: Memory = None,
    progress: ProgressCallback | None = None,
) -> BlockTable:
    """R, trace and squared Frobenius norm of each diagonal block H_bb of the Hessian, and the share outside them.

    R of a block is the scalar curvature of the graph of f as a function of the block's parameters alone:

        R_b = beta [t^2 - F] + 2 beta^2 [g_b^T H_bb^2 g_b - t g_b^T H_bb g_b],   beta = 1 / (1 + |g_b|^2),

    t = tr H_bb, F = |H_bb|_F^2. The R of the blocks do not add up to R: cross terms of traces and all that is outside
    the blocks are in R alone. `off_blocks` is `1 - sum_b |H_bb|_F^2 / |H|_F^2`.

    Args:
        land: the landscape; its weight decay is part of every block.
        by: "tensor", "layer" (a module and the parameters it owns), or {name: pattern of parameter names or several}.
            Blocks may leave parameters out, and may not share one. A tied parameter goes by any of its names to a
            pattern, by its first to a layer.
        rtol, atol: a block ends when the interval of its R is within +/- max(atol, rtol |R_b|). Others go on.
        budget: in gradients of the full data for the whole table (default 10,000).
        confidence, max_seconds, seed, operator, memory, progress: as in `scalar_curvature`.

    Every pass over the data serves all blocks: a batch's gradient graph is made once, and block b takes derivatives of
    its own part of the gradient by its own parameters. Blocks of 64 numbers or fewer are exact. Cost: |H|_F^2 of the
    whole to `rtol`, and about 48 products a block at least, each counted 2 gradients though it is cheaper; memory: as
    `scalar_curvature`, for the blocks together. Raises ArgumentError, BudgetError and what `scalar_curvature` raises.

    >>> import torch
    >>> f = lambda x: x[0] ** 2 + x[1] ** 2 - 3 * x[0] * x[2]  # tr = 4, |H|_F^2 = 4 + 4 + 2 * 9
    >>> table = blocks(Landscape.from_function(f, torch.zeros(3, dtype=torch.float64)), by="tensor")
    >>> table.blocks["theta"].scalar_curvature.value, table.off_blocks.value
    (-10.0, 0.0)
    """
    goal = Goal(rtol, atol, confidence, budget, max_seconds)
    members, seed = partition(land, by), checked_seed(seed)
    here = land.fixed()
    second = second_derivative(here, operator)
    room = prepared(second, memory, progress=progress)
    op = DiagonalBlocks(second, list(members.values()))
    whole = tangent_frame(here)
    gradient = op.gathered(whole.gradient)
    frames = [TangentFrame(whole.loss, gradient[at], norm(gradient[at])) for at in op.places]
    image = op @ gradient
    spent = room.cost + Cost(gradients=1) + op.cost(1)
    turns = [turn_of(frame, image[at]) for frame, at in zip(frames, op.places, strict=True)]
    square = None
    if len(members) > 1 or op.n < second.n:
        square = _whole_square(second, goal, seed_of(seed, len(members)), spent, room, progress)
        spent = spent + square.cost
    shape = Congruence(op, BlockFrames(op.places, frames))
    options: dict[str, Any] = {"seed": seed, "spent": spent, "room": room, "progress": progress}
    runs, cost = block_moments(shape, op.places, gauss_statistic, goal, op.price, **options)
    names = list(here.shapes)
    found = {
        name: _block(run, frame, turn, goal, tuple(names[i] for i in places), operator)
        for (name, places), run, frame, turn in zip(members.items(), runs, frames, turns, strict=True)
    }
    squares = [block.squared_frobenius for block in found.values()]
    square = squares[0] if square is None else square
    return BlockTable(
        n=here.n,
        loss=whole.loss,
        blocks=found,
        squared_frobenius=square,
        off_blocks=share_outside(squares, square),
        operator=operator,
        cost=replace(spent + cost, seconds=time.perf_counter() - goal.started),
        environment=environment(land.device, land.dtype, seed),
        setting=land.setting,
    )


def _whole_square(
    second: SecondDerivative, goal: Goal, seed: int, spent: Cost, room: Room, progress: ProgressCallback | None
) -> Estimate:
    """|H|_F^2 of the whole matrix, to the tolerance of the blocks and for half of what is left at the most."""
    now = time.perf_counter() - goal.started
    seconds = None if goal.max_seconds is None else now + max(goal.max_seconds - now, 0.0) / 2
    budget = spent.effort + goal.left(spent) / 2
    own = replace(goal, atol=0.0, budget=budget, max_seconds=seconds)
    options: dict[str, Any] = {"seed": seed, "spent": spent, "room": room, "progress": progress}
    moments, cost, words, ended = trace_moments(second, square_statistic, "auto", own, **options)
    estimate = moments.estimate(square_statistic, method=words, confidence=goal.confidence, cost=cost)
    return judged(moments, estimate, own, ended)


def _block(
    run: BlockRun, frame: TangentFrame, turn: Turn, goal: Goal, parameters: tuple[str, ...], operator: OperatorName
) -> Block:
    moments = run.moments
    words = "exact: all columns" if moments.exact else "deflating sketch and fresh probes of the block; samples a probe"
    kind: dict[str, Any] = {"hvps" if operator == "hessian" else "ggn_products": run.products}
    cost = Cost(gradients=2.0 * run.products, **kind)

    def estimate(statistic: Statistic, asked: bool = False) -> Estimate:
        value = moments.estimate(statistic, method=words, confidence=goal.confidence, cost=cost)
        return judged(moments, value, goal, run.ended, asked=asked)

    return Block(
        parameters=parameters,
        n=run.n,
        gradient_norm=frame.gradient_norm,
        scalar_curvature=estimate(gauss_statistic, asked=True),
        critical=estimate(turn.of_hessian(gauss_statistic)),
        trace=estimate(turn.of_hessian(trace_statistic)),
        squared_frobenius=estimate(turn.of_hessian(square_statistic)),
    )


def share_outside(squares: Sequence[Estimate], whole: Estimate) -> Estimate:
    """1 - sum of `squares` / `whole`, of independent estimates; exactly 0 where they are one and the same.

    The error is that of the quotient to first order, with Satterthwaite's degrees of freedom. 0 for a zero matrix.

    >>> share_outside([Estimate(3.0, 0.0), Estimate(1.0, 0.0)], Estimate(5.0, 0.0)).value
    0.19999999999999996
    """
    about: dict[str, Any] = {"confidence": whole.confidence, "method": "1 - sum of |H_bb|_F^2 / |H|_F^2"}
    if whole.value <= 0 or (len(squares) == 1 and squares[0] is whole):
        return Estimate(0.0, 0.0, **about)
    inside = sum(square.value for square in squares)
    parts = [(square.stderr / whole.value, square.degrees) for square in squares]
    parts.append((inside * whole.stderr / whole.value**2, whole.degrees))
    variance = sum(s**2 for s, _ in parts)
    shares = sum(s**4 / degrees for s, degrees in parts if s)
    rounding = sum(square.rounding for square in squares) / whole.value + inside * whole.rounding / whole.value**2
    return Estimate(
        1 - inside / whole.value,
        math.sqrt(variance),
        variance**2 / shares if shares else math.inf,
        rounding=rounding,
        converged=whole.converged and all(square.converged for square in squares),
        **about,
    )

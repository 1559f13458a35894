"""The choice of method behind every sampled number: exact where that is cheap, else sampling."""

import time
from dataclasses import replace
from typing import Literal

from egregium.errors import ArgumentError, BudgetError
from egregium.estimators import (
    Goal,
    Progress,
    ProgressCallback,
    Room,
    Statistic,
    TraceMoments,
    TraceSource,
    exact_moments,
    price_of,
    sampled_moments,
    stopped,
)
from egregium.estimators.driver import EXACTLY
from egregium.estimators.plan import FEWEST_TO_STOP, PILOT_PROBES
from egregium.estimators.probes import checked_seed
from egregium.measurement.memory import MOST
from egregium.operators import SymmetricOperator
from egregium.results import Cost, Estimate

Method = Literal["auto", "exact", "stochastic", "dual"]

#: Parameters above which method="exact" refuses: as many products, and hours rather than minutes.
EXACT_LIMIT = 20_000
#: Parameters below which the exact way costs less than the sampling estimator's pilot.
EXACT_BELOW = 64
#: Why a sampled estimate ended before its goal, for its notes.
ENDED = {
    "budget": "The budget ended before the interval was as narrow as asked.",
    "time": "The time ended before the interval was as narrow as asked.",
    "stopped": "Stopped by the caller before the interval was as narrow as asked.",
    "rounding": "Rounding in this dtype allows no narrower interval. Use float64, or atol= where R is near 0.",
}


def trace_moments(
    op: SymmetricOperator,
    statistic: Statistic,
    method: Method,
    goal: Goal,
    *,
    seed: int = 0,
    spent: Cost = Cost(),
    room: Room = Room(),
    source: TraceSource | None = None,
    progress: ProgressCallback | None = None,
) -> tuple[TraceMoments, Cost, str, str]:
    """(tr A, |A|_F^2) of `op` for `statistic`: (moments, cost, method in words, why it ended early or "").

    By products with `op`; method="dual" needs a landscape, and is `dual.dual_moments`.

    "exact" takes all n columns; "stochastic" samples; "auto" is exact for n < 64 or where it turns out cheaper.
    Raises ArgumentError for another method, or "exact" with n > 20,000; BudgetError for too small a budget.
    """
    if method == "dual":
        raise ArgumentError(
            'method="dual" is for the Gauss-Newton matrix of a Landscape, got an operator. Use "exact" or "stochastic".'
        )
    if method not in ("auto", "exact", "stochastic"):
        raise ArgumentError(f'method= must be "auto", "exact", "stochastic" or "dual", got {method!r}.')
    seed = checked_seed(seed)
    everything, left = price_of(op, op.n, room.block), goal.left(spent)
    if method == "exact" or (method == "auto" and op.n < EXACT_BELOW and everything <= left):
        if op.n > EXACT_LIMIT:
            raise ArgumentError(
                f'method="exact" takes one product for each of n = {op.n:,} parameters, about {everything:,.0f} '
                f'gradients; it refuses above {EXACT_LIMIT:,}. Use method="stochastic" (or "auto").'
            )
        if goal.budget is not None and everything > left:
            raise BudgetError(
                f'method="exact" needs about {everything:,.0f} gradients, the budget leaves {max(left, 0):,.0f}. Raise '
                'budget=, or use method="stochastic".'
            )
        return *_exact(op, goal, spent, room, progress), "exact: all columns", ""
    moments, cost, ended = sampled_moments(
        op,
        statistic,
        goal,
        seed=seed,
        spent=spent,
        room=room,
        may_turn_exact=method == "auto" and op.n <= EXACT_LIMIT,
        source=source,
        progress=progress,
    )
    if moments.exact:
        return moments, cost, "exact: all columns, cheaper than sampling to this tolerance", ended
    held = f" of at most {room.vectors} vectors" if room.vectors < MOST else ""
    words = f"deflating sketch{held} and {moments.traces.numel()} fresh probes; samples (tr, |.|_F^2) a probe"
    if source is not None:
        words += (
            f"; {source.words}"
            if moments.known is not None
            else "; the trace from the same probes, which is cheaper here"
        )
    return moments, cost, words, ended


def _exact(
    op: SymmetricOperator, goal: Goal, spent: Cost, room: Room, progress: ProgressCallback | None
) -> tuple[TraceMoments, Cost]:
    """All columns; BudgetError where time or caller end it first, since a part of the columns is no estimate."""
    started = time.perf_counter()

    def goes_on(fraction: float, cost: Cost) -> bool:
        return not stopped(progress, Progress(EXACTLY, fraction, None, spent + cost)) and not goal.late()

    moments, cost = exact_moments(op, room.block, goes_on)
    if moments is None:
        raise BudgetError(
            f"The exact way, all {op.n:,} columns, was ended before its last one, and a part of them is no estimate. "
            'Allow more time, or use method="stochastic", which can end at any moment.'
        )
    return moments, replace(cost, seconds=time.perf_counter() - started)


def judged(moments: TraceMoments, estimate: Estimate, goal: Goal, ended: str, asked: bool = True) -> Estimate:
    """The estimate with its verdict: whether it met the goal, and notes where it should be read with care.

    `asked`: whether the goal was set for this number; an exact one beside it is as good as it can be.
    """
    reached = (goal.reached(estimate) or (moments.exact and not asked)) and not ended
    if moments.exact and not reached:
        ended = "rounding"
    notes: tuple[str, ...] = (ENDED[ended],) if ended and asked else ()
    fewest = FEWEST_TO_STOP if reached or moments.known is not None else PILOT_PROBES
    if asked and not moments.exact and moments.traces.numel() < fewest:
        notes += (f"Only {moments.traces.numel()} probes: the interval is rough and may be too narrow.",)
    return replace(estimate, converged=reached, notes=notes)

"""A trace from its own passes alone, without a product."""

import math
import time
from dataclasses import replace

import torch

from egregium.estimators import Goal, Progress, ProgressCallback, TraceSource, stopped
from egregium.estimators.plan import MARGIN, SPREAD, WIDEST
from egregium.estimators.traces import PartedTrace, begun_trace, further
from egregium.measurement.moments import ENDED
from egregium.results import Cost, Estimate
from egregium.stats import student_half_width


def trace_of_passes(
    source: TraceSource, goal: Goal, *, spent: Cost, rounding: float, progress: ProgressCallback | None
) -> Estimate:
    """The trace to the goal, by as many passes as it takes; its samples are the passes' own values.

    `rounding`: of the dtype, relative. With budget, time or caller it ends early, with the interval that is known.
    """
    trace, ended = begun_trace(source), ""
    while not _reached(trace, goal):
        ended = _ended(trace, goal, spent, progress)
        if ended:
            break
        trace = further(trace, _more(trace, goal))
    known = trace.known
    values = torch.tensor([trace.constant + float(units.sum()) for units in trace.passes], dtype=torch.float64)
    return Estimate(
        known.value,
        known.stderr,
        known.degrees,
        values,
        cost=replace(spent + trace.cost, seconds=time.perf_counter() - goal.started),
        method=f"{source.words}; {len(trace.passes)} passes" if source.sampled else source.words,
        converged=not ended,
        confidence=goal.confidence,
        notes=(ENDED[ended],) if ended else (),
        rounding=rounding * abs(known.value),
    )


def _half_width(trace: PartedTrace, goal: Goal) -> float:
    return student_half_width(trace.known.stderr, goal.confidence, trace.known.degrees)


def _reached(trace: PartedTrace, goal: Goal) -> bool:
    return not trace.source.sampled or _half_width(trace, goal) <= goal.target(trace.known.value)


def _more(trace: PartedTrace, goal: Goal) -> int:
    """Passes until the goal, as far as the present error tells; at most three times as many as there are."""
    k, target = len(trace.passes), goal.target(trace.known.value)
    error = max(_half_width(trace, goal), SPREAD * trace.known.stderr)
    needed = k * (error / target) ** 2 * MARGIN if target > 0 else math.inf
    return int(min(max(math.ceil(min(needed, 1e9)) - k, 1), WIDEST * k))


def _ended(trace: PartedTrace, goal: Goal, spent: Cost, progress: ProgressCallback | None) -> str:
    cost = spent + trace.cost
    if goal.late():
        return "time"
    if trace.source.price().effort * _more(trace, goal) > goal.left(cost):
        return "budget"
    return "stopped" if stopped(progress, Progress("trace by parts", 0.5, None, cost)) else ""

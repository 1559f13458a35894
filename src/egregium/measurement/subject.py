"""What is measured: a landscape's operator or a bare one; and the estimate of a number of it, with its verdict."""

import time
from dataclasses import replace
from typing import Any

from egregium.curvature import OperatorName, second_derivative
from egregium.estimators import Goal, Statistic, TraceMoments
from egregium.landscape import Landscape
from egregium.measurement.moments import judged
from egregium.operators import SymmetricOperator, square_operator
from egregium.results import Cost, Estimate


def symmetric_operator(what: Landscape | Any, operator: OperatorName = "hessian") -> SymmetricOperator:
    """The operator that is measured: a landscape's `operator`, or `what` itself."""
    return second_derivative(what, operator) if isinstance(what, Landscape) else square_operator(what)


def notes_of(what: Landscape | Any) -> tuple[str, ...]:
    """How a landscape's model was taken, as sentences."""
    rows = what.setting if isinstance(what, Landscape) else ()
    return tuple(f"{row.name}: {row.value} ({row.meaning})." for row in rows)


def told(
    what: Landscape | Any, moments: TraceMoments, statistic: Statistic, goal: Goal, cost: Cost, words: str, ended: str
) -> Estimate:
    """The estimate of `statistic` with its verdict, its cost and all notes."""
    cost = replace(cost, seconds=time.perf_counter() - goal.started)
    estimate = moments.estimate(statistic, method=words, confidence=goal.confidence, cost=cost)
    estimate = judged(moments, estimate, goal, ended)
    return replace(estimate, notes=(*estimate.notes, *notes_of(what)))

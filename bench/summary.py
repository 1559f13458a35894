"""What many runs say about an estimator: share within tolerance, coverage, width, bias."""

import math
import statistics
from collections.abc import Sequence

from bench.tables import Row
from bench.trials import Trial

NORMAL = 1.959964


def covered(trials: Sequence[Trial], truth: float) -> float:
    """Share of intervals that hold the truth, in percent."""
    return _percent(trial.low <= truth <= trial.high for trial in trials)


def covered_by_jackknife(trials: Sequence[Trial], truth: float) -> float:
    """The same, by the jackknife alone."""
    return _percent(abs(trial.value - truth) <= trial.first_order for trial in trials)


def within(trials: Sequence[Trial], truth: float, rtol: float) -> float:
    """Share of runs within `rtol` of the truth, in percent."""
    return _percent(abs(trial.value - truth) <= rtol * abs(truth) for trial in trials)


def width(trials: Sequence[Trial]) -> float:
    """Mean width of the intervals in that of normal ones with the true deviation, 2 x 1.96 deviations."""
    deviation = statistics.stdev(trial.value for trial in trials)
    return statistics.fmean(trial.half_width for trial in trials) / (NORMAL * deviation)


def bias(values: Sequence[float], truth: float) -> tuple[float, float]:
    """Mean error in percent of the truth, and in its own standard errors."""
    error = statistics.fmean(values) - truth
    stderr = statistics.stdev(values) / math.sqrt(len(values))
    return 100 * error / abs(truth), error / stderr


def rmse(values: Sequence[float], truth: float) -> float:
    """Root of the mean squared error, in percent of the truth."""
    return 100 * math.sqrt(statistics.fmean((value - truth) ** 2 for value in values)) / abs(truth)


def effort(trials: Sequence[Trial]) -> Row:
    """Median products and counted gradients, and in percent how many runs ended before their goal."""
    return {
        "products": statistics.median(trial.products for trial in trials),
        "gradients": statistics.median(trial.gradients for trial in trials),
        "ended": _percent(bool(trial.ended) for trial in trials),
    }


def _percent(answers: object) -> float:
    return 100 * statistics.fmean(answers)  # type: ignore[call-overload]

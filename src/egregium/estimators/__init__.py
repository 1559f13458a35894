"""Algorithms over any symmetric operator; they never see a model."""

from egregium.estimators.driver import PRODUCT_BLOCK, sampled_moments
from egregium.estimators.goal import Goal, Progress, ProgressCallback, stopped
from egregium.estimators.moments import (
    Statistic,
    TraceMoments,
    exact_moments,
    exact_price,
    gauss_statistic,
    square_statistic,
    trace_statistic,
)

__all__ = [
    "PRODUCT_BLOCK",
    "Goal",
    "Progress",
    "ProgressCallback",
    "Statistic",
    "TraceMoments",
    "exact_moments",
    "exact_price",
    "gauss_statistic",
    "sampled_moments",
    "square_statistic",
    "stopped",
    "trace_statistic",
]

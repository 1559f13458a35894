"""Algorithms over any symmetric operator; they never see a model."""

from egregium.estimators.goal import PRODUCT_BLOCK, Goal, Progress, ProgressCallback, Room, stopped
from egregium.estimators.moments import (
    ROUNDINGS,
    TraceMoments,
    exact_moments,
    gauss_statistic,
    price_of,
    square_statistic,
    trace_statistic,
)
from egregium.estimators.sampling import sampled_moments
from egregium.estimators.traces import TraceSource
from egregium.stats import Statistic

__all__ = [
    "PRODUCT_BLOCK",
    "ROUNDINGS",
    "Goal",
    "Progress",
    "ProgressCallback",
    "Room",
    "Statistic",
    "TraceMoments",
    "TraceSource",
    "exact_moments",
    "gauss_statistic",
    "price_of",
    "sampled_moments",
    "square_statistic",
    "stopped",
    "trace_statistic",
]

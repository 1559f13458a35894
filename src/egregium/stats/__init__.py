"""Moments, U-statistics and the jackknife."""

from egregium.stats.jackknife import (
    jackknife_stderr,
    leave_one_out_mean,
    student_half_width,
    unequal_jackknife_variance,
)
from egregium.stats.moments import Statistic, moment_estimate
from egregium.stats.ustatistics import leave_one_out_pair_mean, pair_mean

__all__ = [
    "Statistic",
    "jackknife_stderr",
    "leave_one_out_mean",
    "leave_one_out_pair_mean",
    "moment_estimate",
    "pair_mean",
    "student_half_width",
    "unequal_jackknife_variance",
]

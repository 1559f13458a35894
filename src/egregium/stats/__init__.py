"""Moments, U-statistics, jackknife and bootstrap."""

from egregium.stats.bootstrap import bootstrap_band
from egregium.stats.difference import Sides, difference_sides
from egregium.stats.jackknife import (
    jackknife_stderr,
    leave_one_out_mean,
    student_half_width,
    student_quantile,
    unequal_jackknife_variance,
)
from egregium.stats.known import KnownMean, known_mean_estimate, mean_of_passes
from egregium.stats.moments import Bend, Statistic, moment_estimate
from egregium.stats.ustatistics import leave_one_out_pair_mean, pair_mean

__all__ = [
    "Bend",
    "KnownMean",
    "Sides",
    "Statistic",
    "bootstrap_band",
    "difference_sides",
    "jackknife_stderr",
    "known_mean_estimate",
    "leave_one_out_mean",
    "leave_one_out_pair_mean",
    "mean_of_passes",
    "moment_estimate",
    "pair_mean",
    "student_half_width",
    "student_quantile",
    "unequal_jackknife_variance",
]

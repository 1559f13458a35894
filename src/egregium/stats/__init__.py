"""Moments, U-statistics, jackknife and bootstrap."""

from egregium.stats.bootstrap import bootstrap_band
from egregium.stats.jackknife import jackknife_stderr, leave_one_out_mean, student_half_width
from egregium.stats.moments import Statistic, moment_estimate
from egregium.stats.ustatistics import leave_one_out_pair_mean, pair_mean

__all__ = [
    "Statistic",
    "bootstrap_band",
    "jackknife_stderr",
    "leave_one_out_mean",
    "leave_one_out_pair_mean",
    "moment_estimate",
    "pair_mean",
    "student_half_width",
]

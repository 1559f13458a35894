"""Moments, U-statistics, jackknife and bootstrap; rank correlations of measures over the networks of a design."""

from egregium.stats.bootstrap import bootstrap_band
from egregium.stats.cells import (
    Resampling,
    kendall_difference,
    kendall_interval,
    partial_kendall_interval,
    partial_spearman_interval,
)
from egregium.stats.difference import Sides, difference_sides
from egregium.stats.granulated import Granulated, granulated, granulated_difference
from egregium.stats.information import LeastInformation, conditional_information, least_information
from egregium.stats.jackknife import (
    jackknife_stderr,
    leave_one_out_mean,
    mean_half_width,
    student_half_width,
    student_quantile,
    unequal_jackknife_variance,
)
from egregium.stats.known import KnownMean, known_mean_estimate, mean_of_passes
from egregium.stats.moments import Bend, Statistic, moment_estimate
from egregium.stats.ranking import Interval, kendall, partial_kendall, partial_spearman
from egregium.stats.ustatistics import leave_one_out_pair_mean, pair_mean

__all__ = [
    "Bend",
    "Granulated",
    "Interval",
    "KnownMean",
    "LeastInformation",
    "Resampling",
    "Sides",
    "Statistic",
    "bootstrap_band",
    "conditional_information",
    "difference_sides",
    "granulated",
    "granulated_difference",
    "jackknife_stderr",
    "kendall",
    "kendall_difference",
    "kendall_interval",
    "known_mean_estimate",
    "least_information",
    "leave_one_out_mean",
    "leave_one_out_pair_mean",
    "mean_half_width",
    "mean_of_passes",
    "moment_estimate",
    "pair_mean",
    "partial_kendall",
    "partial_kendall_interval",
    "partial_spearman",
    "partial_spearman_interval",
    "student_half_width",
    "student_quantile",
    "unequal_jackknife_variance",
]

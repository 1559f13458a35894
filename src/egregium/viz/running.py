"""The estimate of R = E[t]^2 - E[F] as its probes come in, from samples (t, F) = (tr S~, |S~|_F^2)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.stats import (
    leave_one_out_mean,
    leave_one_out_pair_mean,
    moment_estimate,
    pair_mean,
    student_half_width,
)

#: Fewest probes with an error bar, and the most positions at which the running estimate is drawn.
FEWEST, MOST_POSITIONS = 3, 200


@dataclass(frozen=True, eq=False)
class Running:
    """The estimate after `probes[i]` probes, and half the width of its interval."""

    probes: list[int]
    values: list[float]
    half_widths: list[float]


def running_curvature(samples: Float[Tensor, "k 2"], confidence: float) -> Running:
    """R and its interval from the first 3, ..., k probes, as `Estimate` would have had them then.

    The pair mean minus the mean, with the error of `stats.moment_estimate`.
    """
    k = samples.shape[0]
    positions = sorted({round(x) for x in torch.linspace(FEWEST, k, min(k - FEWEST + 1, MOST_POSITIONS)).tolist()})
    at = [_curvature(samples[:i, 0], samples[:i, 1]) for i in positions]
    halves = [student_half_width(stderr, confidence, i - 1) for i, (_, stderr) in zip(positions, at, strict=True)]
    return Running(positions, [value for value, _ in at], halves)


def contributions(samples: Float[Tensor, "k 2"]) -> Float[Tensor, " k"]:
    """What each probe contributes to R: the jackknife's pseudo-values `k R - (k - 1) R_(i)`, whose mean is R."""
    t, F = samples[:, 0], samples[:, 1]
    k = t.numel()
    return k * (pair_mean(t) - F.mean()) - (k - 1) * _left_out(t, F)


def _curvature(t: Tensor, F: Tensor) -> tuple[float, float]:
    value, stderr = moment_estimate(lambda t, t2, F: t2 - F, t, F)
    return float(value), stderr


def _left_out(t: Tensor, F: Tensor) -> Tensor:
    return leave_one_out_pair_mean(t) - leave_one_out_mean(F)

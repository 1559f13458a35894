"""The estimate of R = E[t]^2 - E[F] as its probes come in, from samples (t, F) = (tr S~, |S~|_F^2)."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.results import Estimate
from egregium.stats import (
    KnownMean,
    jackknife_stderr,
    known_mean_estimate,
    leave_one_out_mean,
    leave_one_out_pair_mean,
    moment_estimate,
    pair_mean,
)
from egregium.stats.known import LOST

#: Fewest probes with an error bar, and the most positions at which the running estimate is drawn.
FEWEST, MOST_POSITIONS = 3, 200
#: Share of the error below which what is left for the trace is rounding.
SMALLEST = 1e-6


@dataclass(frozen=True, eq=False)
class Running:
    """The estimate after `probes[i]` probes, and its interval from `lows[i]` to `highs[i]`."""

    probes: list[int]
    values: list[float]
    lows: list[float]
    highs: list[float]


def running_curvature(estimate: Estimate) -> Running:
    """R and its interval from the first 3, ..., k probes of its samples, (k, 2), as it would have had them then.

    The error is that of `stats.moment_estimate`, or of `stats.known_mean_estimate` where the trace came from elsewhere,
    with the error that it had in the end.
    """
    samples, k = estimate.samples.double(), estimate.samples.shape[0]
    positions = sorted({round(x) for x in torch.linspace(FEWEST, k, min(k - FEWEST + 1, MOST_POSITIONS)).tolist()})
    known = _known_trace(estimate) if estimate.tail else None
    about: dict[str, Any] = {"rounding": estimate.rounding, "confidence": estimate.confidence}
    at = [_curvature(samples[:i, 0], samples[:i, 1], known, about) for i in positions]
    sides = [e.interval() for e in at]
    return Running(positions, [e.value for e in at], [low for low, _ in sides], [high for _, high in sides])


def contributions(samples: Float[Tensor, "k 2"]) -> Float[Tensor, " k"]:
    """What each probe contributes to R: the jackknife's pseudo-values `k R - (k - 1) R_(i)`, whose mean is R."""
    t, F = samples[:, 0], samples[:, 1]
    k = t.numel()
    return k * (pair_mean(t) - F.mean()) - (k - 1) * _left_out(t, F)


def _curvature(t: Tensor, F: Tensor, known: tuple[KnownMean, float] | None, about: dict[str, Any]) -> Estimate:
    if known is None:
        value, stderr, bend = moment_estimate(_gauss, t, F)
        return Estimate(float(value), stderr, t.numel() - 1, bend=bend, **about)
    value, stderr, degrees, tail = known_mean_estimate(_gauss, known[0], F, known[1])
    return Estimate(float(value), stderr, degrees, tail=tail, **about)


def _known_trace(estimate: Estimate) -> tuple[KnownMean, float]:
    """The trace that came from elsewhere and the exact part of F, from what they made of the estimate.

    The trace's share of the error, `2 |t| s + s^2`, is what the samples of F leave of it.
    """
    t, F = (column.double() for column in estimate.samples.T)
    of_F, total = jackknife_stderr(leave_one_out_mean(F)), estimate.stderr
    rest = math.sqrt(max(total**2 - of_F**2, 0.0))
    head = float(F.mean()) - abs(estimate.tail) * (of_F / total) ** 2
    if rest < SMALLEST * total:
        return KnownMean(float(t[0])), head
    size = float(t[0].abs())
    shares = total**4 / estimate.degrees - of_F**4 / max(len(F) - LOST, 1)
    degrees = rest**4 / shares if shares > 0 else math.inf
    return KnownMean(float(t[0]), math.sqrt(size**2 + rest) - size, degrees), head


def _gauss(t: Tensor, t2: Tensor, F: Tensor) -> Tensor:
    return t2 - F


def _left_out(t: Tensor, F: Tensor) -> Tensor:
    return leave_one_out_pair_mean(t) - leave_one_out_mean(F)

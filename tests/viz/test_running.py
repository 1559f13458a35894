"""The running estimate of R against the estimator's own."""

from dataclasses import replace

import pytest
import torch

import egregium as eg
from egregium.estimators import TraceMoments, gauss_statistic
from egregium.stats import KnownMean
from egregium.viz.running import MOST_POSITIONS, contributions, running_curvature


def test_every_position_is_what_the_estimator_would_have_said_then(sampled: eg.Measurement) -> None:
    samples = sampled.scalar_curvature.samples
    run = running_curvature(replace(sampled.scalar_curvature, tail=0.0, confidence=0.9, rounding=0.0))
    assert run.probes == list(range(3, len(samples) + 1))
    for k, *found in zip(run.probes, run.values, run.lows, run.highs, strict=True):
        moments = TraceMoments(samples[:k, 0], samples[:k, 1], exact=False)
        estimate = moments.estimate(gauss_statistic, confidence=0.9)
        assert found == pytest.approx((estimate.value, *estimate.interval()))


@pytest.mark.parametrize("known", [KnownMean(9.0), KnownMean(9.0, 0.02, 11.0)])
def test_with_a_trace_from_elsewhere_too(known: KnownMean) -> None:
    """Its error is found back from the estimate alone, and the last band is the interval that is printed."""
    F = 4 + torch.rand(12, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) ** 2
    t = torch.full((12,), known.value, dtype=torch.float64)

    def then(k: int) -> eg.Estimate:
        return TraceMoments(t[:k], F[:k], exact=False, known=known, head=3.5).estimate(gauss_statistic)

    run = running_curvature(then(12))
    for k, *found in zip(run.probes, run.values, run.lows, run.highs, strict=True):
        assert found == pytest.approx((then(k).value, *then(k).interval()))


def test_long_runs_are_drawn_at_some_positions_the_last_included() -> None:
    samples = torch.randn(5000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    run = running_curvature(eg.Estimate(0.0, 1.0, 4999, samples))
    assert run.probes[0] == 3
    assert run.probes[-1] == 5000
    assert len(run.probes) == MOST_POSITIONS


def test_contributions_average_to_the_estimate(sampled: eg.Measurement) -> None:
    estimate = sampled.scalar_curvature
    assert float(contributions(estimate.samples).mean()) == pytest.approx(estimate.value)

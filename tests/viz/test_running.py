"""The running estimate of R against the estimator's own."""

import pytest
import torch

import egregium as eg
from egregium.estimators import TraceMoments, gauss_statistic
from egregium.viz.running import MOST_POSITIONS, contributions, running_curvature


def test_every_position_is_what_the_estimator_would_have_said_then(sampled: eg.Measurement) -> None:
    samples = sampled.scalar_curvature.samples
    run = running_curvature(samples, 0.9)
    assert run.probes == list(range(3, len(samples) + 1))
    for k, value, half in zip(run.probes, run.values, run.half_widths, strict=True):
        moments = TraceMoments(samples[:k, 0], samples[:k, 1], exact=False)
        estimate = moments.estimate(gauss_statistic, confidence=0.9)
        assert (value, half) == pytest.approx((estimate.value, estimate.half_width()))


def test_long_runs_are_drawn_at_some_positions_the_last_included() -> None:
    samples = torch.randn(5000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    run = running_curvature(samples, 0.95)
    assert run.probes[0] == 3
    assert run.probes[-1] == 5000
    assert len(run.probes) == MOST_POSITIONS


def test_contributions_average_to_the_estimate(sampled: eg.Measurement) -> None:
    estimate = sampled.scalar_curvature
    assert float(contributions(estimate.samples).mean()) == pytest.approx(estimate.value)

"""The band of means: Student's where samples are normal, and it covers where they are few or skewed."""

import pytest
import torch
from scipy import stats

from egregium.stats import bootstrap_band, student_half_width


def test_it_is_near_students_interval_for_many_normal_samples() -> None:
    """scipy's bootstrap (percentile) and Student's interval, within a fifth of the half-width."""
    x = torch.randn(200, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lower, upper = bootstrap_band(x, 0.9, 0)
    half = student_half_width(float(x.std() / 200**0.5), 0.9, 199)
    assert lower.item() == pytest.approx(float(x.mean()) - half, abs=0.2 * half)
    theirs = stats.bootstrap(
        (x.squeeze(1).numpy(),), lambda s, axis: s.mean(axis), confidence_level=0.9, method="percentile"
    )
    assert upper.item() == pytest.approx(theirs.confidence_interval.high, abs=0.2 * half)


@pytest.mark.parametrize("k", [2, 4, 12])
def test_never_narrower_than_students(k: int) -> None:
    x = torch.rand(k, 3000, generator=torch.Generator().manual_seed(k), dtype=torch.float64) ** 3
    lower, upper = bootstrap_band(x, 0.95, 0)
    half = torch.tensor([student_half_width(float(s), 0.95, k - 1) for s in x.std(0) / k**0.5], dtype=torch.float64)
    assert (lower <= x.mean(0) - half + 1e-12).all()
    assert (upper >= x.mean(0) + half - 1e-12).all()


@pytest.mark.parametrize("k", [4, 10])
def test_it_covers_the_mean(k: int) -> None:
    """2,000 independent columns of normal samples at 90 %: fewer than 1,758 have a chance below 0.001 (binomial)."""
    x = torch.randn(k, 2000, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
    lower, upper = bootstrap_band(x, 0.9, 0)
    assert int(((lower <= 0) & (upper >= 0)).sum()) >= 1758


def test_the_same_seed_twice() -> None:
    x = torch.randn(5, 7)
    for one, other in zip(bootstrap_band(x, 0.95, 3), bootstrap_band(x, 0.95, 3), strict=True):
        assert torch.equal(one, other)

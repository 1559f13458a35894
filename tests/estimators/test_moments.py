"""Statistics of trace and Frobenius norm, with errors that hold."""

import pytest
import torch
from known_spectra import matrix, scalar

from egregium.estimators import TraceMoments, exact_moments, gauss_statistic, square_statistic, trace_statistic
from egregium.estimators.sketch import begun, widened
from egregium.operators import Dense


@pytest.mark.parametrize("kind", ["network", "traceless", "rank 3"])
@pytest.mark.parametrize("block", [1, 7, 500])
def test_exact_moments_are_exact(kind: str, block: int) -> None:
    A = matrix(kind, 60)
    moments, cost = exact_moments(Dense(A), block)
    assert moments is not None
    assert moments.estimate(trace_statistic).value == pytest.approx(A.trace().item(), rel=1e-12, abs=1e-10)
    assert moments.estimate(square_statistic).value == pytest.approx((A**2).sum().item(), rel=1e-12)
    assert moments.estimate(gauss_statistic).value == pytest.approx(scalar(A), rel=1e-12)
    assert moments.estimate(gauss_statistic).exact
    assert moments.estimate(gauss_statistic).half_width() < 1e-11 * float(A.trace() ** 2 + (A**2).sum())
    assert cost.products == 60


@pytest.mark.parametrize(("kind", "probes"), [("network", 16), ("network", 32), ("flat", 16), ("traceless", 32)])
def test_intervals_cover(kind: str, probes: int) -> None:
    """600 runs at 95 %: at least 91.5 %, four standard errors of a binomial below 95 %."""
    A = matrix(kind, 120)
    op, truth, covered = Dense(A), scalar(matrix(kind, 120)), 0
    for seed in range(600):
        sketch = widened(op, begun(op, 16, seed, 16), probes)
        low, high = TraceMoments(sketch.traces, sketch.squares, exact=False).estimate(gauss_statistic).interval(0.95)
        covered += low <= truth <= high
    assert covered / 600 >= 0.915


def test_near_zero_trace_the_jackknife_alone_would_not_cover() -> None:
    """Samples of mean 0: the pair mean's error is all second order, and the interval still covers; it ends at -F."""
    x = torch.randn(2_000, 24, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    inside = 0
    for row in x:
        moments = TraceMoments(row, torch.ones(24), exact=False, rounding=torch.finfo(torch.float64).eps)
        low, high = moments.estimate(gauss_statistic).interval(0.95)
        inside += low <= -1 <= high
    assert inside / 2_000 > 0.93


def test_samples_are_kept() -> None:
    moments = TraceMoments(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0, 6.0]), exact=False)
    estimate = moments.estimate(gauss_statistic)
    assert estimate.samples.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert estimate.degrees == 2
    assert estimate.value == pytest.approx((2 + 3 + 6) / 3 - 5)


def test_exact_moments_can_be_ended() -> None:
    told: list[float] = []
    moments, cost = exact_moments(Dense(matrix("decay", 60)), 10, lambda done, _: told.append(done) or done < 0.5)
    assert moments is None
    assert cost.products == 30
    assert told == pytest.approx([0, 1 / 6, 1 / 3, 1 / 2])

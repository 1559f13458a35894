"""Statistics of a squared mean and another: errors and intervals, near 0 and far from it."""

import pytest
import torch
from torch import Tensor

from egregium.stats import (
    Bend,
    jackknife_stderr,
    leave_one_out_mean,
    leave_one_out_pair_mean,
    moment_estimate,
    pair_mean,
    student_quantile,
)


def gauss(t: Tensor, t2: Tensor, F: Tensor) -> Tensor:
    return t2 - F


def draws(mean: float, spread: float, rows: int) -> tuple[Tensor, Tensor]:
    """(rows, 16) samples: t normal with this mean, variance 1; F about 5, correlated with it by 0.8."""
    t, e = torch.randn(2, rows, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return mean + t, 5 + spread * (0.8 * t + 0.6 * e)


def test_far_from_zero_it_is_the_jackknife() -> None:
    """t = 200 with an error of 0.25: the square bends by a thousandth of the error."""
    t, F = (x[0] for x in draws(200.0, 1.0, 1))
    value, stderr, bend = moment_estimate(gauss, t, F)
    left_out = leave_one_out_pair_mean(t) - leave_one_out_mean(F)
    assert float(value) == pytest.approx(float(pair_mean(t) - F.mean()))
    assert stderr == pytest.approx(jackknife_stderr(left_out), rel=1e-3)
    assert bend.sides(2.0) == pytest.approx((2 * stderr, 2 * stderr), rel=3e-3)


def test_without_a_square_both_sides_are_students() -> None:
    t, F = (x[0] for x in draws(2.0, 1.0, 1))
    _, stderr, bend = moment_estimate(lambda t, t2, F: t - 0.5 * F, t, F)
    assert stderr == pytest.approx(float((t - 0.5 * F).std()) / 4)
    assert bend.sides(1.5) == pytest.approx((1.5 * stderr, 1.5 * stderr))


@pytest.mark.parametrize("spread", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("mean", [0.0, 0.3, -0.6, 1.0, 3.0])
def test_coverage_and_width_wherever_the_mean_is(mean: float, spread: float) -> None:
    """Of 2,000 intervals at 95 % from 16 normal samples at least 93 % hold the truth: 95 % less 4 binomial deviations
    is 93.05 %. They are at most 1.75 times as wide as the values' deviation would need; 1.2 where the mean is clear
    of 0. The cases hold t^2 and F with errors that cancel (mean 0.3 and spread 1: slopes 0.6 and 0.8)."""
    t, F = draws(mean, spread, 2000)
    q, truth = student_quantile(0.95, 15), mean**2 - 5
    found = [moment_estimate(gauss, a, b) for a, b in zip(t, F, strict=True)]
    values = torch.stack([value for value, _, _ in found])
    below, above = torch.tensor([bend.sides(q) for _, _, bend in found], dtype=torch.float64).T
    covered = ((values - below <= truth) & (truth <= values + above)).double().mean()
    assert covered >= 0.9305
    width = float((below + above).mean() / (2 * 1.96 * values.std()))
    assert width <= (1.2 if abs(mean) >= 3 else 1.75)


def test_a_square_that_may_be_zero_and_errors_that_cancel() -> None:
    """By hand: z in [-2, 2]; the vertex -1/2 of z + z^2; the errors of t^2 and F that move together add or cancel."""
    assert Bend(0.0, 1.0, 0.0).sides(2.0) == pytest.approx((0.0, 5.0), rel=1e-5)
    assert Bend(0.0, -1.0, 0.0).sides(2.0) == pytest.approx((5.0, 0.0), rel=1e-5)
    assert Bend(1.0, 1.0, 0.0).sides(2.0) == pytest.approx((0.0, 7.0), rel=1e-5)
    assert Bend(4.0, 1.0, 0.0).sides(2.0) == pytest.approx((3.0, 13.0), rel=1e-5)
    assert Bend(0.0, 1.0, 3.0).sides(1.0) == pytest.approx((2.0, 1 + 3.0), rel=1e-5)  # at z = 0 and w = -1; at w = 1
    t = torch.tensor([1.0, 2.0, 3.0, 6.0], dtype=torch.float64)
    *_, bend = moment_estimate(gauss, t, 6 * t)  # d(t^2) = 2 t dt = 6 dt at t = 3
    assert (bend.first, bend.other) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert bend.sides(2.0) == pytest.approx((0.0, 5 * float(t.var()) / 4), rel=1e-5)

"""The jackknife: exact for means, and as wide as the truth for a curved statistic."""

import math

import pytest
import torch

from egregium.stats import (
    jackknife_stderr,
    leave_one_out_mean,
    leave_one_out_pair_mean,
    pair_mean,
    student_half_width,
    unequal_jackknife_variance,
)


def test_of_a_mean_it_is_the_textbook_error() -> None:
    x = torch.randn(11, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert jackknife_stderr(leave_one_out_mean(x)) == pytest.approx(x.std().item() / 11**0.5, rel=1e-12)


def test_of_a_squared_mean_it_matches_the_spread_of_repetitions() -> None:
    """Mean 5, variance 1, k = 20: Var = 4 * 25 / 20 + 2 / 380; the jackknife's mean square is within 5 % of it."""
    x = 5 + torch.randn(4_000, 20, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    squares = [jackknife_stderr(leave_one_out_pair_mean(row)) ** 2 for row in x]
    assert sum(squares) / len(squares) == pytest.approx(5 + 2 / 380, rel=0.05)
    assert torch.stack([pair_mean(row) for row in x]).var().item() == pytest.approx(5 + 2 / 380, rel=0.1)


@pytest.mark.parametrize(("degrees", "quantile"), [(1, 12.706), (7, 2.3646), (30, 2.0423), (math.inf, 1.95996)])
def test_half_width_by_students_table(degrees: float, quantile: float) -> None:
    assert student_half_width(2.0, 0.95, degrees) == pytest.approx(2 * quantile, rel=1e-4)


def test_exact_numbers_and_missing_degrees() -> None:
    assert student_half_width(0.0, 0.95, 0) == 0
    assert math.isnan(student_half_width(1.0, 0.95, 0))
    assert math.isnan(jackknife_stderr(torch.ones(1)))


def test_unequal_groups_of_a_mean_are_unbiased() -> None:
    """20,000 repetitions of 26 independent terms in 4 groups: the variance of their mean is 1/26, within 4 errors."""
    sizes = torch.tensor([1, 5, 8, 12], dtype=torch.float64)
    g = torch.Generator().manual_seed(0)
    groups = torch.randn(20_000, 4, generator=g, dtype=torch.float64) / sizes.sqrt()
    squares = (groups - (groups * sizes).sum(1, keepdim=True) / 26) ** 2
    found = torch.tensor([unequal_jackknife_variance(row, sizes) for row in squares])
    assert abs(found.mean() - 1 / 26) <= 4 * found.std() / 20_000**0.5

"""The unbiased square of a mean, against its definition."""

from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from egregium.stats import leave_one_out_pair_mean, pair_mean

numbers = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=8).map(lambda x: torch.tensor(x, dtype=torch.float64))


@given(numbers)
def test_pair_mean_is_the_mean_over_pairs(x: torch.Tensor) -> None:
    pairs = [x[i] * x[j] for i, j in permutations(range(len(x)), 2)]
    assert pair_mean(x).item() == pytest.approx(sum(pairs).item() / len(pairs), rel=1e-9, abs=1e-6)


@given(numbers)
def test_leave_one_out_leaves_one_out(x: torch.Tensor) -> None:
    direct = [pair_mean(torch.cat([x[:i], x[i + 1 :]])).item() for i in range(len(x))]
    assert leave_one_out_pair_mean(x).tolist() == pytest.approx(direct, rel=1e-9, abs=1e-6)


def test_too_few_samples_are_not_a_number() -> None:
    assert pair_mean(torch.ones(1)).isnan()
    assert leave_one_out_pair_mean(torch.ones(2)).isnan().all()


def test_unbiased_where_the_squared_mean_is_not() -> None:
    """4 samples of mean 1 and variance 9: the squared mean is biased by 9/4, far beyond the error of 40,000 means."""
    x = 1 + 3 * torch.randn(40_000, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pairs = torch.stack([pair_mean(row) for row in x])
    error = pairs.std().item() / len(pairs) ** 0.5
    assert abs(pairs.mean().item() - 1) < 4 * error
    assert x.mean(1).square().mean().item() - 1 > 2.25 - 4 * error

"""Rank correlations: scipy's where scipy has them, closed forms, and what NaN, ties and infinities do."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, rankdata, spearmanr

from egregium.errors import ArgumentError
from egregium.stats import kendall, partial_kendall, partial_spearman

few = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=3, max_size=12).map(lambda rows: np.array(rows, float).T)


@given(few)
def test_kendall_is_scipys_with_ties(xyz: np.ndarray) -> None:
    x, y, _ = xyz
    assert kendall(x, y) == pytest.approx(kendalltau(x, y).statistic, nan_ok=True)


@given(few)
def test_partial_kendall_is_its_formula(xyz: np.ndarray) -> None:
    xy, xz, yz = (kendalltau(xyz[i], xyz[j]).statistic for i, j in ((0, 1), (0, 2), (1, 2)))
    left = (1 - xz**2) * (1 - yz**2)
    expected = (xy - xz * yz) / math.sqrt(left) if left > 1e-12 else math.nan
    assert partial_kendall(*xyz) == pytest.approx(expected, nan_ok=True)


def test_partial_spearman_is_the_correlation_of_residuals_of_ranks() -> None:
    x, y, z = np.random.default_rng(0).integers(0, 30, (3, 40)).astype(float)
    line = np.stack([np.ones(40), rankdata(z)], axis=1)
    left = [rankdata(v) - line @ np.linalg.lstsq(line, rankdata(v))[0] for v in (x, y)]
    assert partial_spearman(x, y, z) == pytest.approx(np.corrcoef(left)[0, 1])


def test_given_what_is_unrelated_the_partial_is_the_plain_one() -> None:
    """z = 1 2 2 1 is symmetric where x = 1 2 3 4 is not: both correlations with it are 0."""
    x, y, z = np.array([[1.0, 2, 3, 4], [1.0, 2, 3, 4], [1.0, 2, 2, 1]])
    assert partial_kendall(x, y, z) == pytest.approx(1)
    assert partial_spearman(x, y, z) == pytest.approx(1)


def test_what_is_said_of_conditional_independence() -> None:
    """x and y are z and noise with tau_xz = 0.8: Kendall's partial tau is 0.221 and Spearman's 0.005, within 4 errors
    of at most (1 - r^2) / sqrt(n - 3)."""
    n, rho = 4000, math.sin(0.4 * math.pi)
    z, a, b = np.random.default_rng(1).standard_normal((3, n))
    x, y = (rho * z + math.sqrt(1 - rho**2) * noise for noise in (a, b))
    assert partial_kendall(x, y, z) == pytest.approx(0.221, abs=4 / math.sqrt(n))
    assert partial_spearman(x, y, z) == pytest.approx(0.005, abs=4 / math.sqrt(n))


@pytest.mark.parametrize("statistic", [kendall, partial_kendall, partial_spearman])
def test_only_the_order_counts(statistic: Callable[..., float]) -> None:
    measures = np.random.default_rng(2).standard_normal((2 if statistic is kendall else 3, 20))
    assert statistic(*np.exp(3 * measures)) == pytest.approx(statistic(*measures), rel=1e-12)
    top = np.where(measures == measures.max(1, keepdims=True), np.inf, measures)
    assert statistic(*top) == pytest.approx(statistic(*measures), rel=1e-12)


@pytest.mark.parametrize("statistic", [kendall, partial_kendall, partial_spearman])
def test_a_network_without_a_measure_is_left_out_of_all(statistic: Callable[..., float]) -> None:
    """Also where the missing one would change a correlation of the other two."""
    measures = np.random.default_rng(3).standard_normal((2 if statistic is kendall else 3, 9))
    whole = statistic(*measures)
    with_holes = np.concatenate([measures, np.full((len(measures), 2), 7.0)], axis=1)
    with_holes[-1, -2], with_holes[0, -1] = np.nan, np.nan
    assert statistic(*with_holes) == pytest.approx(whole, rel=1e-12)


@pytest.mark.filterwarnings("error")
def test_a_constant_measure_has_no_correlation_and_no_warning() -> None:
    x, flat = np.arange(5.0), np.ones(5)
    assert math.isnan(kendall(x, flat))
    assert math.isnan(partial_spearman(x, x[::-1], flat))
    assert math.isnan(partial_kendall(flat, x, x[[1, 0, 2, 3, 4]]))


def test_nothing_is_left_given_the_same_order() -> None:
    x, y = np.random.default_rng(4).standard_normal((2, 50))
    assert spearmanr(x, x**3)[0] == pytest.approx(1)
    assert math.isnan(partial_spearman(x, y, x**3))
    assert math.isnan(partial_kendall(y, x, x**3))


def test_too_few_networks_and_other_lengths() -> None:
    x = np.array([1.0, 2.0, np.nan, 4.0])
    with pytest.raises(ArgumentError, match=r"at least 3 networks that have every measure, got 2 of 4\."):
        kendall(x, np.array([1.0, np.nan, 3.0, 4.0]))
    with pytest.raises(ArgumentError, match=r"got lengths \[4, 5\]\."):
        partial_spearman(x, x, np.arange(5.0))

"""Intervals over the cells of a design: what a draw is, and how often they hold the truth."""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom, kendalltau, spearmanr

from egregium.errors import ArgumentError
from egregium.stats import (
    Interval,
    Resampling,
    kendall_difference,
    kendall_interval,
    partial_kendall,
    partial_kendall_interval,
    partial_spearman,
    partial_spearman_interval,
)
from egregium.stats.cells import _rho, _tau

QUICK = Resampling(draws=400)


def design(
    rng: np.random.Generator, k: int, correlations: np.ndarray, shared: float = 0.5
) -> tuple[np.ndarray, list[int]]:
    """(normal measures of two networks in each of k cells, the cells), which share this part of the variance."""
    root = np.linalg.cholesky(correlations)
    of_cells = np.repeat(rng.standard_normal((len(root), k)), 2, axis=1)
    own = rng.standard_normal((len(root), 2 * k))
    measures = root @ (math.sqrt(shared) * of_cells + math.sqrt(1 - shared) * own)
    return measures, np.repeat(np.arange(k), 2).tolist()


def test_a_draw_is_tau_over_pairs_of_different_networks() -> None:
    """Cells drawn 2, 0, 3 and 1 times, written out: all pairs but those of two copies of one cell, ties and all."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 4, (2, 9)).astype(float)
    codes, drawn = np.array([0, 0, 1, 1, 1, 2, 2, 3, 3]), [2, 0, 3, 1]
    copies = [(i, copy) for i in range(9) for copy in range(drawn[codes[i]])]
    pairs = [(i, j) for (i, a), (j, b) in combinations(copies, 2) if codes[i] != codes[j] or a == b]
    s, t = (np.array([np.sign(v[i] - v[j]) for i, j in pairs]) for v in (x, y))
    expected = s @ t / math.sqrt((s @ s) * (t @ t))
    assert _tau(x, y, codes)(np.array([drawn], float))[0] == pytest.approx(expected)


def test_a_draw_of_spearmans_is_that_of_the_copies() -> None:
    x, y = np.random.default_rng(1).integers(0, 6, (2, 9)).astype(float)
    codes, drawn = np.array([0, 0, 1, 1, 1, 2, 2, 3, 3]), [2, 0, 3, 1]
    copies = np.repeat(np.arange(9), np.array(drawn)[codes])
    assert _rho(x, y, codes)(np.array([drawn], float))[0] == pytest.approx(spearmanr(x[copies], y[copies])[0])


def test_values_are_the_plain_ones() -> None:
    rng = np.random.default_rng(2)
    x, y, z = rng.integers(0, 5, (3, 24)).astype(float)
    cells = rng.integers(0, 8, 24).tolist()
    assert kendall_interval(x, y, cells, QUICK).value == pytest.approx(kendalltau(x, y).statistic)
    assert partial_kendall_interval(x, y, z, cells, QUICK).value == pytest.approx(partial_kendall(x, y, z))
    assert partial_spearman_interval(x, y, z, cells, QUICK).value == pytest.approx(partial_spearman(x, y, z))
    expected = kendalltau(x, y).statistic - kendalltau(z, y).statistic
    assert kendall_difference(x, z, y, cells, QUICK).value == pytest.approx(expected)


def test_a_second_seed_that_is_a_copy_tells_nothing_new() -> None:
    """Twice the networks and the same interval; taken for independent networks they would halve its square."""
    x, y = np.random.default_rng(3).standard_normal((2, 30))
    once = kendall_interval(x, y, range(30))
    twice = kendall_interval(np.repeat(x, 2), np.repeat(y, 2), np.repeat(np.arange(30), 2).tolist())
    assert (twice.value, twice.low, twice.high) == pytest.approx((once.value, once.low, once.high))
    assert (once.networks, twice.networks) == (30, 60)


def test_of_single_networks_a_draw_is_scipys_of_the_copies() -> None:
    """Copies tie in both measures, and tau-b has no use for such pairs."""
    x, y = np.random.default_rng(4).standard_normal((2, 30))
    w = np.random.default_rng(5).multinomial(30, [1 / 30] * 30)
    literal = kendalltau(np.repeat(x, w), np.repeat(y, w)).statistic
    assert _tau(x, y, np.arange(30))(w[None].astype(float))[0] == pytest.approx(literal)


def test_a_difference_is_paired() -> None:
    """Nearly the same measure twice: far narrower than two intervals side by side; and exactly 0 for the same."""
    rng = np.random.default_rng(6)
    y = rng.standard_normal(60)
    x = y + rng.standard_normal(60)
    other = x + 0.1 * rng.standard_normal(60)
    cells = range(60)
    found, one = kendall_difference(x, other, y, cells, QUICK), kendall_interval(x, y, cells, QUICK)
    assert found.high - found.low < 0.4 * (one.high - one.low)
    assert kendall_difference(x, x**3, y, cells, QUICK) == Interval(0.0, 0.0, 0.0, 60)


def test_it_depends_on_order_cells_and_seed_alone() -> None:
    (x, y), cells = design(np.random.default_rng(7), 20, np.array([[1, 0.5], [0.5, 1]]))
    found = kendall_interval(x, y, cells, QUICK)
    assert kendall_interval(np.exp(x), y**3, [f"cell {c}" for c in cells], QUICK) == found
    assert kendall_interval(x, y, cells, Resampling(400, seed=1)) != found
    wider = kendall_interval(x, y, cells, Resampling(400, confidence=0.99))
    assert wider.low < found.low < found.high < wider.high


def test_networks_without_a_measure_are_counted_out() -> None:
    (x, y), cells = design(np.random.default_rng(8), 20, np.array([[1, 0.5], [0.5, 1]]))
    holes = np.where(np.arange(40) < 3, np.nan, x)
    assert kendall_interval(holes, y, cells, QUICK) == kendall_interval(x[3:], y[3:], cells[3:], QUICK)
    for one, other in ((holes, x), (x, holes)):
        assert kendall_difference(one, other, y, cells, QUICK) == Interval(0.0, 0.0, 0.0, 37)


def test_a_draw_without_the_statistic_counts_as_the_worst() -> None:
    """x singles out one of 10 cells, which (1 - 1/10)^10 = 0.35 of the draws lack; a constant has no interval."""
    x = (np.arange(10) == 9).astype(float)
    found = kendall_interval(x, np.arange(10.0), range(10))
    assert (found.low, found.high) == (-1.0, 1.0)
    assert found.value == pytest.approx(9 / math.sqrt(9 * 45))
    flat = kendall_interval(np.ones(10), np.arange(10.0), range(10))
    assert [math.isnan(each) for each in (flat.value, flat.low, flat.high)] == [True] * 3


def test_too_few_cells() -> None:
    x = np.arange(6.0)
    with pytest.raises(ArgumentError, match=r"at least 3 cells, got 2\."):
        kendall_interval(x, x, [0, 0, 0, 1, 1, 1])
    with pytest.raises(ArgumentError, match=r"got 5 cells for 6 networks\."):
        kendall_interval(x, x, range(5))
    with pytest.raises(ArgumentError, match=r"got 2 of 6\."):
        kendall_interval(np.where(x < 4, np.nan, x), x, range(6))


#: Designs of 30 cells, and the fewest intervals at 90 % that hold the truth of so many; fewer have a chance of 1e-4.
TRIALS = 200
FEWEST = int(binom.ppf(1e-4, TRIALS, 0.9))


def hits(statistic: Callable[..., Interval], correlations: list[list[float]], truth: float) -> int:
    rng = np.random.default_rng(9)
    count = 0
    for trial in range(TRIALS):
        measures, cells = design(rng, 30, np.array(correlations))
        found = statistic(*measures, cells, Resampling(200, 0.9, trial))
        count += found.low <= truth <= found.high
    return count


def tau(rho: float) -> float:
    return 2 / math.pi * math.asin(rho)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_coverage_of_tau(rho: float) -> None:
    assert hits(kendall_interval, [[1, rho], [rho, 1]], tau(rho)) >= FEWEST


def test_coverage_of_a_difference() -> None:
    correlations = [[1, 0.7, 0.9], [0.7, 1, 0.7], [0.9, 0.7, 1]]
    assert hits(kendall_difference, correlations, tau(0.9) - tau(0.7)) >= FEWEST


def test_coverage_of_partial_correlations() -> None:
    rho = 0.7
    correlations = [[1, 0.5, rho], [0.5, 1, rho], [rho, rho, 1]]
    for statistic, of in (
        (partial_kendall_interval, tau),
        (partial_spearman_interval, lambda r: 6 / math.pi * math.asin(r / 2)),
    ):
        truth = (of(0.5) - of(rho) ** 2) / (1 - of(rho) ** 2)
        assert hits(statistic, correlations, truth) >= FEWEST


def test_seeds_taken_for_independent_networks_are_seen() -> None:
    """The guard itself: with each network a cell of its own the intervals of 30 pairs of near copies fall short."""
    rng = np.random.default_rng(10)
    held = np.zeros(2, int)
    for trial in range(TRIALS):
        (x, y), cells = design(rng, 30, np.eye(2), shared=0.95)
        found = (kendall_interval(x, y, labels, Resampling(200, 0.9, trial)) for labels in (cells, range(60)))
        held += [each.low <= 0 <= each.high for each in found]
    assert held[0] >= FEWEST > held[1]

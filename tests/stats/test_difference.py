"""Intervals of differences hold them as often as they say, whatever the dependence they are told of."""

import math

import numpy as np
import pytest
from scipy.stats import binom, t

from egregium.stats import Sides, difference_sides

#: Simulated pairs; the level; the fewest and the most hits that the binomial allows once in 10,000 times.
TRIALS, LEVEL = 20_000, 0.95
FEWEST, MOST = (int(binom.ppf(q, TRIALS, LEVEL)) for q in (1e-4, 1 - 1e-4))


def hits(rho: float, sigma: tuple[float, float], sizes: tuple[int, int], independent: bool) -> int:
    """How many intervals of the difference of two means of normal samples, paired as far as they go, hold it: 0."""
    rng = np.random.default_rng(20261125)
    k = max(sizes)
    a = rng.standard_normal((TRIALS, k))
    b = rho * a + math.sqrt(1 - rho**2) * rng.standard_normal((TRIALS, k))
    means, halves = [], []
    for x, s, size in ((a, sigma[0], sizes[0]), (b, sigma[1], sizes[1])):
        part = s * x[:, :size]
        means.append(part.mean(1))
        halves.append(t.ppf((1 + LEVEL) / 2, size - 1) * part.std(1, ddof=1) / math.sqrt(size))
    count = 0
    for ma, mb, ha, hb in zip(*means, *halves, strict=True):
        below, above = difference_sides(Sides(hb, hb), Sides(ha, ha), independent=independent)
        count += mb - ma - below <= 0 <= mb - ma + above
    return count


@pytest.mark.parametrize("sizes", [(30, 40), (3, 30), (3, 3)])
@pytest.mark.parametrize("sigma", [(1.0, 1.0), (1.0, 10.0)])
def test_independent_estimates(sizes: tuple[int, int], sigma: tuple[float, float]) -> None:
    assert hits(0.0, sigma, sizes, independent=True) >= FEWEST


def test_independent_intervals_of_many_probes_are_no_wider_than_they_must_be() -> None:
    assert hits(0.0, (1.0, 1.0), (200, 200), independent=True) <= MOST


@pytest.mark.parametrize("rho", [-1.0, -0.5, 0.0, 0.9])
@pytest.mark.parametrize(("sigma", "sizes"), [((1.0, 1.0), (20, 20)), ((1.0, 3.0), (5, 5)), ((1.0, 2.0), (4, 12))])
def test_dependent_estimates_of_any_correlation(rho: float, sigma: tuple[float, float], sizes: tuple[int, int]) -> None:
    assert hits(rho, sigma, sizes, independent=False) >= FEWEST


def test_the_sum_is_sharp_where_errors_are_opposed() -> None:
    assert hits(-1.0, (1.0, 1.0), (20, 20), independent=False) <= MOST


def test_dependence_taken_for_independence_is_seen() -> None:
    """The guard itself: opposed errors with the formula for independent ones fall short by far."""
    assert hits(-1.0, (1.0, 1.0), (20, 20), independent=True) < FEWEST - 500


def test_the_longer_side_goes_where_it_belongs() -> None:
    below, above = difference_sides(Sides(1.0, 3.0), Sides(2.0, 4.0), independent=True)
    assert (below, above) == (math.hypot(1, 4), math.hypot(3, 2))
    assert difference_sides(Sides(1.0, 3.0), Sides(2.0, 4.0), independent=False) == (5.0, 5.0)


def test_bounds_add_up() -> None:
    exact = Sides(0.25, 0.25, bound=0.25)
    assert difference_sides(exact, exact, independent=True) == (0.5, 0.5)
    assert difference_sides(exact, exact, independent=False) == (0.5, 0.5)
    assert difference_sides(Sides(3.0, 3.0), Sides(4.25, 4.25, 0.25), independent=True) == (5.25, 5.25)


def test_unknown_stays_unknown() -> None:
    below, above = difference_sides(Sides(math.nan, math.nan), Sides(1.0, math.inf), independent=True)
    assert math.isnan(above)
    assert not below < math.inf

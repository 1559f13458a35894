"""A difference has an interval, a word and a ratio, each where it can."""

import math

import pytest

from egregium.results import Difference, Estimate
from egregium.results.difference import difference, figures

BIG, SMALL = Estimate(10.0, 1.0, degrees=20), Estimate(4.0, 0.5, degrees=30)


def test_dependent_half_widths_add_and_independent_ones_add_as_squares() -> None:
    halves = BIG.half_width(), SMALL.half_width()
    assert difference(SMALL, BIG, independent=False).half_width() == pytest.approx(sum(halves))
    assert difference(SMALL, BIG, independent=True).half_width() == pytest.approx(math.hypot(*halves))


def test_asymmetric_sides_cross_over() -> None:
    skewed = Estimate(10.0, 1.0, 20, tail=2.0)  # longer above
    below, above = skewed.sides()
    exact = Estimate(3.0, 0.0)
    forth, back = difference(skewed, exact, independent=True), difference(exact, skewed, independent=True)
    assert (forth.below, forth.above) == pytest.approx((below, above))
    assert (back.below, back.above) == pytest.approx((above, below))


@pytest.mark.parametrize(
    ("b", "verdict"),
    [
        (Estimate(20.0, 1.0, 20), "larger"),
        (Estimate(2.0, 1.0, 20), "smaller"),
        (Estimate(11.0, 1.0, 20), "not distinguished"),
    ],
)
def test_verdicts(b: Estimate, verdict: str) -> None:
    assert difference(b, BIG, independent=True).verdict == verdict


@pytest.mark.parametrize("unknown", [math.nan, math.inf])
def test_what_has_no_finite_interval_is_not_distinguished(unknown: float) -> None:
    found = difference(Estimate(1e9, unknown, 5), BIG, independent=True)
    assert found.verdict == "not distinguished"
    assert found.ratio is None
    assert str(found)


def test_rounding_and_bias_are_bounds_whatever_the_seeds() -> None:
    a, b = Estimate(1.0, 0.0, rounding=0.25), Estimate(2.0, 0.0, rounding=0.125, bias=0.125)
    for independent in (True, False):
        assert difference(b, a, independent=independent).interval() == (0.5, 1.5)


def test_rounding_that_no_estimate_states() -> None:
    a, b = Estimate(1.0, 0.0), Estimate(1.0 + 1e-9, 0.0)
    assert difference(b, a, independent=False).verdict == "larger"
    assert difference(b, a, independent=False, unit=1e-8).verdict == "not distinguished"
    stated = Estimate(1.0, 0.0, rounding=0.5)
    assert difference(b, stated, independent=False, unit=1e-8).below == pytest.approx(0.5 + 1e-8)


def test_the_ratio_holds_the_outermost_of_both_intervals() -> None:
    found = difference(SMALL, BIG, independent=True)
    (low_b, high_b), (low_a, high_a) = SMALL.interval(), BIG.interval()
    assert found.ratio == pytest.approx((low_b / high_a, 0.4, high_b / low_a))
    assert found.times == "0.4 +/- 0.3 times"
    for b in (Estimate(-4.0, 0.5, 30), Estimate(0.5, 0.5, 30)):  # negative; may be
        assert difference(b, BIG, independent=True).ratio is None
        assert difference(b, BIG, independent=True).times == ""


def test_how_it_reads() -> None:
    assert str(difference(SMALL, BIG, independent=False)) == "-6 +/- 4 (95 %)"
    assert str(difference(Estimate(3.0, 0.0), Estimate(1.0, 0.0), independent=False)) == "2 (exact)"
    bounded = difference(Estimate(3.0, 0.0, rounding=0.1), Estimate(1.0, 0.0), independent=False, bounded=True)
    assert (str(bounded), bounded.kind) == ("2.00 +/- 0.10", "bounded")


def test_as_a_share() -> None:
    share = Difference(-6.0, 1.0, 2.0, 0.95, "sampled", True, ratio=(0.1, 0.2, 0.3)).over(2.0)
    assert (share.value, share.below, share.above, share.ratio) == (-3.0, 0.5, 1.0, None)


def test_no_more_figures_than_can_be_read() -> None:
    assert figures(0.0023071420001, 1.8e-10, 1e-3) == "0.00231"
    assert figures(1.0, math.nan).startswith("1")

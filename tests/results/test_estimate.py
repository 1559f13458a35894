"""How an estimate reads."""

import math

import pytest

from egregium.results import Estimate
from egregium.results.estimate import rounded


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (103.72, 0.8623, "103.7 +/- 0.9"),
        (0.0, 0.5, "0.0 +/- 0.5"),
        (-2.256487, 0.00012, "-2.25649 +/- 0.00012"),
        (12345.6, 130.0, "12350 +/- 130"),
        (1.2345678e-7, 3e-10, "1.235e-07 +/- 3e-10"),
        (3.2e9, 1e7, "3.200e+09 +/- 1e+07"),
        (5.0, math.nan, "5 +/- nan"),
        (9.96, 0.096, "9.960 +/- 0.096"),
        (703.0, 94.0, "703 +/- 94"),
    ],
)
def test_as_many_digits_as_the_error_carries(value: float, half: float, text: str) -> None:
    assert rounded(value, half) == text


@pytest.mark.parametrize("half", [0.011, 0.0194, 0.0196, 0.5, 0.96, 0.99, 7.2, 19.7, 950.0])
def test_the_printed_error_is_never_smaller_than_the_error(half: float) -> None:
    assert float(rounded(1000.0, half).split("+/-")[1]) >= half * (1 - 1e-9)


def test_interval_and_exactness() -> None:
    assert Estimate(2.0, 1.0, degrees=7).interval(0.95) == pytest.approx((2 - 2.3646, 2 + 2.3646), abs=1e-4)
    assert str(Estimate(-8.0, 0.0)) == "-8 (exact)"
    assert str(Estimate(-0.0, 0.0)) == "0 (exact)"
    assert "90 %" in str(Estimate(1.0, 0.1, degrees=9, confidence=0.9))


@pytest.mark.parametrize("tail", [8.0, -8.0])
def test_an_interval_with_a_tail_is_symmetric_in_the_logarithm_of_the_tail(tail: float) -> None:
    e = Estimate(10.0, 1.0, 5, tail=tail, rounding=0.25)
    low, high = e.interval(0.9)
    rest = 10.0 - tail
    inner = sorted(abs(bound - rest) for bound in (low + 0.25, high - 0.25))
    assert inner[0] * inner[1] == pytest.approx(64.0)
    assert inner[1] / 8 == pytest.approx(math.exp(Estimate(0.0, 1.0, 5).half_width(0.9) / 8))
    assert e.half_width(0.9) == pytest.approx(max(10 - low, high - 10))
    assert (high - 10 > 10 - low) is (tail > 0)


def test_a_long_tail_is_students_interval() -> None:
    long, plain = Estimate(10.0, 1.0, 5, tail=1e9).interval(), Estimate(10.0, 1.0, 5).interval()
    assert long == pytest.approx(plain, rel=1e-8)
    assert Estimate(1.0, 1.0, 2, tail=1e-9).half_width() == math.inf

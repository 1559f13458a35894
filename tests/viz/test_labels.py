"""Numbers and names in pictures."""

import math

import pytest

from egregium.results import Estimate
from egregium.viz.labels import (
    TickFormatter,
    digits_between,
    estimate_label,
    fixed_and_sampled,
    half_width,
    short,
    tick,
    typeset,
    wrapped,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-8.85e-08 +/- 5e-10", "−8.85 × 10⁻⁸ ± 5 × 10⁻¹⁰"),
        ("1.235e+07 +/- 3e+04", "1.235 × 10⁷ ± 3 × 10⁴"),
        ("1e-05", "10⁻⁵"),
        ("0e+00 +/- 3e-10", "0 ± 3 × 10⁻¹⁰"),
        ("5 +/- 1e-05", "5 ± 1 × 10⁻⁵"),
        ("-0 (exact)", "0 (exact)"),
        ("-0.5 (exact)", "−0.5 (exact)"),
    ],
)
def test_numbers_as_in_a_book(text: str, expected: str) -> None:
    assert typeset(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.1 + 0.2, "0.3"),
        (-25, "−25"),
        (2e5, "200,000"),
        (1e6, "10⁶"),
        (-1e-8, "−10⁻⁸"),
        (2.5e-5, "2.5 × 10⁻⁵"),
    ],
)
def test_ticks(value: float, expected: str) -> None:
    assert tick(value) == expected


def test_an_estimate_carries_its_interval() -> None:
    assert estimate_label(Estimate(103.72, 0.44, degrees=30)) == "103.7 ± 0.9"
    assert estimate_label(Estimate(-8.0, 0.0)) == "−8 (exact)"


def test_no_interval_is_drawn_where_there_is_none() -> None:
    assert half_width(Estimate(1.0, 1.0, degrees=0)) == 0  # NaN
    assert half_width(Estimate(1.0, 1.0)) == pytest.approx(1.96, abs=1e-3)


def test_names_are_short_and_printable() -> None:
    assert short("bell\x07 and\x1b[31m\nline") == "bell and [31m line"
    assert short("x" * 31) == "x" * 29 + "…"
    assert short("x" * 30) == "x" * 30


def test_caption_names_each_level_once() -> None:
    sampled = [Estimate(1.0, 0.1, confidence=c) for c in (0.9, 0.95, 0.9)]
    assert "the whiskers are 90 % and 95 % intervals" in fixed_and_sampled(sampled, "the whiskers")
    assert "nothing was sampled" in fixed_and_sampled([Estimate(1.0, 0.0)], "the whiskers")


@pytest.mark.parametrize(
    ("places", "written"),
    [
        ([2.3, 2.3000000001, 2.3000000002], ["2.3", "2.3000000001", "2.3000000002"]),
        ([1e-9, 1.0, 1e9], ["10⁻⁹", "1", "10⁹"]),
        ([-0.5, 1e-17, 0.5], ["−0.5", "0", "0.5"]),  # 0 as it is added up
        ([0.0], ["0"]),
    ],
)
def test_ticks_are_told_apart(places: list[float], written: list[str]) -> None:
    assert TickFormatter().format_ticks(places) == written


def test_digits_are_no_more_than_needed() -> None:
    assert digits_between([0.1, 0.2]) == 6
    assert digits_between([0.1, 0.2], least=3) == 3
    assert digits_between([1.0, math.nan, math.inf]) == 6
    assert digits_between([1e-300, 2e-300, 1e300]) == 15


def test_long_names_on_lines_that_fit() -> None:
    assert wrapped("") == ""
    lines = wrapped("a direction with a long name " * 20).split("\n")
    assert max(map(len, lines)) <= 48
    assert len(lines) <= 4

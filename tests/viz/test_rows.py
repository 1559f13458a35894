"""Rows of estimates on one axis."""

from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from egregium.results import Estimate
from egregium.viz.rows import draw_row, finish_rows, logarithmic, wild


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], False),
        ([0.0], False),
        ([1.0, -99.0], False),
        ([1.0, -101.0], True),
        ([0.0, 3.0], False),
        ([1e-9, 1.0], True),
    ],
)
def test_wild_magnitudes(values: list[float], expected: bool) -> None:
    assert wild([Estimate(value, 0.0) for value in values]) is expected


@pytest.mark.parametrize("values", [[16.9, -0.06, 1e-3, -6e-10], [1e-30, 1e30], [1.0, 101.0]])
def test_logarithmic_axis_has_few_ticks_and_tells_all_values_apart(values: list[float]) -> None:
    estimates = [Estimate(value, 0.0) for value in values]
    ax = Figure().add_subplot()
    logarithmic(ax, estimates)
    for y, estimate in enumerate(estimates):
        draw_row(ax, y, "", estimate)
    finish_rows(ax, len(values), "x")
    assert 3 <= len(ax.get_xticks()) <= 7
    assert not len(ax.get_xticks(minor=True))
    places = sorted(ax.transData.transform([(value, 0) for value in [*values, 0.0]])[:, 0])
    assert min(b - a for a, b in pairwise(places)) > 3  # pixels


def test_zero_stands_clear_of_the_edge_of_the_axis() -> None:
    ax = Figure().add_subplot()
    draw_row(ax, 0, "negative", Estimate(-8.0, 0.0), bar=True)
    finish_rows(ax, 1, "x")
    low, high = ax.get_xlim()
    assert low < -8 < 0 < high


def test_first_row_is_on_top() -> None:
    ax = Figure().add_subplot()
    draw_row(ax, 0, "first", Estimate(1.0, 0.0))
    finish_rows(ax, 2, "x")
    assert ax.get_ylim()[0] > 1 > 0 > ax.get_ylim()[1]

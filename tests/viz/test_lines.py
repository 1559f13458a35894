"""Curves with their intervals and holes."""

import numpy as np
import pytest
from drawable import INF, NAN, sheet
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from egregium.viz.lines import draw_curve, hatch_holes, known_values


def test_whiskers_are_the_intervals_of_those_that_have_one() -> None:
    ax = Figure().add_subplot()
    draw_curve(ax, sheet([0, 1, 2, 3], [], [5, 6, NAN, 8], [0.5, NAN, 1, 0]), "blue")
    (whiskers,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert [segment[:, 1].tolist() for segment in whiskers.get_segments()] == [[4.5, 5.5]]


def test_a_hole_breaks_the_curve_and_is_hatched() -> None:
    ax = Figure().add_subplot()
    holed = sheet([0, 1, 2, 3, 4], [], [1, NAN, INF, 2, 3])
    draw_curve(ax, holed, "blue")
    hatch_holes(ax, holed)
    assert np.isnan(np.asarray(ax.lines[0].get_ydata())[[1, 2]]).all()
    (strip,) = ax.patches
    assert (strip.get_x(), strip.get_x() + strip.get_width()) == pytest.approx((0.5, 2.5))
    assert known_values(holed) == [1, 2, 3]


def test_a_value_between_holes_is_a_dot_among_many() -> None:
    ax = Figure().add_subplot()
    values = np.full(50, NAN)
    values[[10, 20, 21]] = 1.0
    draw_curve(ax, sheet(np.arange(50), [], values), "blue")
    assert list(ax.lines[1].get_xdata()) == [10]


def test_dots_of_an_adaptive_line_are_where_it_looked() -> None:
    ax = Figure().add_subplot()
    draw_curve(ax, sheet([0, 1, 2], [], [1, 2, 3], measured=[True, False, True]), "blue")
    assert list(ax.lines[1].get_xdata()) == [0, 2]

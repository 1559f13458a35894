"""Charts of documents, as drawn."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from drawable import INF, NAN, words
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from egregium.results import Chart, Series
from egregium.viz import Picture, chart_figure, svg
from egregium.viz.chart import COLOURS, DASHES, MANY, MARKS
from egregium.viz.scales import logarithmic_ticks

X = tuple(float(x) for x in range(1, 9))


def chart(*series: Series, **other: str) -> Chart:
    about = {"title": "What is seen", "caption": "All is fixed.", "x": "horizontal", "y": "vertical"}
    return Chart(**(about | other), series=series)  # type: ignore[arg-type]


def curves(picture: Picture) -> list[Line2D]:
    """All but the caps of whiskers, and dots where there are none."""
    drawn = [line for line in picture.figure.axes[0].lines if line.get_marker() != "_"]
    return [line for line in drawn if len(np.atleast_1d(line.get_xdata()))]


def whiskers(picture: Picture) -> list[list[float]]:
    found = [c for c in picture.figure.axes[0].collections if isinstance(c, LineCollection)]
    return [segment[:, 1].tolist() for c in found for segment in c.get_segments()]


def legend(picture: Picture) -> list[str]:
    return [text.get_text() for drawn in picture.figure.legends for text in drawn.get_texts()]


def test_points_are_marks_with_whiskers_and_what_was_computed_is_a_line() -> None:
    measured = Series("measured", X, X, half_widths=(0.5,) * 7 + (NAN,))
    picture = chart_figure(chart(Series("computed", X, X, mark="line"), measured))
    line, points = curves(picture)
    assert (line.get_linestyle(), line.get_marker()) == ("-", "None")
    assert (points.get_linestyle(), points.get_marker()) == ("None", "o")
    assert points.get_xydata().tolist() == [[x, x] for x in X]  # type: ignore[union-attr]
    assert whiskers(picture) == [[x - 0.5, x + 0.5] for x in X[:7]]
    assert points.get_zorder() > line.get_zorder()
    assert picture.title == "What is seen"
    assert picture.caption == "All is fixed. Whiskers are the intervals, no wider than the mark where none is seen."
    assert words(picture.figure) == ["horizontal", "vertical"]


def test_a_caption_that_speaks_of_whiskers_is_left_alone() -> None:
    said = "The whiskers are 95 % intervals."
    assert chart_figure(chart(Series("", X, X, X), caption=said)).caption == said


def test_a_legend_where_it_is_needed_and_not_over_data() -> None:
    assert legend(chart_figure(chart(Series("alone", X, X)))) == []
    assert legend(chart_figure(chart(Series("", X, X), Series("", X, X, mark="line")))) == []
    picture = chart_figure(chart(Series("equal", X, X, mark="line"), Series("", X, X), Series("lost", (NAN,), (1.0,))))
    assert legend(picture) == ["equal"]
    many = chart_figure(chart(*(Series(f"a series with number {i}", X, X) for i in range(6))))
    many.figure.draw_without_rendering()
    assert len(legend(many)) == 6
    (drawn,) = many.figure.legends
    assert drawn.get_window_extent().ymax < many.figure.axes[0].xaxis.label.get_window_extent().ymin
    assert drawn.get_window_extent().xmax <= many.figure.bbox.xmax


def test_series_are_told_apart_without_colour() -> None:
    clouds = curves(chart_figure(chart(*(Series(f"{i}", X, X) for i in range(7)))))
    assert [line.get_marker() for line in clouds] == list(MARKS)
    lines = curves(chart_figure(chart(*(Series(f"{i}", X, X, mark="line") for i in range(6)))))
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == len(DASHES)  # type: ignore[attr-defined]
    assert len({line.get_color() for line in lines}) == len(COLOURS)
    a_computed, a_found, b_computed, b_found = (
        Series(f"{name} {kind}", X, X, mark="line" if kind == "computed" else "points")
        for name in "ab"
        for kind in ("computed", "found")
    )
    pairs = curves(chart_figure(chart(a_computed, a_found, b_computed, b_found)))
    colours = [line.get_color() for line in pairs]  # lines are drawn first
    assert colours[:2] == colours[2:] == list(COLOURS[:2])


def test_what_cannot_be_drawn_is_counted() -> None:
    y = (1.0, NAN, INF, 0.0, -1.0, 2.0)
    x = (1.0, 2.0, 3.0, 4.0, 5.0, 0.0)
    picture = chart_figure(chart(Series("", x, y), caption="", x_scale="log", y_scale="log"))
    assert curves(picture)[0].get_xydata().tolist() == [[1, 1]]  # type: ignore[union-attr]
    assert picture.caption == (
        "2 numbers not finite and left out. 3 numbers of 0 or below left out, which a logarithmic axis cannot show."
    )
    linear = chart_figure(chart(Series("", x, y), caption=""))
    assert len(curves(linear)[0].get_xdata()) == 4  # type: ignore[arg-type]
    assert linear.caption == "2 numbers not finite and left out."


def test_a_line_is_broken_where_something_is_missing() -> None:
    picture = chart_figure(chart(Series("", X, (1.0, 2.0, NAN, 4.0, NAN, 6.0, 7.0, 8.0), mark="line")))
    dot, line = curves(picture)
    assert np.isnan(np.asarray(line.get_ydata())).tolist() == [math.isnan(y) for y in (1, 2, NAN, 4, NAN, 6, 7, 8)]
    assert dot.get_xdata().tolist() == [4]  # type: ignore[union-attr]


def test_a_whisker_beyond_a_logarithmic_axis_ends_at_its_edge() -> None:
    picture = chart_figure(chart(Series("", X, X, (0.1,) * 7 + (9.0,)), y_scale="log"))
    ends = whiskers(picture)
    bottom = picture.figure.axes[0].get_ylim()[0]
    assert ends[0] == pytest.approx([0.9, 1.1])
    assert ends[-1] == pytest.approx([bottom, 17.0])
    assert bottom > 0.5  # it does not stretch the axis
    assert "A whisker that ends at the lower edge goes on below it." in picture.caption


def test_everything_is_within_the_axes() -> None:
    series = (Series("a", X, tuple(10.0**x for x in X)), Series("b", (0.001, 50.0), (1e-9, 3.0), mark="line"))
    for scales in ({}, {"x_scale": "log", "y_scale": "log"}):
        ax = chart_figure(chart(*series, **scales)).figure.axes[0]
        assert ax.viewLim.contains(0.001, 1e-9)
        assert ax.viewLim.contains(50, 1e8)


def test_many_points_are_smaller_and_below_a_line() -> None:
    places = tuple(float(i) for i in range(MANY + 1))
    line = Series("equal", places, places, mark="line")
    few = curves(chart_figure(chart(line, Series("", places[1:], places[1:]))))
    many = curves(chart_figure(chart(line, Series("", places, places))))
    assert many[1].get_markersize() < few[1].get_markersize()
    assert few[0].get_zorder() < few[1].get_zorder()
    assert many[0].get_zorder() > many[1].get_zorder()


@pytest.mark.parametrize(
    ("low", "high"), [(0.5, 2e4), (1e-12, 1e12), (0.8, 6.0), (4.2, 4.4), (99.0, 101.0), (3.0, 400)]
)
def test_ticks_of_a_logarithmic_axis(low: float, high: float) -> None:
    ticks = logarithmic_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert all(low <= a < b <= high for a, b in pairwise(ticks))


def test_an_axis_says_that_it_is_logarithmic() -> None:
    picture = chart_figure(chart(Series("", X, X), x_scale="log"))
    assert words(picture.figure) == ["horizontal, logarithmic axis", "vertical"]


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("series", [(), (Series("", (), ()),), (Series("", (NAN,), (1.0,)),)])
def test_nothing_to_draw_is_said(series: tuple[Series, ...], scale: str) -> None:
    picture = chart_figure(chart(*series, x_scale=scale, y_scale=scale))
    assert "no number that can be drawn" in words(picture.figure)
    assert svg(picture).startswith("<svg")


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("ends", [(3.0,), (1e-300, 1e300), (5.0, 5.0)])
def test_one_place_and_wild_ones(ends: tuple[float, ...], scale: str) -> None:
    for mark in ("points", "line"):
        picture = chart_figure(chart(Series("", ends, ends, mark=mark), x_scale=scale, y_scale=scale))  # type: ignore[arg-type]
        assert svg(picture).startswith("<svg")
        assert all(picture.figure.axes[0].viewLim.contains(x, x) for x in ends)


def test_words_stay_words_and_colours_the_pages() -> None:
    evil = "<script>alert(1)</script> $x$ \x00"
    made = replace(chart(Series(evil, X, X), Series("b", X, X)), title=evil, caption=evil, x=evil, y=evil)
    drawing = svg(chart_figure(made), "k")
    assert "<script" not in drawing
    assert "\x00" not in drawing
    assert "$x$" in drawing
    assert drawing == svg(chart_figure(made), "k")
    assert "var(--picture-blue" in drawing
    assert all(to_rgb(colour) for colour in COLOURS)

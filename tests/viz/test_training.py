"""R along the points of a session, as drawn."""

from dataclasses import replace

import numpy as np
import pytest
from drawable import NAN
from matplotlib.collections import LineCollection

import egregium as eg
from egregium.viz import training_figure


def course(saddle: eg.Measurement, values: list[float], losses: list[float] | None = None) -> eg.Session:
    names = [f"step {j} $x$ <of a long course>" for j in range(len(values))]
    points = {
        name: replace(saddle, scalar_curvature=eg.Estimate(value, 0.1, confidence=0.9), loss=loss)
        for name, value, loss in zip(names, values, losses or values, strict=True)
    }
    return eg.Session("", "", points, "")


def test_no_course_of_two_points(saddle: eg.Measurement) -> None:
    assert training_figure(course(saddle, [1.0, 2.0])) is None


def test_values_and_intervals_in_order(saddle: eg.Measurement) -> None:
    picture = training_figure(course(saddle, [3.0, -1.0, 2.0], [9.0, NAN, 1.0]))
    assert picture is not None
    top, bottom = picture.figure.axes
    assert top.lines[0].get_ydata().tolist() == [3, -1, 2]
    (whiskers,) = [c for c in top.collections if isinstance(c, LineCollection)]
    expected = eg.Estimate(-1.0, 0.1).interval(0.9)
    assert whiskers.get_segments()[1][:, 1].tolist() == pytest.approx(expected)
    assert np.isnan(bottom.lines[0].get_ydata()).tolist() == [False, True, False]
    assert "1 point without a finite value" in picture.caption
    assert "90 %" in picture.caption


def test_wild_values_turn_the_axis(saddle: eg.Measurement) -> None:
    picture = training_figure(course(saddle, [1e-6, -1.0, 1e-3, 1e6], [1.0, 2, 3, 4]))
    assert picture is not None
    assert [ax.get_yscale() for ax in picture.figure.axes] == ["symlog", "linear"]
    assert "symmetric logarithmic" in picture.figure.axes[0].get_ylabel()


def test_many_points_are_named_in_part(saddle: eg.Measurement) -> None:
    picture = training_figure(course(saddle, [float(j) for j in range(40)]))
    assert picture is not None
    bottom = picture.figure.axes[1]
    assert len(bottom.get_xticks()) <= 6
    assert (bottom.get_xticks()[0], bottom.get_xticks()[-1]) == (1, 40)

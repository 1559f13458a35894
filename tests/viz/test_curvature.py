"""R at each point, as drawn."""

from dataclasses import replace

import pytest
from matplotlib.collections import LineCollection

import egregium as eg
from egregium.viz import curvature_figure


def dots(session: eg.Session) -> list[float]:
    (ax,) = curvature_figure(session).figure.axes
    return [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]


def test_dots_are_the_values_in_order(session: eg.Session) -> None:
    assert dots(session) == [m.scalar_curvature.value for m in session.measurements.values()]


def test_whiskers_are_the_interval_at_the_level_asked_for(session: eg.Session, sampled: eg.Measurement) -> None:
    (ax,) = curvature_figure(session).figure.axes
    whiskers = [c.get_segments()[0] for c in ax.collections if isinstance(c, LineCollection)]  # of each point
    assert [x for x, _ in whiskers[0 if whiskers[0][0][0] > 0 else 1]] == pytest.approx(
        sampled.scalar_curvature.interval(0.9)
    )


def test_names_and_values_are_written_as_they_are(session: eg.Session) -> None:
    (ax,) = curvature_figure(session).figure.axes
    words = [text.get_text() for text in ax.texts]
    assert "a <saddle> & $x" in words
    assert "−8 (exact)" in words
    assert all(not text.get_parse_math() for text in ax.texts)  # "$x" is a name, not a formula


def test_axis_turns_logarithmic_only_where_magnitudes_differ_wildly(
    session: eg.Session, saddle: eg.Measurement
) -> None:
    def scale(value: float) -> tuple[str, str]:
        other = replace(saddle, scalar_curvature=replace(saddle.scalar_curvature, value=value))
        points = {"saddle": saddle, "other": other}
        (ax,) = curvature_figure(replace(session, measurements=points)).figure.axes
        return ax.get_xscale(), ax.get_xlabel()

    assert scale(-80.0) == ("linear", "R = (tr S̃)² − |S̃|²_F")
    assert scale(-0.0008) == ("symlog", "R = (tr S̃)² − |S̃|²_F, symmetric logarithmic axis")


def test_caption_says_what_was_sampled(session: eg.Session, saddle: eg.Measurement) -> None:
    assert "only the probe vectors were sampled" in curvature_figure(session).caption
    assert "90 %" in curvature_figure(session).caption
    exact = replace(session, measurements={"saddle": saddle})
    assert "nothing was sampled" in curvature_figure(exact).caption

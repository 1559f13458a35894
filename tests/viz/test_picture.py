"""The style of pictures is theirs alone."""

import sys

import matplotlib
import pytest

import egregium as eg
from egregium.viz import Picture, curvature_figure, probes_figure, spectrum_figure, svg, terms_figure
from egregium.viz.picture import WIDTH, blank, label_axes, style


def pictures(session: eg.Session, sampled: eg.Measurement) -> list[Picture]:
    return [curvature_figure(session), terms_figure(session), spectrum_figure(sampled), probes_figure(sampled)]


def test_axes_are_labelled_and_pictures_have_one_caption_sentence(session: eg.Session, sampled: eg.Measurement) -> None:
    for picture in pictures(session, sampled):
        for ax in picture.figure.axes:
            assert ax.get_xlabel()
            assert ax.get_ylabel() or not ax.yaxis.get_visible()  # rows carry their names
        assert picture.title
        assert picture.caption.endswith(".")
        assert picture.caption.count(". ") == 0
        assert "fixed" in picture.caption
        assert "sampled" in picture.caption or "random" in picture.caption


def test_one_width_for_a_telephone(session: eg.Session, sampled: eg.Measurement) -> None:
    for picture in pictures(session, sampled):
        assert picture.figure.get_figwidth() == WIDTH


def test_the_callers_style_is_neither_used_nor_changed(session: eg.Session, sampled: eg.Measurement) -> None:
    plain = [svg(picture) for picture in pictures(session, sampled)]
    with matplotlib.rc_context(
        {"axes.facecolor": "red", "font.size": 30, "svg.hashsalt": "other", "lines.linewidth": 9}
    ):
        before = dict(matplotlib.rcParams)
        styled = [svg(picture) for picture in pictures(session, sampled)]
        assert dict(matplotlib.rcParams) == before
    assert styled == plain


def test_pyplot_keeps_no_figure(session: eg.Session, sampled: eg.Measurement) -> None:
    pictures(session, sampled)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        assert pyplot.get_fignums() == []
    with pytest.raises(AttributeError):
        _ = curvature_figure(session).figure.number  # only pyplot numbers its figures


def test_names_of_axes_have_room_in_the_picture() -> None:
    with style():
        figure = blank(2.0)
        ax = figure.add_subplot()
        label_axes(ax, "x", "a name\non two lines")
    figure.draw_without_rendering()
    assert ax.yaxis.label.get_window_extent().y1 <= figure.bbox.y1

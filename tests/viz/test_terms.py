"""What R is made of, as drawn."""

from dataclasses import replace

import pytest
from matplotlib.colors import to_hex

import egregium as eg
from egregium.results import TERMS
from egregium.viz import terms_figure
from egregium.viz.palette import INK, TERM_COLOURS


def scaled(m: eg.Measurement, factor: float) -> eg.Measurement:
    terms = {name: replace(e, value=factor * e.value) for name, e in m.terms.items()}
    return replace(
        m, terms=terms, scalar_curvature=replace(m.scalar_curvature, value=factor * m.scalar_curvature.value)
    )


def test_bars_are_the_terms_and_their_sum(session: eg.Session) -> None:
    panels = terms_figure(session).figure.axes
    for ax, measurement in zip(panels, session.measurements.values(), strict=True):
        widths = [bar.get_width() for bar in ax.patches]
        terms = [measurement.terms[name].value for name in TERMS]
        assert widths == [*terms, measurement.scalar_curvature.value]
        assert sum(widths[:4]) == pytest.approx(widths[4])


def test_every_bar_is_named(session: eg.Session) -> None:
    for ax in terms_figure(session).figure.axes:
        words = {text.get_text() for text in ax.texts}
        assert set(TERMS.values()) | {"their sum, R"} <= words


def test_sampled_terms_have_whiskers_and_the_exact_one_none(session: eg.Session, sampled: eg.Measurement) -> None:
    ax = terms_figure(session).figure.axes[0]
    drawn = [c.get_segments()[0] for c in ax.collections]
    shown = [sampled.terms[name] for name in TERMS] + [sampled.scalar_curvature]
    expected = [e.interval() for e in shown if e.stderr > 0]
    assert len(expected) == 4
    assert [tuple(x for x, _ in segment) for segment in drawn] == [pytest.approx(e) for e in expected]


def test_colours_tell_terms_apart(session: eg.Session) -> None:
    bars = terms_figure(session).figure.axes[0].patches
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [*(TERM_COLOURS[name] for name in TERMS), INK]


@pytest.mark.parametrize(("factor", "shared"), [(2.0, True), (1e-3, False)])
def test_panels_share_an_axis_only_where_comparable(saddle: eg.Measurement, factor: float, shared: bool) -> None:
    session = eg.Session("", "", {"a": saddle, "b": scaled(saddle, factor)}, "")
    picture = terms_figure(session)
    first, second = picture.figure.axes
    assert (first.get_xlim() == second.get_xlim()) is shared
    assert ("axis of its own" in picture.caption) is not shared

"""Pictures of a comparison: the numbers that they show are the comparison's."""

from dataclasses import replace

import pytest
from matplotlib.collections import LineCollection

import egregium as eg
from egregium.results import Comparison
from egregium.viz import differences_figure, points_figure, svg
from egregium.viz.palette import MUTED, VERMILLION


@pytest.fixture(scope="module")
def comparison(sampled: eg.Measurement) -> Comparison:
    other = replace(sampled, scalar_curvature=sampled.scalar_curvature.affine(3.0))
    return eg.compare({"a <b>": sampled, "$x": other})


def test_points_are_the_values(comparison: Comparison) -> None:
    (ax,) = points_figure(comparison).figure.axes
    dots = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert dots == [e.value for e in comparison.quantities[0].values.values()]
    assert {"a <b>", "$x"} <= {text.get_text() for text in ax.texts}


def test_differences_are_shares_with_their_intervals(comparison: Comparison) -> None:
    picture = differences_figure(comparison, "$x")
    assert picture is not None
    (ax,) = picture.figure.axes
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert float(dots[0].get_xdata()[0]) == pytest.approx(200.0)  # % of a third
    assert [line.get_color() for line in dots] == [VERMILLION] + [MUTED] * (len(dots) - 1)
    R = comparison.quantities[0]
    low, high = R.differences["$x"].interval()
    size = R.values["a <b>"].value / 100
    whiskers = [c.get_segments()[0] for c in ax.collections if isinstance(c, LineCollection)]
    assert [x for x, _ in whiskers[0]] == pytest.approx([low / size, high / size])
    assert "90 % interval" in picture.caption
    assert "a <b>" in ax.get_xlabel()


def test_no_raw_markup_in_labels(comparison: Comparison) -> None:
    picture = differences_figure(comparison, "$x")
    assert picture is not None
    assert "|H|_F" not in svg(picture)
    assert "Frobenius norm of H" in svg(picture)


def test_nothing_to_draw(saddle: eg.Measurement) -> None:
    nought = replace(
        saddle,
        scalar_curvature=saddle.scalar_curvature.affine(0.0),
        frobenius_norm=saddle.frobenius_norm.affine(0.0),
        trace=saddle.trace.affine(0.0),
        effective_rank=saddle.effective_rank.affine(0.0),
        mean_curvature=saddle.mean_curvature.affine(0.0),
    )
    assert differences_figure(eg.compare({"a": nought, "b": saddle}), "b") is None
    wild = replace(saddle, scalar_curvature=saddle.scalar_curvature.affine(1e6))
    picture = differences_figure(eg.compare({"a": saddle, "b": wild}), "b")
    assert picture is not None

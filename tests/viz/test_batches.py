"""Mini-batches beside the whole, as drawn."""

import pytest
import torch
from drawable import INF, NAN
from matplotlib.collections import LineCollection

from egregium.results import Estimate
from egregium.viz import batches_figure, svg

WHOLE = Estimate(2.0, 0.1, confidence=0.9)


def test_sorted_with_their_intervals() -> None:
    values, half = torch.tensor([3.0, NAN, 1.0, INF, 2.0]), torch.tensor([0.3, 1, 0.1, 1, NAN])
    picture = batches_figure(values, half, WHOLE, "R of $x$")
    strip, beside = picture.figure.axes
    assert strip.lines[0].get_ydata().tolist() == [1, 2, 3]
    (whiskers,) = [c for c in strip.collections if isinstance(c, LineCollection)]
    ends = [segment[:, 1].tolist() for segment in whiskers.get_segments()]
    assert ends == [pytest.approx([0.9, 1.1]), pytest.approx([2.7, 3.3])]
    assert sum(bar.get_width() for bar in beside.patches[1:]) == 3
    assert "2 batches without a finite value left out" in picture.caption
    assert "1 batch without an interval" in picture.caption
    assert "5 mini-batches" in picture.caption


def test_the_whole_is_a_band() -> None:
    strip, beside = batches_figure(torch.tensor([1.0, 3.0]), torch.zeros(2), WHOLE, "R").figure.axes
    for ax in (strip, beside):
        band = ax.patches[0]
        assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx(WHOLE.interval())


def test_exact_only_where_all_is() -> None:
    exact = Estimate(2.0, 0.0)
    assert "nothing was sampled" in batches_figure(torch.ones(2), torch.zeros(2), exact, "R").caption
    for half, whole in (([0.0, NAN], exact), ([0.0, 0.1], exact), ([0.0, 0.0], WHOLE)):
        assert "nothing was sampled" not in batches_figure(torch.ones(2), torch.tensor(half), whole, "R").caption


@pytest.mark.parametrize("values", [[], [NAN], [1.0], [0.0, 0.0], [1e-9, 1e-9, 1.0, 2.0, 1e6]])
def test_odd_numbers_of_batches(values: list[float]) -> None:
    picture = batches_figure(torch.tensor(values), torch.zeros(len(values)), WHOLE, "R")
    assert "<svg" in svg(picture)


def test_many_have_a_band() -> None:
    values = torch.linspace(0, 1, 200)
    strip = batches_figure(values, torch.full_like(values, 0.1), WHOLE, "R").figure.axes[0]
    assert not [c for c in strip.collections if isinstance(c, LineCollection)]
    assert len(strip.collections) == 1

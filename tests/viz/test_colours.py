"""Numbers as colours."""

import numpy as np
import pytest
from drawable import INF, NAN
from matplotlib.colors import LogNorm, Normalize, SymLogNorm, TwoSlopeNorm
from matplotlib.figure import Figure

from egregium.viz.colours import MOST_CELLS, colour_bar, colour_scale, draw_cells, edges, masked, with_widest


@pytest.mark.parametrize(
    ("values", "kind", "ends"),
    [
        ([1.0, 2, 3], Normalize, (1, 3)),
        ([-1.0, 2, NAN], TwoSlopeNorm, (-2, 2)),
        ([1e-9, 1.0, 2, 1e6, INF], LogNorm, (1e-9, 1e6)),
        ([-1e6, -1e-9, 1e-9, 2e-9, 1.0], SymLogNorm, (-1e6, 1e6)),
        ([-1e6, -1e-9, -1e-9], SymLogNorm, (-1e6, -1e-9)),
        ([3.0, 3.0], Normalize, (1.5, 4.5)),
        ([NAN], Normalize, (0, 1)),
        ([0.0], Normalize, (-0.5, 0.5)),
    ],
)
def test_scale_fits_signs_and_sizes(values: list[float], kind: type, ends: tuple[float, float]) -> None:
    _, norm = colour_scale(values)
    assert type(norm) is kind
    assert (norm.vmin, norm.vmax) == ends


def test_white_is_zero_where_signs_change() -> None:
    colours, norm = colour_scale([-1.0, 5.0])
    assert min(colours(norm(0.0))[:3]) > 0.95


def test_cells_lie_around_their_places() -> None:
    assert edges([0, 1, 3]).tolist() == [-0.5, 0.5, 2, 4]
    assert edges([7]).tolist() == [6.5, 7.5]


@pytest.mark.parametrize("side", [3, 30])
def test_many_cells_are_one_image(side: int) -> None:
    ax = Figure().add_subplot()
    mesh = draw_cells(ax, np.arange(side), np.arange(side), np.ones((side, side)))
    assert mesh.get_rasterized() == (side**2 > MOST_CELLS)


def test_bar_has_few_ticks_however_many_decades() -> None:
    figure = Figure()
    ax = figure.add_subplot()
    mesh = draw_cells(ax, [0, 1], [0, 1, 2], [[-1e6, 1e-9], [1e-9, -1e-8], [1, 1e6]])
    colour_bar(figure, mesh, ax, "R")
    figure.draw_without_rendering()
    assert len(figure.axes[1].get_yticks()) <= 7
    assert [text.get_text() for text in figure.axes[1].texts] == ["R"]


def test_widest_interval() -> None:
    assert with_widest("R", [0.1, 0.25, NAN]) == "R\n± 0.25"
    assert with_widest("f", [0.0, 0.0]) == with_widest("f", [NAN]) == "f"
    assert masked([1.0, NAN, INF]).count() == 1

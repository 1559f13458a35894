"""A figure in other colours for a while."""

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import egregium as eg
from egregium.viz import curvature_figure
from egregium.viz.palette import BLUE, CSS, DARK, INK, MUTED
from egregium.viz.recolouring import PROPERTIES, recoloured


def colours(figure: Figure) -> list[str]:
    found = []
    for artist in figure.findobj():
        for kind, names in PROPERTIES:
            if isinstance(artist, kind):
                found += [str(np.asarray(getattr(artist, f"get_{name}")()).tolist()) for name in names]
    return found


def line_colours(figure: Figure) -> set[str]:
    return {to_hex(line.get_color()) for line in figure.axes[0].lines}


def test_every_colour_has_a_dark_one() -> None:
    assert DARK.keys() == CSS.keys()


def test_replaced_inside_and_as_before_afterwards(session: eg.Session) -> None:
    figure = curvature_figure(session).figure
    figure.draw_without_rendering()
    before = colours(figure)
    with recoloured(figure, DARK):
        assert DARK[BLUE] in line_colours(figure)
        assert not {BLUE, INK, MUTED} & line_colours(figure)
        assert {to_hex(text.get_color()) for text in figure.axes[0].texts} == {DARK[INK]}
    assert colours(figure) == before


def test_as_before_after_an_error_too(session: eg.Session) -> None:
    figure = curvature_figure(session).figure
    with pytest.raises(KeyError), recoloured(figure, DARK):
        raise KeyError
    assert BLUE in line_colours(figure)


def test_opacity_is_kept_and_other_colours_are_left() -> None:
    ax = Figure().add_subplot()
    band = ax.fill_between([0, 1], [0, 1], [1, 2], color=(BLUE, 0.25))
    cells = ax.pcolormesh([[1.0, 2.0], [3.0, 4.0]])
    other: Artist = ax.plot([0, 1], color="#ffffff")[0]
    with recoloured(ax.figure, DARK):
        assert to_hex(band.get_facecolor()[0], keep_alpha=True) == DARK[BLUE] + "40"
        assert other.get_color() == "#ffffff"
        assert cells.get_array() is not None


def test_arrows_and_boxes_of_texts_too() -> None:
    ax = Figure().add_subplot()
    text = ax.annotate("", (0, 0), (1, 1), arrowprops={"arrowstyle": "<->", "color": BLUE}, bbox={"edgecolor": INK})
    with recoloured(ax.figure, DARK):
        assert text.arrow_patch is not None
        assert to_hex(text.arrow_patch.get_edgecolor()) == DARK[BLUE]
        assert to_hex(text.get_bbox_patch().get_edgecolor()) == DARK[INK]
    assert to_hex(text.arrow_patch.get_edgecolor()) == BLUE

"""Contours and what lies between their places."""

from itertools import pairwise

import numpy as np
import pytest
from drawable import NAN
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from egregium.viz.contours import draw_contours, levels
from egregium.viz.palette import HALO


def test_levels_are_round_and_inside() -> None:
    assert levels([0.0, 1.0]) == pytest.approx([0.2, 0.4, 0.6, 0.8])
    steep = levels([1e-9, 1e-8, 1.0, 2.0, 3.0, 1e6])
    ratios = [b / a for a, b in pairwise(steep)]
    assert min(ratios) > 3
    assert levels([2.0, 2.0]) == levels([NAN]) == []


def test_labels_tell_close_levels_apart() -> None:
    ax = Figure().add_subplot()
    x = np.linspace(0, 1, 30)
    draw_contours(ax, x, x, 2.3 + 1e-8 * np.add.outer(x, x), on_cells=True)
    labels = [text.get_text() for text in ax.texts]
    assert len(labels) > 2
    assert len(set(labels)) == len(labels)
    assert {to_hex(text.get_bbox_patch().get_facecolor()) for text in ax.texts} == {HALO}


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_no_area_no_contours(shape: tuple[int, int]) -> None:
    ax = Figure().add_subplot()
    draw_contours(ax, range(shape[1]), range(shape[0]), np.arange(shape[0] * shape[1]).reshape(shape))
    assert not ax.collections

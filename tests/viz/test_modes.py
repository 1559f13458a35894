"""A path between two points, as drawn."""

from typing import Literal

import torch
from drawable import NAN, made, sheet, words
from matplotlib.text import Annotation

from egregium.results import Cost, ModePath
from egregium.viz import mode_path_figure
from egregium.viz.modes import highest

T = torch.linspace(0, 1, 5, dtype=torch.float64)
HUMP, FLAT = [1.0, 2, 5, 3, 2], [1.0, 1.2, 1.4, 1.6, 2]


def modes(kind: Literal["linear", "bezier", "polygonal"] = "bezier", barrier: float = 0.25) -> ModePath:
    R = sheet([0, 1], [], [3, -4], [0.5, 0.25])
    path = made("path", {"loss": sheet(T, [], FLAT)})
    straight = made("path", {"scalar_curvature": R, "loss": sheet(T, [], HUMP)})
    return ModePath(kind, path, straight, barrier, 3.5, torch.empty(10, 1), torch.empty(0), Cost())


def test_both_curves_with_their_barriers() -> None:
    picture = mode_path_figure(modes())
    loss, curvature = picture.figure.axes
    drawn = [line.get_ydata().tolist() for line in loss.lines]
    assert HUMP in drawn
    assert FLAT in drawn
    said = " ".join(words(picture.figure))
    assert "straight line: barrier 3.5" in said
    assert "bezier path: barrier 0.25" in said
    assert "R" in curvature.get_ylabel()
    assert "at most ±0.5 (90 %)" in picture.caption


def test_arrow_reaches_from_the_chord_to_the_highest_place_above_it() -> None:
    assert highest(sheet(T, [], HUMP)) == (0.5, 5.0, 1.5)
    arrows = [a for a in mode_path_figure(modes()).figure.axes[0].texts if isinstance(a, Annotation) and a.arrow_patch]
    assert sorted((round(a.xy[1], 3), round(a.get_position()[1], 3)) for a in arrows) == [(5.0, 1.5)]  # FLAT has none


def test_a_linear_path_is_drawn_once() -> None:
    said = " ".join(words(mode_path_figure(modes("linear")).figure))
    assert "barrier 3.5" in said
    assert said.count("barrier") == 1


def test_holes_at_the_ends_leave_no_chord() -> None:
    assert highest(sheet(T, [], [NAN, 1, 2, 3, 4])) is None
    assert highest(sheet([0.0], [], [1.0])) is None
    assert highest(sheet(T, [], [1, NAN, NAN, 3, 1])) == (0.75, 3, 1)
    assert "barrier unknown" in " ".join(words(mode_path_figure(modes(barrier=NAN)).figure))

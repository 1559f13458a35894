"""Slices, as drawn."""

import numpy as np
import pytest
import torch
from drawable import INF, NAN, made, sheet, words
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.contour import ContourSet
from matplotlib.patches import Rectangle

from egregium.viz import slice_figures, svg

A = torch.linspace(-1, 1, 9, dtype=torch.float64)
BOWL = A**2 + A.unsqueeze(1) ** 2
COARSE = torch.tensor([-1.0, 0.0, 1.0])


def test_panels_of_a_line_share_its_coordinate() -> None:
    line = made(
        "line", {"loss": sheet(A, [], A**2), "scalar_curvature": sheet(COARSE, [], [1, -2, 3], [0.1, 0.2, 0.3])}
    )
    (picture,) = slice_figures(line)
    loss, curvature = picture.figure.axes
    assert loss.get_xlim() == curvature.get_xlim()
    assert np.allclose(loss.lines[1].get_ydata(), A**2)  # after the centre's line
    assert "loss f, units of the loss" in loss.get_ylabel()
    assert "f² / θ⁴" in curvature.get_ylabel()
    assert curvature.get_xlabel() == "along $a$ <first> (θ)"
    assert [line.get_marker() for line in loss.lines].count("D") == 1  # the centre
    assert "nothing sampled" in picture.caption
    assert "3 places, each at most ±0.3 (90 %)" in picture.caption


@pytest.mark.parametrize("kind", ["line", "path"])
def test_the_centre_is_marked_on_a_line_alone(kind: str) -> None:
    (picture,) = slice_figures(made(kind, {"loss": sheet(A, [], A**2)}))
    (ax,) = picture.figure.axes
    assert [line.get_marker() for line in ax.lines].count("D") == (kind == "line")
    assert ("the centre" in picture.caption) == (kind == "line")


def test_a_plane_is_r_under_contours_of_the_loss_and_a_map_of_all_else() -> None:
    R = [[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]
    sheets = {"loss": sheet(A, A, BOWL), "scalar_curvature": sheet(COARSE, COARSE, R, torch.full((3, 3), 0.5))}
    first, second = slice_figures(made("plane", sheets | {"accuracy": sheet(A, A, BOWL / 4)}))
    ax, bar = first.figure.axes
    (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    assert np.allclose(np.asarray(mesh.get_array()).reshape(3, 3), R)
    assert any(isinstance(c, ContourSet) for c in ax.collections)
    assert "R\nf² / θ⁴\n± 0.5" in [text.get_text() for text in bar.texts]
    assert not [c for c in second.figure.axes[0].collections if isinstance(c, ContourSet)]
    assert first.title == "Scalar curvature R over a plane"
    assert second.title == "Accuracy over a plane"


def test_a_plane_without_r_shows_the_loss_as_colour_and_contours() -> None:
    (picture,) = slice_figures(made("plane", {"loss": sheet(A, A, BOWL)}))
    kinds = {type(c) for c in picture.figure.axes[0].collections}
    assert QuadMesh in kinds
    assert any(issubclass(kind, ContourSet) for kind in kinds)


def test_holes_are_hatched_and_counted() -> None:
    holed = BOWL.clone()
    holed[0, 0], holed[3, 4] = NAN, INF
    (picture,) = slice_figures(made("plane", {"loss": sheet(A, A, holed)}))
    ax = picture.figure.axes[0]
    (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    assert np.ma.getmaskarray(mesh.get_array()).sum() == 2
    assert [patch.get_hatch() for patch in ax.patches if isinstance(patch, Rectangle)] == ["////"]
    assert "2 places not finite and hatched" in picture.caption
    (whole,) = slice_figures(made("plane", {"loss": sheet(A, A, BOWL)}))
    assert not whole.figure.axes[0].patches
    assert "hatched" not in whole.caption
    assert "url(#" in svg(picture)  # the hatching is found by its new name


def test_an_adaptive_grid_shows_where_it_looked() -> None:
    looked = BOWL < 1
    (picture,) = slice_figures(made("plane", {"loss": sheet(A, A, BOWL, measured=looked)}))
    dots = picture.figure.axes[0].lines[0]
    assert len(dots.get_xdata()) == int(looked.sum())
    assert f"{100 * float(looked.double().mean()):.3g} % of the places looked at (dots)" in picture.caption


def test_caption_says_what_a_reader_must_know_of_the_plane() -> None:
    about = {"statistics": "re-estimated", "cosine": -0.3, "lengths": (2.0, 0.5), "scale": 3.0}
    (picture,) = slice_figures(made("plane", {"loss": sheet(A, A, BOWL)}, **about))
    for part in ("BatchNorm's running statistics", "re-estimated", "cosine is −0.3", "by 2 and 0.5", "multiplied by 3"):
        assert part in picture.caption
    (plain,) = slice_figures(made("plane", {"loss": sheet(A, A, BOWL)}))
    for part in ("BatchNorm", "cosine", "one unit", "multiplied"):
        assert part not in plain.caption
    assert plain.caption.count(". ") == 0


@pytest.mark.parametrize("value", [NAN, 0.0, 1e-9, 1e6])
@pytest.mark.parametrize("kind", ["line", "plane"])
def test_one_place_alone(kind: str, value: float) -> None:
    at = sheet([0.0], [] if kind == "line" else [0.0], [value] if kind == "line" else [[value]])
    for picture in slice_figures(made(kind, {"loss": at, "scalar_curvature": at})):
        assert "<svg" in svg(picture)


def test_nothing_measured_nothing_drawn() -> None:
    assert slice_figures(made("plane", {})) == []


def test_many_intervals_are_a_band_and_few_are_whiskers() -> None:
    many = torch.linspace(-1, 1, 60)
    for a, bands in ((many, 1), (A, 0)):
        part = sheet(a, [], a.double(), torch.full(a.shape, 0.2))
        (picture,) = slice_figures(made("path", {"scalar_curvature": part}))
        kinds = [isinstance(c, LineCollection) for c in picture.figure.axes[0].collections]
        assert kinds.count(False) == bands
        assert kinds.count(True) == 1 - bands


def test_names_are_no_formulas() -> None:
    (picture,) = slice_figures(made("plane", {"loss": sheet(A, A, BOWL)}))
    assert "along $a$ <first> (θ)" in words(picture.figure)
    assert not picture.figure.axes[0].xaxis.label.get_parse_math()

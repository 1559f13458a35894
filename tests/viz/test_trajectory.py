"""Checkpoints on a plane, as drawn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from drawable import NAN, made, sheet, words
from matplotlib.contour import ContourSet

from egregium.results import Trajectory
from egregium.viz import svg, trajectory_figure
from egregium.viz.trajectory import AREA, MORE, plane_losses

A = torch.linspace(-1, 1, 5, dtype=torch.float64)


@pytest.fixture
def course() -> Trajectory:
    """Three checkpoints over the plane f = a + 2 b, the last beyond it."""
    plane = made("plane", {"loss": sheet(A, A, A + 2 * A.unsqueeze(1))})
    at = torch.tensor([[-1.0, -1], [0.25, 0.5], [1.5, 0]], dtype=torch.float64)
    apart, losses = torch.tensor([0.0, 2.0, 1.0]), torch.tensor([9.0, 4.0, 1.0])
    return Trajectory(("first $x$", "second", "<last>"), at, apart, losses, (0.75, 0.125), plane)


def test_circles_are_the_projections_sized_by_distance(course: Trajectory) -> None:
    ax = trajectory_figure(course).figure.axes[0]
    circles = ax.collections[-1]
    assert np.allclose(circles.get_offsets(), course.coordinates)
    assert circles.get_sizes().tolist() == [AREA, AREA + MORE, AREA + MORE / 2]
    assert any(isinstance(c, ContourSet) for c in ax.collections)
    assert {"first $x$", "<last>"} <= set(words(trajectory_figure(course).figure))
    assert "second" not in [text.get_text() for text in ax.texts]


def test_own_losses_stand_beside_the_planes(course: Trajectory) -> None:
    picture = trajectory_figure(course)
    own, there = picture.figure.axes[1].lines
    assert own.get_ydata().tolist() == [9, 4, 1]
    assert there.get_ydata().tolist() == pytest.approx([-3, 1.25, NAN], nan_ok=True)
    assert plane_losses(course).tolist() == pytest.approx([-3, 1.25, NAN], nan_ok=True)
    assert "1 projection outside of the grid or beside a hole" in picture.caption
    heights = [bar.get_height() for bar in picture.figure.axes[2].patches]
    assert heights == course.apart.tolist()


def test_shares_stand_at_the_axes(course: Trajectory) -> None:
    ax = trajectory_figure(course).figure.axes[0]
    assert "75 %" in ax.get_xlabel()
    assert "12.5 %" in ax.get_ylabel()
    unknown = trajectory_figure(replace(course, explained=(NAN, NAN))).figure.axes[0]
    assert "%" not in unknown.get_xlabel()


def test_unknown_distances_and_losses_are_left_out_and_said(course: Trajectory) -> None:
    holed = replace(course, apart=torch.tensor([NAN, 2, 1]), losses=torch.tensor([9, NAN, 1]))
    picture = trajectory_figure(holed)
    assert picture.figure.axes[0].collections[-1].get_facecolor()[0, 3] == 0  # hollow
    assert np.isnan(picture.figure.axes[1].lines[0].get_ydata()).tolist() == [False, True, False]
    assert "1 checkpoint without a finite loss" in picture.caption
    assert "1 distance unknown" in picture.caption


@pytest.mark.parametrize("count", [1, 3])
def test_without_a_plane(course: Trajectory, count: int) -> None:
    few = {name: getattr(course, name)[:count] for name in ("names", "coordinates", "apart", "losses")}
    picture = trajectory_figure(replace(course, plane=None, **few))
    assert not [c for c in picture.figure.axes[0].collections if isinstance(c, ContourSet)]
    assert len(picture.figure.axes[1].texts) == 1  # the plane's loss has no name: it is not there
    assert "<svg" in svg(picture)


def test_a_grid_without_area_has_no_loss_between_its_places(course: Trajectory) -> None:
    point = made("plane", {"loss": sheet([0.0], [0.0], [[1.0]])})
    assert np.isnan(plane_losses(replace(course, plane=point))).all()

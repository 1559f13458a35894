"""The plane of a portrait as pictures."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import egregium as eg
from egregium.results import Portrait
from egregium.viz import plane_figure, surface_figure, svg


def wave(x: torch.Tensor) -> torch.Tensor:
    return torch.sin(2 * x[0]) * torch.cos(1.5 * x[1]) + 0.3 * x[1] ** 2


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    theta = torch.tensor([0.4, -0.3], dtype=torch.float64)
    return eg.geometry.portrait(eg.Landscape.from_function(wave, theta), k=1, grid=3, radius=0.5)


def test_r_as_colour(portrait: Portrait) -> None:
    picture = plane_figure(portrait)
    assert picture is not None
    axes = picture.figure.axes[0]
    assert portrait.plane is not None
    shown = axes.collections[0].get_array()
    np.testing.assert_allclose(np.asarray(shown).reshape(3, 3), portrait.plane.scalar_curvatures)
    assert len(axes.lines) == 2 * 8 + 1  # each ray with its halo, and the point
    assert "9 places" in picture.caption
    assert "κ" in axes.get_xlabel()


def test_the_surface_has_the_rays_on_it(portrait: Portrait) -> None:
    picture = surface_figure(portrait)
    assert picture is not None
    axes = picture.figure.axes[0]
    assert portrait.plane is not None
    x, y, z = axes.lines[0].get_data_3d()  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.stack([x, y], 1), portrait.plane.rays[0])
    np.testing.assert_allclose(z, portrait.plane.heights[0])
    assert "<svg" in svg(picture)


def test_holes_are_said_and_drawn_as_holes(portrait: Portrait) -> None:
    plane = portrait.plane
    assert plane is not None
    values, losses = plane.scalar_curvatures.clone(), plane.losses.clone()
    values[0, 0] = losses[0, 0] = torch.nan
    holed = replace(portrait, plane=replace(plane, scalar_curvatures=values, losses=losses))
    picture = plane_figure(holed)
    assert picture is not None
    assert "1 places have no R" in picture.caption
    assert np.ma.getmaskarray(picture.figure.axes[0].collections[0].get_array()).sum() == 1
    assert surface_figure(holed) is not None


def test_no_plane_no_picture(portrait: Portrait) -> None:
    assert plane_figure(replace(portrait, plane=None)) is None
    assert surface_figure(replace(portrait, plane=None)) is None

"""Adaptive grids."""

from typing import Any

import pytest
import torch
from torch import Tensor

import egregium as eg
from egregium import slices

DOUBLE = torch.float64


def bump(x: Tensor) -> Tensor:
    """A plain with a narrow ridge along x0 = 0.3."""
    return torch.exp(-(((x[0] - 0.3) / 0.05) ** 2)) + 0 * x[1]


def seen(f: Any, adaptive: float | None, points: int = 65) -> Any:
    land = eg.Landscape.from_function(f, torch.zeros(2, dtype=DOUBLE))
    return slices.plane(land, torch.eye(2, dtype=DOUBLE), span=1.0, points=points, adaptive=adaptive).sheets["loss"]


def test_refined_where_the_surface_bends() -> None:
    fine, coarse = seen(bump, None), seen(bump, 0.01)
    share = float(coarse.measured.double().mean())
    assert share < 0.5
    assert bool(fine.measured.all())
    assert torch.equal(coarse.values[coarse.measured], fine.values[coarse.measured])
    near = (coarse.a - 0.3).abs() < 0.1
    assert float(coarse.measured[:, near].double().mean()) > 0.9
    assert float(coarse.measured[:, coarse.a < -0.3].double().mean()) < 0.1
    assert float((coarse.values - fine.values).abs().max()) < 0.1


def test_a_flat_surface_needs_a_coarse_grid_alone() -> None:
    sheet = seen(lambda x: 3 * x[0] - x[1], 0.01)
    assert int(sheet.measured.sum()) == 9 * 9 + 8 * 8  # corners and middles of squares of 8
    torch.testing.assert_close(sheet.values, (3 * sheet.a - sheet.b[:, None]))


@pytest.mark.parametrize("share", [1e-2, 1e-3])
@pytest.mark.parametrize("f", [lambda x: x[0] * x[1], lambda x: (x[0] + x[1]) ** 2, lambda x: x[0] ** 2 - x[1] ** 2])
def test_what_bends_across_the_axes_is_seen(f: Any, share: float) -> None:
    """x y has no second differences along its axes, and x^2 - y^2 no deviation in the middle of a square."""
    fine, found = seen(f, None), seen(f, share)
    size = float(fine.values.max() - fine.values.min())
    assert float((found.values - fine.values).abs().max()) <= 1.01 * share * size


def test_holes_are_surrounded_and_stay() -> None:
    sheet = seen(lambda x: torch.sqrt(0.25 - x @ x), 0.01)
    outside = (sheet.a**2 + sheet.b[:, None] ** 2) > 0.25
    holes = sheet.values.isnan()
    assert torch.equal(holes & sheet.measured, outside & sheet.measured)
    edge = (sheet.a**2 + sheet.b[:, None] ** 2 - 0.25).abs() < 0.02
    assert bool(sheet.measured[edge].all())


def test_along_a_line_and_with_odd_counts() -> None:
    land = eg.Landscape.from_function(bump, torch.zeros(2, dtype=DOUBLE))
    d = torch.tensor([1.0, 0.0], dtype=DOUBLE)
    sheet = slices.line(land, d, span=1.0, points=129, adaptive=0.01).sheets["loss"]
    assert int(sheet.measured.sum()) < 65
    full = slices.line(land, d, span=1.0, points=129).sheets["loss"]
    assert float((sheet.values - full.values).abs().max()) < 0.1
    assert bool(slices.line(land, d, span=1.0, points=8, adaptive=0.01).sheets["loss"].measured.all())


def test_an_adaptive_run_can_be_stopped() -> None:
    land = eg.Landscape.from_function(bump, torch.zeros(2, dtype=DOUBLE))
    count: list[Any] = []
    found = slices.plane(
        land,
        torch.eye(2, dtype=DOUBLE),
        span=1.0,
        points=65,
        adaptive=0.01,
        progress=lambda report: count.append(report) or len(count) < 20,
    )
    assert int(found.sheets["loss"].measured.sum()) == 19
    assert found.notes == ("Stopped: the loss f is known at 19 of 4225 places.",)


@pytest.mark.parametrize("points", [2, 3, 4, 9])
def test_small_grids(points: int) -> None:
    sheet = seen(lambda x: x @ x, 0.01, points)
    assert bool(sheet.measured[0, 0])
    assert sheet.values.shape == (points, points)

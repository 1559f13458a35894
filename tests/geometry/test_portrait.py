"""The portrait of a point: its numbers are those of the single functions, and its plane is what it says."""

import math
from typing import Any

import pytest
import torch
from surfaces import DOUBLE, at, sphere, wave
from torch import nn

import egregium as eg
from egregium import geometry as geo
from egregium.errors import ArgumentError


@pytest.fixture(scope="module")
def portrait() -> Any:
    return geo.portrait(at(wave, 0.3, -0.4, 0.7), k=2, grid=3, radius=0.2)


def test_numbers_are_those_of_the_functions(portrait: Any) -> None:
    land = at(wave, 0.3, -0.4, 0.7)
    T = geo.tangent_space(land)
    assert portrait.scalar_curvature.value == pytest.approx(eg.scalar_curvature(land).value)
    assert portrait.mean_curvature.value == pytest.approx(geo.mean_curvature(land).value)
    assert (portrait.loss, portrait.volume_element) == pytest.approx((land.value(), T.W))
    u = T.gradient / T.norm(T.gradient)
    assert portrait.ricci_along_gradient.value == pytest.approx(geo.ricci(land, u, u).value)
    assert portrait.principal.largest.values.tolist() == pytest.approx(geo.principal_curvatures(land, 2).largest.values)
    assert portrait.cost.gradients > 100


def test_the_plane(portrait: Any) -> None:
    """Its middle is the point; R and loss beside it are those of the landscape there."""
    plane, land = portrait.plane, at(wave, 0.3, -0.4, 0.7)
    assert float(plane.losses[12, 12]) == pytest.approx(land.value())
    assert float(plane.scalar_curvatures[1, 1]) == pytest.approx(portrait.scalar_curvature.value)
    found = geo.principal_curvatures(land, 2)
    pairs = [
        (v, x)
        for p, X in ((found.largest, found.largest_directions), (found.smallest, found.smallest_directions))
        for v, x in zip(p.values, X.T, strict=True)
    ]
    pairs.sort(key=lambda pair: -abs(float(pair[0])))
    assert plane.curvatures[0] == pytest.approx(float(pairs[0][0]))
    T = geo.tangent_space(land)
    corner = {float(land.at(land.theta + s * 0.2 * pairs[0][1]).value()) for s in (1, -1)}
    assert min(abs(float(plane.losses[12, 24]) - value) for value in corner) < 1e-6
    assert plane.rays.shape == (8, 13, 2)
    assert float(plane.apart[:, 0].max()) < 1e-12
    assert float(plane.heights[0, 0]) == pytest.approx(land.value())
    assert float((plane.rays[0, -1] - torch.tensor([0.2, 0.0])).norm()) < 0.1
    assert T.n == 3


def test_places_outside_the_domain_are_holes() -> None:
    found = geo.portrait(at(sphere, 0.7, 0.3), k=1, grid=3, radius=1.0)
    assert bool(found.plane is not None and found.plane.losses.isnan().any())
    assert bool(found.plane.scalar_curvatures.isnan().any())


def test_it_prints_its_rows_and_saves(portrait: Any, tmp_path: Any) -> None:
    text = str(portrait)
    for name in ("scalar curvature R", "largest, number 2", "Ricci, along g", "90 % of planes"):
        assert name in text
    portrait.save(tmp_path / "p.json")
    read = eg.load(tmp_path / "p.json")
    assert str(read) == text
    assert torch.equal(read.plane.losses, portrait.plane.losses)
    assert "<table>" in portrait._repr_html_()


@pytest.mark.parametrize("n", [2, 3])
def test_a_sphere_has_two_directions_too(n: int) -> None:
    """All principal curvatures are equal, and both ends may find the same direction."""
    found = geo.portrait(at(sphere, *[0.1] * n), k=1, grid=3, radius=0.1)
    assert found.plane is not None
    torch.testing.assert_close(found.plane.scalar_curvatures, torch.full((3, 3), n * (n - 1.0), dtype=DOUBLE))
    across = found.plane.rays[2, -1]  # the ray along the second axis
    assert abs(float(across[1])) > 0.09


def test_stopping_leaves_what_is_known() -> None:
    found = geo.portrait(at(wave, 0.3, -0.4, 0.7), grid=3, k=1, progress=lambda report: "plane" not in report.phase)
    assert math.isfinite(found.scalar_curvature.value)
    assert found.plane is not None
    assert int(found.plane.scalar_curvatures.isfinite().sum()) == 1
    assert "1 of 9 places" in found.plane.notes[-1]


def test_the_budget_is_for_the_nearest_places_first() -> None:
    land = at(wave, 0.3, -0.4, 0.7)
    whole = geo.portrait(land, grid=5, k=1)
    spent = whole.cost.gradients - geo.portrait(land, grid=0, k=1).cost.gradients
    found = geo.portrait(land, grid=5, k=1, budget=spent - 60)
    assert found.plane is not None
    known = found.plane.scalar_curvatures.isfinite()
    assert 9 <= int(known.sum()) < 25
    assert bool(known[1:4, 1:4].all())
    assert "The budget ended" in found.plane.notes[-1]


def test_at_a_minimum_there_is_no_direction_of_g() -> None:
    found = geo.portrait(at(lambda x: x @ x, 0.0, 0.0), k=1, grid=0)
    assert found.ricci_along_gradient is None
    assert "Ricci" not in str(found)


def test_a_network_with_kinks_says_so() -> None:
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)).double()
    data = (torch.randn(20, 3, dtype=DOUBLE), torch.randn(20, 2, dtype=DOUBLE))
    found = geo.portrait(eg.Landscape(model, nn.MSELoss(), data), k=1, grid=3)
    assert found.plane is not None
    assert "kinks" in found.plane.notes[0]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"grid": 4}, "grid must be odd"),
        ({"grid": 1}, "grid must be"),
        ({"k": 4}, "at most n = 3"),
        ({"budget": 0}, "budget"),
        ({"k": 0}, "k must be"),
        ({"radius": 0.0}, "radius"),
    ],
)
def test_arguments_that_do_not_fit(how: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        geo.portrait(at(wave, 0.0, 0.0, 0.0), **how)


def test_one_parameter() -> None:
    with pytest.raises(ArgumentError, match="at least two parameters"):
        geo.portrait(at(lambda x: x @ x, 0.0))

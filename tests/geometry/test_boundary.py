"""Logarithm and distance: closed forms, round trips, axioms of a distance, and targets that are not reached."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from surfaces import DOUBLE, at, cylinder, sphere, vectors, wave
from torch import Tensor, nn

import egregium as eg
from egregium import geometry as geo
from egregium.errors import ArgumentError
from egregium.geometry.relaxation import Nodes

settings.register_profile("egregium", deadline=None, max_examples=15, derandomize=True)
settings.load_profile("egregium")
METHODS: tuple[Any, ...] = ("auto", "relaxation", "shooting")


def on_the_ball(n: int, seed: int, length: float) -> Tensor:
    x = vectors(1, n, seed)[0]
    return length * x / x.norm()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [2, 3, 10])
def test_distances_on_the_sphere(n: int, method: Any) -> None:
    a, b = on_the_ball(n, 1, 0.6), on_the_ball(n, 2, 0.7)
    found = geo.log(eg.Landscape.from_function(sphere, a), b, method=method)
    assert found.distance.value == pytest.approx(math.acos(float(a @ b + sphere(a) * sphere(b))), abs=3e-8)
    assert found.converged


@pytest.mark.parametrize("method", METHODS)
def test_a_cylinder_is_flat(method: Any) -> None:
    a, b = torch.tensor([0.3, -0.2], dtype=DOUBLE), torch.tensor([-0.5, 0.9], dtype=DOUBLE)
    found = geo.distance(eg.Landscape.from_function(cylinder, a), b, method=method)
    assert found.value == pytest.approx(math.hypot(math.asin(0.3) + math.asin(0.5), 1.1), abs=3e-8)


@given(st.integers(0, 10_000), st.floats(0.05, 1.0))
def test_exp_of_log_and_log_of_exp(seed: int, length: float) -> None:
    theta, v = vectors(2, 3, seed)
    land = eg.Landscape.from_function(lambda x: torch.sin(x[0]) * torch.cos(x[1]) + torch.tanh(x[2] - x[0]) / 2, theta)
    v = length * v / v.norm()
    end = geo.exp(land, v)
    found = geo.log(land, end)
    assert found.converged
    torch.testing.assert_close(geo.exp(land, found.velocity), end, rtol=0, atol=3e-8)
    if length < 0.5:  # where no other geodesic is near
        torch.testing.assert_close(found.velocity, v, rtol=0, atol=1e-6)


def test_log_of_a_network(tanh_mlp: nn.Module, ragged: Any) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged).scaled(5.0)
    v = vectors(1, land.n)[0]
    v = v / v.norm()
    end = geo.exp(land, v)
    for method in METHODS:
        found = geo.log(land, end, method=method, rtol=1e-6)
        assert found.converged
        assert float((found.velocity - v).norm()) < 1e-4
        low, high = found.distance.interval()
        assert low - 1e-9 <= geo.tangent_space(land).norm(v) <= high + 1e-9 or method == "relaxation"


def test_distance_is_one() -> None:
    """Symmetric, zero for one point, and shorter than any detour; longer than the chord, shorter than the line."""
    a, b, c = (torch.tensor(x, dtype=DOUBLE) for x in ((0.1, 0.2, 0.3), (0.3, -0.3, 0.5), (-0.1, 0.1, 0.6)))
    land = eg.Landscape.from_function(wave, a)
    ab, bc, ac = (geo.distance(land.at(p), q).value for p, q in ((a, b), (b, c), (a, c)))
    assert geo.distance(land.at(b), a).value == pytest.approx(ab, abs=1e-7)
    assert ac <= ab + bc
    assert geo.distance(land, a).value == 0
    line = torch.stack([torch.lerp(a, b, s) for s in np.linspace(0, 1, 2001)])
    lifted = torch.cat([line, torch.stack([wave(x) for x in line]).unsqueeze(1)], 1)
    chord, along = float((lifted[-1] - lifted[0]).norm()), float((lifted[1:] - lifted[:-1]).norm(dim=1).sum())
    assert chord < ab < along


def test_relaxation_and_shooting_agree() -> None:
    a, b = torch.tensor([0.1, 0.2, 0.3], dtype=DOUBLE), torch.tensor([0.4, -0.3, 0.6], dtype=DOUBLE)
    one, other = (geo.log(eg.Landscape.from_function(wave, a), b, method=m) for m in METHODS[1:])
    torch.testing.assert_close(one.velocity, other.velocity, rtol=0, atol=1e-6)


def test_the_path_has_constant_speed_and_the_right_ends() -> None:
    a, b = torch.tensor([0.1, 0.2, 0.3], dtype=DOUBLE), torch.tensor([0.4, -0.3, 0.6], dtype=DOUBLE)
    found = geo.log(eg.Landscape.from_function(wave, a), b, method="relaxation")
    assert torch.equal(found.path[0], a)
    assert torch.equal(found.path[-1], b)
    s = Nodes.of_degree(len(found.path) - 1).s
    lifted = torch.cat([found.path, torch.stack([wave(x) for x in found.path]).unsqueeze(1)], 1)
    chords = (lifted[1:] - lifted[:-1]).norm(dim=1).numpy() / np.diff(s)
    assert np.ptp(chords) < 0.02 * chords.mean()  # chords are shorter than arcs, to second order


@pytest.mark.parametrize("m", [4, 9, 32])
def test_nodes_differentiate_polynomials_exactly(m: int) -> None:
    nodes = Nodes.of_degree(m)
    for k in range(1, m + 1):
        np.testing.assert_allclose(nodes.D @ nodes.s**k, k * nodes.s ** (k - 1), atol=1e-9)
    np.testing.assert_allclose(nodes.inner.T @ nodes.K[1:-1, 1:-1] @ nodes.inner, np.eye(m - 1), atol=1e-9)
    energy = (nodes.s**2) @ nodes.K @ nodes.s**2  # of s^2: int 4 s^2
    assert energy == pytest.approx(4 / 3)


# --- not reached, and bad input


def test_a_target_behind_the_edge_is_not_reached() -> None:
    land = at(lambda x: torch.where(x[0].abs() > 1, torch.nan, x[0] ** 2 / 100), 0.0, 0.0)
    for method in METHODS:
        found = geo.log(land, torch.tensor([2.0, 0.1], dtype=DOUBLE), method=method)
        assert not found.converged
        assert found.notes
        assert not found.distance.converged


def test_the_budget_ends_it() -> None:
    land = at(wave, 0.3, -0.4, 0.7)
    found = geo.log(land, torch.tensor([0.9, 0.6, -0.4], dtype=DOUBLE), budget=100)
    assert not found.converged
    assert found.cost.gradients <= 110
    assert "budget" in found.notes[-1]


def test_kinks_are_said() -> None:
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)).double()
    land = eg.Landscape(model, nn.MSELoss(), (torch.randn(20, 3, dtype=DOUBLE), torch.randn(20, 2, dtype=DOUBLE)))
    found = geo.log(land, land.theta + 0.3, steps=8, budget=2000)
    assert "kinks (Relu)" in found.notes[0]


@pytest.mark.parametrize(
    ("target", "how", "words"),
    [
        (torch.zeros(3, dtype=DOUBLE), {}, "own point"),
        (torch.zeros(2, dtype=DOUBLE), {}, "target must be"),
        (torch.full((3,), torch.nan, dtype=DOUBLE), {}, "finite"),
        (torch.ones(3, dtype=DOUBLE), {"method": "newton"}, '"auto", "relaxation" or "shooting"'),
        (torch.ones(3, dtype=DOUBLE), {"tolerance": 0.0}, "tolerance must be positive and below 1"),
    ],
)
def test_arguments_that_do_not_fit(target: Tensor, how: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        geo.log(at(wave, 0.0, 0.0, 0.0), target, **how)

"""Geodesics, transport and Jacobi fields: closed forms, other solvers, conservation, and paths that go nowhere."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from surfaces import DOUBLE, at, cylinder, sphere, vectors, wave
from torch import Tensor, nn

import egregium as eg
from egregium import geometry as geo
from egregium.errors import ArgumentError, ArithmeticalError
from egregium.geometry import reference

settings.register_profile("egregium", deadline=None, max_examples=15, derandomize=True)
settings.load_profile("egregium")


def lift(land: eg.Landscape, theta: Tensor) -> Tensor:
    return torch.cat([theta, theta.new_tensor([land.at(theta).value()])])


# --- closed forms


@pytest.mark.parametrize("n", [2, 4])
def test_great_circles(n: int) -> None:
    land = at(sphere, *[0.2] * n)
    v = vectors(1, n)[0] / 4
    T = geo.tangent_space(land)
    found = geo.geodesic(land, v, 1.5, points=4)
    start, along, speed = lift(land, land.theta), T.lifted(v), T.norm(v)
    for t, point in zip(found.times.tolist(), found.points, strict=True):
        expected = math.cos(speed * t) * start + math.sin(speed * t) * along / speed
        torch.testing.assert_close(lift(land, point), expected, rtol=0, atol=2e-8)
    assert found.length == pytest.approx(1.5 * speed)


def test_helices_on_a_cylinder() -> None:
    """Straight lines of the unrolled cylinder: the angle and the height grow evenly."""
    land = at(cylinder, 0.3, -0.2)
    v = torch.tensor([0.4, 0.5], dtype=DOUBLE)
    found = geo.geodesic(land, v)
    angle = math.asin(0.3) + 0.4 / math.sqrt(1 - 0.3**2)
    assert found.end.tolist() == pytest.approx([math.sin(angle), 0.3], abs=1e-8)
    assert geo.sectional_curvatures(land, 4).samples.abs().max() < 1e-12


def test_transport_around_a_loop_turns_by_the_enclosed_curvature() -> None:
    """A circle of latitude on the sphere, at the polar angle a: turned by 2 pi (1 - cos a)."""
    a = 0.5
    land = at(sphere, math.sin(a), 0.0)

    def circle(s: Tensor) -> Tensor:
        return math.sin(a) * torch.stack([torch.cos(2 * math.pi * s), torch.sin(2 * math.pi * s)])

    x = torch.tensor([0.0, 1.0], dtype=DOUBLE)
    found = geo.transport(land, x, circle)
    T = geo.tangent_space(land)
    assert T.angle(found.vectors[:, 0], x) == pytest.approx(2 * math.pi * (1 - math.cos(a)), abs=1e-8)
    assert found.drift < 1e-8


@pytest.mark.parametrize("seed", range(3))
def test_transport_around_a_small_triangle_turns_by_its_curvature(seed: int) -> None:
    """By K times the area, in the plane of the triangle, to first order."""
    land = at(wave, 0.3, -0.4, 0.7)
    T = geo.tangent_space(land)
    a, b = (1e-3 * x for x in T.orthonormal(torch.stack(vectors(2, 3, seed), 1)).T)
    theta = land.theta
    found = geo.transport(
        land, torch.stack([a, b], 1), torch.stack([theta, theta + a, theta + b, theta]), tolerance=1e-13
    )
    turned = T.inner(found.vectors[:, 0] - a, b) / 1e-6
    area = 0.5e-6
    assert turned == pytest.approx(-area * T.inner(T.riemann(a, b, a), b) / 1e-12, rel=5e-3)


def test_jacobi_fields_on_the_sphere() -> None:
    land = at(sphere, 0.1, 0.2, -0.1)
    T = geo.tangent_space(land)
    u, w = T.orthonormal(torch.stack(vectors(2, 3), 1)).T
    found = geo.geodesic(land, u, 0.7, fields=(torch.zeros_like(w), w), carry=w)
    there = geo.tangent_space(land.at(found.end))
    J, K, parallel = found.fields[-1, :, 0], found.slopes[-1, :, 0], found.carried[-1, :, 0]
    assert there.norm(J - math.sin(0.7) * parallel) < 1e-8
    assert there.norm(K - math.cos(0.7) * parallel) < 1e-8


# --- other ways to the same numbers


def test_geodesics_against_another_solver_and_the_dense_christoffel_symbols() -> None:
    theta, v = torch.tensor([0.3, -0.4, 0.7], dtype=DOUBLE), torch.tensor([0.8, 0.5, -0.9], dtype=DOUBLE)

    def equation(_t: float, state: np.ndarray) -> np.ndarray:
        x, y = torch.from_numpy(state).split(3)
        return np.concatenate([y, -torch.einsum("ikl,k,l->i", reference.christoffel(wave, x), y, y).numpy()])

    there = solve_ivp(equation, (0, 1), torch.cat([theta, v]).numpy(), method="DOP853", rtol=1e-11, atol=1e-11).y[:, -1]
    found = geo.geodesic(eg.Landscape.from_function(wave, theta), v)
    assert found.end.numpy() == pytest.approx(there[:3], abs=3e-8)
    assert found.end_velocity.numpy() == pytest.approx(there[3:], abs=1e-7)


def test_jacobi_fields_are_derivatives_of_exp(tanh_mlp: nn.Module, ragged: Any) -> None:
    """J with J(0) = 0, DJ/dt(0) = w is the derivative of exp(v + s w) in s; none of third order is taken."""
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged).scaled(5.0)
    v, w = vectors(2, land.n, seed=4)
    v, step = v / v.norm(), 1e-4
    found = geo.geodesic(land, v, fields=(torch.zeros(land.n, 1, dtype=DOUBLE), w.unsqueeze(1)))
    ahead, behind = (geo.exp(land, v + s * step * w, tolerance=1e-12) for s in (1, -1))
    torch.testing.assert_close(found.fields[-1, :, 0], (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-6)


def test_fixed_steps_come_to_the_same_end() -> None:
    land, v = at(wave, 0.3, -0.4, 0.7), torch.tensor([0.4, 0.2, -0.3], dtype=DOUBLE)
    ends = [geo.exp(land, v, steps=steps) for steps in (20, 40)]
    true = geo.exp(land, v, tolerance=1e-13)
    errors = [float((end - true).norm()) for end in ends]
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.3)  # fourth order


# --- what is conserved


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6), st.integers(0, 10_000))
def test_speed_norms_and_angles_are_conserved(c: list[float], seed: int) -> None:
    """To 1e-8 a unit of length, at the default tolerance, on random smooth functions."""

    def f(x: Tensor) -> Tensor:
        a, b, d = x
        waves = c[0] * torch.sin(a + 2 * b) + c[1] * torch.cos(b * d) + c[2] * torch.tanh(a - d)
        return waves + c[3] * a * b + c[4] * torch.cos(d) + c[5] * torch.sin(a) ** 2

    theta, v, w, x = vectors(4, 3, seed)
    found = geo.geodesic(eg.Landscape.from_function(f, theta), v, 2.0, carry=torch.stack([w, x], 1), points=5)
    assert found.converged
    assert found.drift < 1e-8 * max(found.length, 1.0)


@pytest.mark.parametrize("begin", [0.7, 0.9, 0.99])
@pytest.mark.parametrize("turn", [0.0, 0.7, 1.6, 2.5])
def test_drift_near_the_edge_of_a_sphere(begin: float, turn: float) -> None:
    """Where the gradient grows without bound, too: below 1e-8 a unit of length."""
    land = at(sphere, begin, 0.0, 0.0)
    v = torch.tensor([math.cos(turn), math.sin(turn), 0.0], dtype=DOUBLE)
    v = v / geo.tangent_space(land).norm(v)
    for length in (0.3, 1.0, 1.5):
        found = geo.geodesic(land, v, length)
        assert found.drift < 1e-8 * max(found.length, 1.0) or not found.converged


def test_drift_is_reported_where_there_is_some() -> None:
    """Coarse steps: the speed moves, and `drift` says by how much."""
    land, v = at(wave, 0.3, -0.4, 0.7), torch.tensor([0.8, 0.5, -0.9], dtype=DOUBLE)
    found = geo.geodesic(land, v, steps=3)
    moved = geo.tangent_space(land.at(found.end)).norm(found.end_velocity) / geo.tangent_space(land).norm(v)
    assert found.drift == pytest.approx(abs(moved**2 - 1), rel=1e-6)
    assert found.drift > 1e-5


def test_back_and_forth() -> None:
    land, v = at(wave, 0.3, -0.4, 0.7), torch.tensor([0.4, 0.2, -0.3], dtype=DOUBLE)
    there = geo.geodesic(land, v)
    torch.testing.assert_close(geo.exp(land.at(there.end), -there.end_velocity), land.theta, rtol=0, atol=2e-8)


def test_transport_along_a_geodesic_and_along_its_points_agree() -> None:
    land, v = at(wave, 0.3, -0.4, 0.7), torch.tensor([0.4, 0.2, -0.3], dtype=DOUBLE)
    x = torch.stack(vectors(2, 3), 1)
    path = geo.geodesic(land, v, points=100)
    along, over = geo.transport(land, x, path), geo.transport(land, x, path.points)
    assert along.converged
    assert over.converged
    torch.testing.assert_close(along.vectors, over.vectors, rtol=0, atol=1e-6)
    torch.testing.assert_close(along.point, over.point, rtol=0, atol=1e-9)
    torch.testing.assert_close(along.vectors, geo.geodesic(land, v, carry=x).carried[-1], rtol=0, atol=1e-7)


def test_cost_is_counted() -> None:
    """A pass is a gradient and a product; of j Jacobi fields, 1 + j products; carried vectors are free."""
    land, v = at(wave, 0.3, -0.4, 0.7), torch.tensor([0.4, 0.2, -0.3], dtype=DOUBLE)
    plain = geo.geodesic(land, v, steps=10).cost
    assert (plain.hvps, plain.gradients) == (40, 40 * 3 + 2)  # and the metric at both ends
    assert geo.geodesic(land, v, steps=10, carry=torch.eye(3, dtype=DOUBLE)).cost.hvps == 40
    x = torch.eye(3, dtype=DOUBLE)[:, :2]
    assert geo.geodesic(land, v, steps=10, fields=(0 * x, x)).cost.hvps == 40 * 3


def test_float32(tanh_mlp: nn.Module, ragged: Any) -> None:
    data = [(x.float(), y) for x, y in ragged]
    land = eg.Landscape(tanh_mlp.float(), nn.CrossEntropyLoss(), data)
    found = geo.geodesic(land, vectors(1, land.n)[0].float() / 10)
    assert found.end.dtype == torch.float32
    assert found.converged
    assert found.drift < 1e-4


def test_the_model_is_untouched(tanh_mlp: nn.Module, ragged: Any) -> None:
    before = [p.clone() for p in tanh_mlp.parameters()]
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged)
    geo.geodesic(land, vectors(1, land.n)[0] / 10)
    assert all(torch.equal(a, b) for a, b in zip(before, tanh_mlp.parameters(), strict=True))


# --- paths that go nowhere, and bad input


def test_a_velocity_of_zero_stays() -> None:
    land = at(wave, 0.3, -0.4, 0.7)
    found = geo.geodesic(land, torch.zeros(3, dtype=DOUBLE), fields=tuple(torch.eye(3, dtype=DOUBLE) for _ in range(2)))
    assert torch.equal(found.end, land.theta)
    torch.testing.assert_close(found.fields[-1], 2 * torch.eye(3, dtype=DOUBLE))


def test_leaving_the_domain() -> None:
    land = at(sphere, 0.3, 0.2)
    found = geo.geodesic(land, torch.tensor([3.0, 0.0], dtype=DOUBLE), budget=2000)
    assert not found.converged
    assert 0 < found.length < math.pi / 2
    assert "ended at length" in found.notes[-1]
    assert bool(torch.isfinite(found.points).all())
    with pytest.raises(ArithmeticalError, match="ended at time"):
        geo.exp(land, torch.tensor([3.0, 0.0], dtype=DOUBLE), budget=2000)


def test_a_step_out_of_the_domain_is_tried_again() -> None:
    """A wall that the first step jumps over: the path comes close to it, and says why it ended."""
    land = at(lambda x: x[0] ** 2 / 100 + torch.where(x[0] > 1, torch.nan, 0.0), 0.0, 0.0)
    found = geo.geodesic(land, torch.tensor([4.0, 0.0], dtype=DOUBLE))
    assert not found.converged
    assert float(found.end[0]) == pytest.approx(1.0, abs=0.01)
    assert "left the domain" in found.notes[-1]


def test_fixed_steps_out_of_the_domain_are_left_out() -> None:
    land = at(lambda x: x[0] ** 2 / 100 + torch.where(x[0] > 1, torch.nan, 0.0), 0.0, 0.0)
    found = geo.geodesic(land, torch.tensor([1.04, 0.0], dtype=DOUBLE), steps=13, points=14)
    assert not found.converged
    assert float(found.end[0]) == pytest.approx(0.96, abs=1e-3)
    assert "domain" in found.notes[-1]


def test_a_path_that_lost_its_speed_is_no_geodesic() -> None:
    """At the sphere's edge the solver stops without a word: the speed says so."""
    land, v = at(sphere, 0.0, 0.0), torch.tensor([1.0, 0.0], dtype=DOUBLE)
    found = geo.geodesic(land, v, 3.0)
    assert not found.converged
    assert "no geodesic any more" in found.notes[-1]
    with pytest.raises(ArithmeticalError, match="no geodesic any more"):
        geo.exp(land, 3 * v)


def test_the_budget_ends_a_path() -> None:
    land, v = at(wave, 0.3, -0.4, 0.7), torch.tensor([0.8, 0.5, -0.9], dtype=DOUBLE)
    found = geo.geodesic(land, v, budget=60)
    assert not found.converged
    assert found.cost.gradients <= 60 + 2
    assert "budget" in found.notes[-1]


def test_the_budget_ends_transport() -> None:
    land = at(wave, 0.3, -0.4, 0.7)
    path = torch.stack([land.theta, land.theta + 0.1, land.theta + 0.3])
    found = geo.transport(land, torch.ones(3, dtype=DOUBLE), path, budget=80)
    assert not found.converged
    assert "of piece" in found.notes[-1]


def test_kinks_are_said() -> None:
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)).double()
    land = eg.Landscape(model, nn.MSELoss(), (torch.randn(20, 3, dtype=DOUBLE), torch.randn(20, 2, dtype=DOUBLE)))
    v = vectors(1, land.n)[0]
    found = geo.geodesic(land, v / v.norm(), steps=10)
    assert "kinks (Relu)" in found.notes[0]
    assert "kinks" in geo.transport(land, v, torch.stack([land.theta, land.theta + v / 100]), steps=2).notes[0]


def test_no_kinks_no_note(tanh_mlp: nn.Module, ragged: Any) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged)
    assert geo.geodesic(land, vectors(1, land.n)[0], steps=2).notes == ()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"velocity": torch.ones(2, dtype=DOUBLE)}, "velocity must be"),
        ({"t": 0.0}, "t must be positive"),
        ({"points": 1}, "at least 2"),
        ({"steps": 0}, "steps must be"),
        ({"tolerance": 2.0}, "tolerance must be positive and below 1"),
        ({"budget": 0}, "budget, in gradients, must be positive"),
        ({"carry": torch.ones(4, 2)}, "carry must be"),
        ({"fields": (torch.ones(3, 2, dtype=DOUBLE), torch.ones(3, dtype=DOUBLE))}, "equal numbers"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], words: str) -> None:
    whole = {"velocity": torch.ones(3, dtype=DOUBLE)} | arguments
    with pytest.raises(ArgumentError, match=words):
        geo.geodesic(at(wave, 0.0, 0.0, 0.0), **whole)


@pytest.mark.parametrize("path", [torch.ones(1, 3), torch.ones(3), "there", lambda s: s])
def test_paths_that_are_none(path: Any) -> None:
    with pytest.raises(ArgumentError, match="path"):
        geo.transport(at(wave, 0.0, 0.0, 0.0), torch.ones(3, dtype=DOUBLE), path)

"""The conventions of docs/geometry.md, one test each, on surfaces where another choice would show."""

import math

import pytest
import torch
from surfaces import DOUBLE, at, sphere, vectors, wave

import egregium as eg
from egregium import geometry as geo
from egregium.geometry import reference


def bowl(x: torch.Tensor) -> torch.Tensor:
    return x[0] ** 2 + 2 * x[1] ** 2 + x[0] * x[1] / 2


def test_1_normal_points_to_larger_losses() -> None:
    T = geo.tangent_space(at(bowl, 0.3, 0.1))
    assert float(T.normal[-1]) > 0
    x = torch.tensor([1.0, 0.0], dtype=DOUBLE)
    assert T.second_fundamental_form(x, x) > 0
    assert geo.mean_curvature(T.land).value > 0


def test_2_index_order_of_riemann() -> None:
    """Asymmetric arguments tell R^i_klm z^k x^l y^m from every other order."""
    land = at(wave, 0.3, -0.4, 0.7)
    T, dense = geo.tangent_space(land), reference.tensors(wave, land.theta)
    x, y, z = vectors(3, 3)
    expected = torch.einsum("iklm,k,l,m->i", dense.riemann, z, x, y)
    torch.testing.assert_close(T.riemann(x, y, z), expected)
    assert not torch.allclose(T.riemann(y, x, z), expected)
    H = torch.func.hessian(wave)(land.theta)
    lowered = T.beta * (torch.einsum("il,km->iklm", H, H) - torch.einsum("im,kl->iklm", H, H))
    torch.testing.assert_close(dense.lowered, lowered)


def test_3_signs_on_the_sphere() -> None:
    land = at(sphere, 0.2, 0.1, -0.3)
    T, (x, y) = geo.tangent_space(land), vectors(2, 3)
    assert T.sectional_curvature(x, y) == pytest.approx(1)
    assert geo.ricci(land, x, y).value == pytest.approx(2 * T.inner(x, y))
    dense = reference.tensors(sphere, land.theta)
    torch.testing.assert_close(torch.einsum("ikim->km", dense.riemann), dense.ricci)
    torch.testing.assert_close(dense.ricci, 2 * dense.metric)


def test_4_orthonormal_is_meant_in_the_metric() -> None:
    T = geo.tangent_space(at(wave, 0.3, -0.4, 0.7))
    E = T.orthonormal(torch.stack(vectors(3, 3), 1))
    torch.testing.assert_close(E.T @ T.metric_matrix() @ E, torch.eye(3, dtype=DOUBLE))
    assert not torch.allclose(E.T @ E, torch.eye(3, dtype=DOUBLE), atol=0.05)
    x = geo.principal_curvatures(T.land, 1).largest_directions[:, 0]
    assert float(x @ T.metric_matrix() @ x) == pytest.approx(1)


def test_5_coordinates_and_lifts() -> None:
    T, x = geo.tangent_space(at(wave, 0.3, -0.4, 0.7)), vectors(1, 3)[0]
    assert T.shape(x).shape == (3,)
    assert torch.equal(T.lifted(x)[:3], x)
    assert float(T.lifted(x)[3]) == pytest.approx(float(T.gradient @ x))


def test_6_mean_curvature_is_a_mean() -> None:
    assert geo.mean_curvature(at(sphere, 0.1, 0.2, 0.3)).value == pytest.approx(1)


def test_7_norms_of_matrices_are_in_the_metric() -> None:
    """|Ric - (R/n) metric|^2 with both indices raised by the inverse metric."""
    land = at(wave, 0.3, -0.4, 0.7)
    dense = reference.tensors(wave, land.theta)
    E = dense.ricci - dense.scalar_curvature / 3 * dense.metric
    in_metric = torch.einsum("ij,kl,ik,jl->", E, E, dense.inverse, dense.inverse)
    assert geo.einstein_defect(land).value == pytest.approx(float(in_metric))
    assert float(in_metric) != pytest.approx(float(E.square().sum()), rel=0.05)


def test_8_time() -> None:
    land = at(wave, 0.3, -0.4, 0.7)
    T, v = geo.tangent_space(land), vectors(1, 3)[0] / 3
    twice = geo.geodesic(land, v, 2.0)
    assert twice.length == pytest.approx(2 * T.norm(v))
    torch.testing.assert_close(twice.end, geo.exp(land, 2 * v), rtol=0, atol=1e-8)
    assert T.norm(twice.velocities[0]) == pytest.approx(T.norm(v))
    w = vectors(2, 3)[1]
    fast, slow = (geo.geodesic(land, s * v, 1 / s, fields=(0 * w, s * w)) for s in (1.0, 2.0))
    torch.testing.assert_close(fast.fields[-1], slow.fields[-1], rtol=0, atol=1e-8)
    torch.testing.assert_close(2 * fast.slopes[-1], slow.slopes[-1], rtol=0, atol=1e-7)


def test_9_random_planes_are_uniform_in_the_metric() -> None:
    """On a product of a sphere and a line, K of a plane is cos^2 of its angle to the sphere's: 1/3 in the mean."""
    land = eg.Landscape.from_function(
        lambda x: -torch.sqrt(1 - x[0] ** 2 - x[1] ** 2), torch.tensor([0.6, 0.5, 0.0], dtype=DOUBLE)
    )
    found = geo.sectional_curvatures(land, 600)
    low, high = found.mean.interval(0.999)
    assert low <= 1 / 3 <= high
    assert float(found.samples.max()) <= 1 + 1e-9
    share = float((found.samples < 0.25).double().mean())  # cos is uniform: P(cos^2 < 1/4) = 1/2
    assert abs(share - 0.5) < 3.3 * math.sqrt(0.25 / 600)

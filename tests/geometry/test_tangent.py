"""Metric, embedding and curvature at a point, against the dense reference and on random functions."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from surfaces import DOUBLE, at, sphere, vectors, wave
from torch import Tensor, nn

import egregium as eg
from egregium import geometry as geo
from egregium.errors import ArgumentError, LossError, OutOfMemoryError
from egregium.geometry import reference
from egregium.operators import dense_matrix

settings.register_profile("egregium", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("egregium")
CLOSE: dict[str, Any] = {"rel": 1e-9, "abs": 1e-12}
numbers = st.floats(-1.5, 1.5, allow_nan=False)


def random_function(c: list[float]) -> Any:
    """A smooth function of three variables with these coefficients."""

    def f(x: Tensor) -> Tensor:
        a, b, d = x
        waves = c[0] * torch.sin(a + 2 * b) + c[1] * torch.cos(b * d) + c[2] * torch.tanh(a - d)
        return waves + c[3] * a * b + c[4] * d**2 + c[5] * a**3

    return f


points = st.tuples(st.lists(numbers, min_size=6, max_size=6), st.lists(numbers, min_size=3, max_size=3))


@given(points)
def test_tensors_of_random_functions(case: tuple[list[float], list[float]]) -> None:
    """Christoffel, Riemann, sectional, Ricci and R: closed forms against derivatives of the metric."""
    f, theta = random_function(case[0]), torch.tensor(case[1], dtype=DOUBLE)
    dense, T = reference.tensors(f, theta), geo.tangent_space(eg.Landscape.from_function(f, theta))
    x, y, z = vectors(3, 3)
    size = float(dense.riemann.abs().max()) + 1
    torch.testing.assert_close(T.metric_matrix(), dense.metric)
    torch.testing.assert_close(T.christoffel(x, y), torch.einsum("ikl,k,l->i", dense.christoffel, x, y))
    torch.testing.assert_close(
        T.riemann(x, y, z), torch.einsum("iklm,k,l,m->i", dense.riemann, z, x, y), rtol=1e-8, atol=1e-10 * size
    )
    assert T.sectional_curvature(x, y) == pytest.approx(dense.sectional_curvature(x, y), rel=1e-8, abs=1e-10 * size)
    S = geo.mean_curvature(T.land).value * 3
    assert T.ricci(x, y, S) == pytest.approx(float(x @ dense.ricci @ y), rel=1e-8, abs=1e-10 * size)
    R = eg.scalar_curvature(T.land).value
    assert pytest.approx(dense.scalar_curvature, rel=1e-8, abs=1e-10 * size) == R


def test_tensors_of_a_network() -> None:
    """A network small enough for the reference: its Landscape's tensors against derivatives of its metric."""
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    X, labels = torch.randn(9, 2, dtype=DOUBLE), torch.randint(0, 2, (9,))
    names, shapes = zip(*((name, p.shape) for name, p in model.named_parameters()), strict=True)

    def f(theta: Tensor) -> Tensor:
        pieces = theta.split([shape.numel() for shape in shapes])
        own = {name: piece.view(shape) for name, piece, shape in zip(names, pieces, shapes, strict=True)}
        return 5 * nn.functional.cross_entropy(torch.func.functional_call(model, own, (X,)), labels)

    T = geo.tangent_space(
        eg.Landscape(model, nn.CrossEntropyLoss(), [(X[:4], labels[:4]), (X[4:], labels[4:])]), scale=5.0
    )
    dense = reference.tensors(f, T.land.theta)
    x, y, z = vectors(3, T.n)
    torch.testing.assert_close(T.metric_matrix(), dense.metric)
    torch.testing.assert_close(T.christoffel(x, y), torch.einsum("ikl,k,l->i", dense.christoffel, x, y))
    torch.testing.assert_close(T.riemann(x, y, z), torch.einsum("iklm,k,l,m->i", dense.riemann, z, x, y))
    assert T.sectional_curvature(x, y) == pytest.approx(dense.sectional_curvature(x, y), rel=1e-9)
    assert geo.ricci(T.land, x, y).value == pytest.approx(float(x @ dense.ricci @ y), rel=1e-9)
    assert eg.scalar_curvature(T.land).value == pytest.approx(dense.scalar_curvature, rel=1e-9)


@given(points)
def test_symmetries_of_riemann(case: tuple[list[float], list[float]]) -> None:
    """Antisymmetry, exchange of pairs, the first Bianchi identity, and the Gauss equation."""
    T = geo.tangent_space(eg.Landscape.from_function(random_function(case[0]), torch.tensor(case[1], dtype=DOUBLE)))
    w, x, y, z = vectors(4, 3, seed=1)
    close: dict[str, Any] = {"abs": 1e-11 * (1 + T.W) ** 2 * (1 + abs(T.second_fundamental_form(x, x))) ** 2}
    torch.testing.assert_close(T.riemann(x, y, z), -T.riemann(y, x, z))
    R = T.inner(T.riemann(x, y, z), w)
    assert pytest.approx(-T.inner(T.riemann(x, y, w), z), **close) == R
    assert pytest.approx(T.inner(T.riemann(z, w, x), y), **close) == R
    bianchi = T.riemann(x, y, z) + T.riemann(y, z, x) + T.riemann(z, x, y)
    assert T.norm(bianchi) < close["abs"]
    h = T.second_fundamental_form
    assert pytest.approx(h(y, z) * h(x, w) - h(x, z) * h(y, w), **close) == R


def test_metric_operators(tanh_mlp: nn.Module, ragged: Any) -> None:
    """Inverse, roots, determinant and frames of a network's metric, against dense algebra."""
    T = geo.tangent_space(eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged), scale=30.0)
    G = T.metric_matrix()
    eye = torch.eye(T.n, dtype=DOUBLE)
    torch.testing.assert_close(G, eye + torch.outer(T.gradient, T.gradient))
    torch.testing.assert_close(dense_matrix(T.inverse_metric) @ G, eye)
    torch.testing.assert_close(dense_matrix(T.root) @ dense_matrix(T.root), G)
    torch.testing.assert_close(dense_matrix(T.inverse_root) @ dense_matrix(T.root), eye)
    assert T.determinant == pytest.approx(float(torch.linalg.det(G)))
    assert pytest.approx(math.sqrt(T.determinant)) == T.W
    E = T.orthonormal(torch.stack(vectors(4, T.n), 1))
    torch.testing.assert_close(E.T @ G @ E, torch.eye(4, dtype=DOUBLE))
    torch.testing.assert_close(T.metric @ T.riemannian_gradient, T.gradient)


def test_inner_products_are_those_of_the_embedding() -> None:
    T = geo.tangent_space(at(wave, 0.3, -0.4, 0.7))
    x, y = vectors(2, 3)
    assert T.inner(x, y) == pytest.approx(float(T.lifted(x) @ T.lifted(y)))
    assert T.norm(x) == pytest.approx(float(T.lifted(x).norm()))
    assert T.angle(x, y) == pytest.approx(math.acos(T.inner(x, y) / T.norm(x) / T.norm(y)))
    assert float(T.normal @ T.lifted(x)) == pytest.approx(0.0, abs=1e-14)
    assert float(T.normal.norm()) == pytest.approx(1.0)


def test_small_angles_keep_their_digits() -> None:
    """arccos would return 0 for 1e-9, or 1.5e-8."""
    T = geo.tangent_space(at(wave, 0.3, -0.4, 0.7))
    E = T.orthonormal(torch.stack(vectors(2, 3), 1))
    assert T.angle(E[:, 0], E[:, 0] + 1e-9 * E[:, 1]) == pytest.approx(1e-9, rel=1e-6)
    assert T.angle(E[:, 0], -E[:, 0]) == pytest.approx(math.pi)


def test_second_fundamental_form_is_the_second_derivative_along_the_normal() -> None:
    """h(x, x) of a curve theta + t x: the part of its lift's acceleration along the normal."""
    land = at(wave, 0.3, -0.4, 0.7)
    T, (x, y) = geo.tangent_space(land), vectors(2, 3)
    step = 1e-4
    values = [land.at(land.theta + s * step * x).value() for s in (-1, 0, 1)]
    bend = (values[0] - 2 * values[1] + values[2]) / step**2
    assert T.second_fundamental_form(x, x) == pytest.approx(bend * float(T.normal[-1]), rel=1e-6)
    assert T.inner(T.shape(x), y) == pytest.approx(T.second_fundamental_form(x, y))
    assert T.third_fundamental_form(x, y) == pytest.approx(T.inner(T.shape(x), T.shape(y)))


def test_scale_is_that_of_the_loss() -> None:
    x, y = vectors(2, 3)
    scaled, other = geo.tangent_space(at(wave, 0.3, 0.1, 0.2), scale=5.0), at(lambda t: 5 * wave(t), 0.3, 0.1, 0.2)
    assert scaled.sectional_curvature(x, y) == pytest.approx(geo.tangent_space(other).sectional_curvature(x, y))


def test_curvature_of_a_network_against_its_dense_hessian(tanh_mlp: nn.Module, ragged: Any, mlp_reference: Any) -> None:
    """The same formulas, from a Hessian that nothing of egregium touched."""
    T = geo.tangent_space(eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged))
    g, H = mlp_reference.gradient, mlp_reference.hessian
    G, W = torch.eye(T.n, dtype=DOUBLE) + torch.outer(g, g), (1 + g @ g).sqrt()
    h, S = H / W, torch.linalg.solve(G, H) / W
    Ric = S.trace() * h - h @ S
    x, y, z = vectors(3, T.n)
    torch.testing.assert_close(T.shape(x), S @ x)
    torch.testing.assert_close(T.riemann(x, y, z), (y @ h @ z) * (S @ x) - (x @ h @ z) * (S @ y))
    assert geo.ricci(T.land, x, y).value == pytest.approx(float(x @ Ric @ y), **CLOSE)
    P = dense_matrix(T.inverse_root)
    torch.testing.assert_close(dense_matrix(geo.ricci_operator(T.land)), P @ Ric @ P)
    R = torch.linalg.solve(G, Ric).trace()
    defect = (P @ Ric @ P).square().sum() - R**2 / T.n
    assert geo.einstein_defect(T.land).value == pytest.approx(float(defect), rel=1e-8)
    assert geo.gauss_kronecker_curvature(T.land) == pytest.approx(float(torch.linalg.det(S)), rel=1e-6)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_sphere(n: int) -> None:
    land = at(sphere, *[0.6 / math.sqrt(n)] * n)
    T, (x, y, z) = geo.tangent_space(land), vectors(3, n)
    torch.testing.assert_close(T.shape(x), x)
    torch.testing.assert_close(T.riemann(x, y, z), T.inner(y, z) * x - T.inner(x, z) * y)
    assert T.sectional_curvature(x, y) == pytest.approx(1.0)
    assert geo.mean_curvature(land).value == pytest.approx(1.0)
    assert geo.ricci(land, x, y).value == pytest.approx((n - 1) * T.inner(x, y))
    assert geo.gauss_kronecker_curvature(land) == pytest.approx(1.0)
    assert abs(geo.einstein_defect(land).value) < 1e-10


# --- bad input


def test_vectors_that_do_not_fit() -> None:
    T = geo.tangent_space(at(wave, 0.3, -0.4, 0.7))
    x = torch.ones(3, dtype=DOUBLE)
    with pytest.raises(ArgumentError, match=r"shape \(3,\), got \(2,\)"):
        T.norm(x[:2])
    with pytest.raises(ArgumentError, match="got list"):
        T.inner(x, [1.0, 2.0, 3.0])  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="int64"):
        T.norm(torch.ones(3, dtype=torch.int64))
    with pytest.raises(ArgumentError, match="finite"):
        T.shape(x * torch.inf)


@pytest.mark.parametrize("factor", [0.0, 1.0, -2.0, 1 + 1e-15])
def test_degenerate_planes_are_refused(factor: float) -> None:
    T, x = geo.tangent_space(at(wave, 0.3, -0.4, 0.7)), torch.tensor([1.0, 2.0, 3.0], dtype=DOUBLE)
    with pytest.raises(ArgumentError, match="span no plane"):
        T.sectional_curvature(x, factor * x)


def test_zero_vectors_have_no_angle() -> None:
    T, x = geo.tangent_space(at(wave, 0.3, -0.4, 0.7)), torch.ones(3, dtype=DOUBLE)
    with pytest.raises(ArgumentError, match="must not be zero"):
        T.angle(x, 0 * x)


def test_nearly_parallel_vectors_still_span_a_plane() -> None:
    T, (x, y) = geo.tangent_space(at(wave, 0.3, -0.4, 0.7)), vectors(2, 3)
    assert T.sectional_curvature(x, x + 1e-8 * y) == pytest.approx(T.sectional_curvature(x, y), rel=1e-5)


def test_matrices_of_many_rows_are_refused() -> None:
    land = eg.Landscape.from_function(lambda x: x @ x, torch.zeros(5001))
    with pytest.raises(OutOfMemoryError, match="at most 5,000 rows"):
        geo.tangent_space(land).metric_matrix()
    with pytest.raises(OutOfMemoryError, match="principal_curvatures"):
        geo.gauss_kronecker_curvature(land)


def test_points_outside_the_domain() -> None:
    with pytest.raises(LossError):
        geo.tangent_space(at(sphere, 0.9, 0.9))


def test_the_reference_refuses_many_dimensions() -> None:
    with pytest.raises(ArgumentError, match="1 to 32"):
        reference.tensors(lambda x: x @ x, torch.zeros(33))

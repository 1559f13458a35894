"""The shape operator and the curvature that follows from it, against dense formulas and on random functions."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import grad, hessian

import egregium as eg
from egregium.curvature import TangentFrame, second_derivative, tangent_frame
from egregium.errors import ArgumentError
from egregium.operators import dense_matrix

DOUBLE = torch.float64
settings.register_profile("egregium", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("egregium")

Function = Callable[[Tensor], Tensor]


def dense_shape(f: Function, x: Tensor) -> Tensor:
    """P H P / W with P the inverse root of the metric by a dense eigendecomposition."""
    g, H = grad(f)(x), hessian(f)(x)
    values, vectors = torch.linalg.eigh(torch.eye(len(x), dtype=DOUBLE) + torch.outer(g, g))
    P = vectors @ torch.diag(values**-0.5) @ vectors.T
    return P @ H @ P / (1 + g @ g).sqrt()


def curvature_terms(f: Function, x: Tensor) -> tuple[float, float]:
    """R by the formula in tr H, |H|_F^2, g^T H g and |H g|^2, and the sum of its terms' absolute values."""
    g, H = grad(f)(x), hessian(f)(x)
    beta, t = 1 / (1 + g @ g), H.trace()
    terms = [beta * t**2, -beta * (H**2).sum(), 2 * beta**2 * (H @ g) @ (H @ g), -2 * beta**2 * t * (g @ H @ g)]
    return float(sum(terms)), float(sum(abs(term) for term in terms))


def exact(f: Function, x: Tensor) -> float:
    return eg.scalar_curvature(eg.Landscape.from_function(f, x), method="exact").value


# --- the operator


@pytest.mark.parametrize("operator", ["hessian", "ggn"])
def test_shape_operator_of_a_network(operator: Any, tanh_mlp: nn.Module, ragged: Any, mlp_reference: Any) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged)
    g = mlp_reference.gradient
    H = mlp_reference.hessian if operator == "hessian" else dense_matrix(eg.ggn(land))
    W = (1 + g @ g).sqrt()
    values, vectors = torch.linalg.eigh(torch.eye(land.n, dtype=DOUBLE) + torch.outer(g, g))
    P = vectors @ torch.diag(values**-0.5) @ vectors.T
    found = dense_matrix(eg.shape_operator(land, operator=operator))
    torch.testing.assert_close(found, P @ H @ P / W, rtol=1e-10, atol=1e-12)


def test_its_eigenvalues_are_the_principal_curvatures(tanh_mlp: nn.Module, ragged: Any, mlp_reference: Any) -> None:
    """Those of G^-1 H / W, which is not symmetric."""
    g, H = mlp_reference.gradient, mlp_reference.hessian
    W2 = 1 + g @ g
    weingarten = (torch.eye(len(g), dtype=DOUBLE) - torch.outer(g, g) / W2) @ H / W2.sqrt()
    S = eg.shape_operator(eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged))
    found = torch.linalg.eigvalsh(dense_matrix(S))
    expected = torch.linalg.eigvals(weingarten)
    assert expected.imag.abs().max() < 1e-12
    torch.testing.assert_close(found, expected.real.sort().values, rtol=1e-10, atol=1e-12)


def test_at_a_critical_point_it_is_the_hessian() -> None:
    A = torch.tensor([[2.0, 1.0], [1.0, -3.0]], dtype=DOUBLE)
    land = eg.Landscape.from_function(lambda x: x @ A @ x / 2, torch.zeros(2, dtype=DOUBLE))
    assert torch.equal(eg.shape_operator(land) @ torch.eye(2, dtype=DOUBLE), A)


def test_it_stays_where_it_was_made() -> None:
    theta = torch.tensor([1.0, 2.0], dtype=DOUBLE)
    land = eg.Landscape.from_function(lambda x: (x**3).sum(), theta)
    S, H, v = eg.shape_operator(land), eg.hessian(land), torch.ones(2, dtype=DOUBLE)
    before = S @ v, H @ v
    theta.add_(1)
    assert torch.equal(S @ v, before[0])
    assert not torch.equal(H @ v, before[1])


def test_a_known_frame_saves_the_gradient(tanh_mlp: nn.Module, ragged: Any) -> None:
    passes: list[int] = []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        passes.append(1)
        return nn.functional.cross_entropy(output, target)

    land = eg.Landscape(tanh_mlp, loss, ragged, terms="samples")
    frame, v = tangent_frame(land), torch.ones(land.n, dtype=DOUBLE)
    passes.clear()
    with_frame = eg.shape_operator(land, frame=frame)
    assert not passes
    assert torch.equal(with_frame @ v, eg.shape_operator(land) @ v)


def test_the_frame_holds_loss_and_gradient(tanh_mlp: nn.Module, ragged: Any, mlp_reference: Any) -> None:
    frame = tangent_frame(eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged))
    assert frame.loss == pytest.approx(float(mlp_reference.value), rel=1e-12)
    torch.testing.assert_close(frame.gradient, mlp_reference.gradient, rtol=1e-10, atol=1e-12)
    assert frame.gradient_norm == pytest.approx(float(mlp_reference.gradient.norm()), rel=1e-12)
    assert pytest.approx(math.sqrt(1 + frame.gradient_norm**2), rel=1e-15) == frame.W


@pytest.mark.parametrize("norm", [0.0, 1e-300, 1e-8, 1.0, 1e200])
def test_the_frame_survives_any_gradient(norm: float) -> None:
    """P = G^(-1/2): the identity where g = 0, and along g the factor 1 / W."""
    frame = TangentFrame(0.0, torch.tensor([norm, 0.0], dtype=DOUBLE), norm)
    P = dense_matrix(frame.root())
    assert float(P[0, 0]) == pytest.approx(1 / math.hypot(1, norm), rel=1e-12, abs=1e-15)
    assert P[1].tolist() == [0, 1]


@pytest.mark.parametrize("name", ["fisher", "", None, "Hessian"])
def test_an_unknown_operator_is_named(name: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged)
    for call in (second_derivative, lambda land, operator: eg.shape_operator(land, operator=operator)):
        with pytest.raises(ArgumentError, match=rf'operator= must be "hessian" or "ggn", got {name!r}'):
            call(land, name)


# --- the curvature, on random functions

SIZES = st.integers(2, 6)
SEEDS = st.integers(0, 2**31)
SCALES = st.sampled_from([1e-3, 0.1, 1.0, 30.0])


def quadratic(seed: int, n: int, scale: float) -> tuple[Function, Tensor, Tensor]:
    """x^T A x / 2 + b x and a point; A of any signature."""
    made = torch.Generator().manual_seed(seed)
    A, b, x = (torch.randn(s, dtype=DOUBLE, generator=made) for s in ((n, n), (n,), (n,)))
    A = scale * (A + A.T)
    return (lambda y: y @ A @ y / 2 + b @ y), x, A


def polynomial(seed: int, n: int) -> tuple[Function, Tensor]:
    """A random polynomial of degree 4 and a point."""
    made = torch.Generator().manual_seed(seed)
    c = [torch.randn((n,) * k, dtype=DOUBLE, generator=made) / math.factorial(k) for k in range(1, 5)]
    x = torch.randn(n, dtype=DOUBLE, generator=made) / 2

    def f(y: Tensor) -> Tensor:
        return c[0] @ y + y @ c[1] @ y + y @ (c[2] @ y) @ y + y @ ((c[3] @ y) @ y) @ y

    return f, x


@given(SEEDS, SIZES, SCALES)
def test_shape_operator_of_quadratics(seed: int, n: int, scale: float) -> None:
    f, x, _ = quadratic(seed, n, scale)
    expected = dense_shape(f, x)
    found = dense_matrix(eg.shape_operator(eg.Landscape.from_function(f, x)))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10 * max(1.0, scale))


@given(SEEDS, SIZES, SCALES)
def test_curvature_of_quadratics_is_the_four_terms(seed: int, n: int, scale: float) -> None:
    f, x, A = quadratic(seed, n, scale)
    value, size = curvature_terms(f, x)
    assert exact(f, x) == pytest.approx(value, rel=0, abs=1e-11 * size)
    critical = torch.linalg.solve(A, -grad(f)(torch.zeros(n, dtype=DOUBLE)))
    assume(bool(critical.abs().max() < 1e3 / scale))
    assert exact(f, critical) == pytest.approx(float(A.trace() ** 2 - (A**2).sum()), rel=1e-6, abs=1e-9 * scale**2)


@given(SEEDS, SIZES)
def test_curvature_of_polynomials_is_the_four_terms(seed: int, n: int) -> None:
    f, x = polynomial(seed, n)
    value, size = curvature_terms(f, x)
    assert exact(f, x) == pytest.approx(value, rel=0, abs=1e-11 * size)


@given(SEEDS, SIZES)
def test_curvature_does_not_change_under_rotation_shift_and_reflection(seed: int, n: int) -> None:
    f, x = polynomial(seed, n)
    Q = torch.linalg.qr(torch.randn(n, n, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))).Q
    _, size = curvature_terms(f, x)
    value = exact(f, x)
    assert exact(lambda y: f(Q @ y), Q.T @ x) == pytest.approx(value, rel=0, abs=1e-10 * size)
    assert exact(lambda y: 7 - f(y), x) == pytest.approx(value, rel=0, abs=1e-12 * size)


@given(SEEDS, SIZES)
def test_a_direction_without_curvature_changes_nothing(seed: int, n: int) -> None:
    """The product with a line: R is the same, whatever the line's parameter."""
    f, x = polynomial(seed, n)
    _, size = curvature_terms(f, x)
    longer = torch.cat([x, torch.ones(1, dtype=DOUBLE)])
    assert exact(lambda y: f(y[:n]), longer) == pytest.approx(exact(f, x), rel=0, abs=1e-12 * size)


@given(SEEDS, SIZES)
def test_a_function_of_one_direction_is_flat(seed: int, n: int) -> None:
    made = torch.Generator().manual_seed(seed)
    a, x = torch.randn(n, dtype=DOUBLE, generator=made), torch.randn(n, dtype=DOUBLE, generator=made)
    f = lambda y: (a @ y).sin() + (a @ y) ** 3
    _, size = curvature_terms(f, x)
    assert abs(exact(f, x)) <= 1e-13 * size


@given(SEEDS, SIZES)
def test_where_the_hessian_is_positive_so_is_the_curvature(seed: int, n: int) -> None:
    """C3: at any gradient; and 0 only where the rank is 1."""
    made = torch.Generator().manual_seed(seed)
    B, b, x = (torch.randn(s, dtype=DOUBLE, generator=made) for s in ((n, n), (n,), (n,)))
    value = exact(lambda y: y @ B @ B.T @ y / 2 + b @ y, x)
    assert value > 0


@given(SEEDS, SIZES, st.sampled_from([0.01, 0.5, 3.0]))
def test_scale_is_that_of_f(seed: int, n: int, scale: float) -> None:
    f, x = polynomial(seed, n)
    land = eg.Landscape.from_function(f, x)
    expected = exact(lambda y: scale * f(y), x)
    _, size = curvature_terms(lambda y: scale * f(y), x)
    assert eg.scalar_curvature(land, scale=scale).value == pytest.approx(expected, rel=0, abs=1e-12 * size)
    assert eg.scalar_curvature(land.scaled(scale)).value == pytest.approx(expected, rel=0, abs=1e-12 * size)

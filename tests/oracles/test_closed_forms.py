"""The scalar curvature of graphs that are known in closed form."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import grad, hessian

import egregium as eg

DOUBLE = torch.float64
Function = Callable[[Tensor], Tensor]


def measured(f: Function, x: Tensor, **options: Any) -> float:
    return eg.scalar_curvature(eg.Landscape.from_function(f, x), method="exact", **options).value


def direction(n: int) -> Tensor:
    u = torch.arange(1, n + 1, dtype=DOUBLE) * torch.tensor([(-1.0) ** i for i in range(n)], dtype=DOUBLE)
    return u / u.norm()


@pytest.mark.parametrize("n", [1, 2, 5, 40])
@pytest.mark.parametrize("slope", [0.0, 1e-3, 1.0, 1e6])
def test_a_plane(n: int, slope: float) -> None:
    assert measured(lambda x: slope * (direction(n) @ x) + 3, direction(n)) == 0


@pytest.mark.parametrize("n", [2, 5, 40])
@pytest.mark.parametrize("profile", [torch.sin, torch.exp, torch.square, lambda t: t**3 - t])
def test_a_function_of_one_direction(n: int, profile: Function) -> None:
    """A cylinder over a curve is flat, however it bends."""
    a = direction(n)
    assert abs(measured(lambda x: profile(a @ x), 0.7 * a)) < 1e-12
    assert abs(measured(lambda x: profile(a @ x), torch.full((n,), 0.3, dtype=DOUBLE))) < 1e-12


def test_a_saddle_that_the_trace_calls_flat() -> None:
    land = eg.Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=DOUBLE))
    assert eg.scalar_curvature(land).value == pytest.approx(-8, rel=1e-12)
    assert eg.trace(land).value == 0


@pytest.mark.parametrize("n", [1, 2, 3, 7, 30])
def test_a_quadratic_at_its_critical_point(n: int) -> None:
    made = torch.Generator().manual_seed(n)
    A = torch.randn(n, n, dtype=DOUBLE, generator=made)
    A = A + A.T
    expected = float(A.trace() ** 2 - (A**2).sum())
    found = measured(lambda x: x @ A @ x / 2, torch.zeros(n, dtype=DOUBLE))
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 if n == 1 else 0)


@pytest.mark.parametrize("diagonal", [(3.0, 3.0, -0.1), (-1.0, -2.0)])
def test_positive_curvature_without_a_minimum(diagonal: tuple[float, ...]) -> None:
    """C3 has no converse: R > 0 at a saddle, and at a maximum."""
    A = torch.tensor(diagonal, dtype=DOUBLE)
    found = measured(lambda x: (A * x**2).sum() / 2, torch.zeros(len(A), dtype=DOUBLE))
    assert found == pytest.approx(float(A.sum() ** 2 - (A**2).sum()), rel=1e-12)
    assert found > 0


#: Distance from the pole in radii, and the relative error allowed: near the edge the gradient is 70, and the function
#: itself, sqrt(r^2 - |x|^2), loses four digits by cancellation.
SPHERE = ((0.0, 1e-12), (0.3, 1e-12), (0.9, 1e-12), (0.99, 1e-11), (0.9999, 1e-10))


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("r", [0.5, 1.0, 20.0])
@pytest.mark.parametrize(("part", "tolerance"), SPHERE)
@pytest.mark.parametrize("half", [-1, 1], ids=["lower", "upper"])
def test_a_sphere(n: int, r: float, part: float, tolerance: float, half: int) -> None:
    f = lambda x: half * torch.sqrt(r**2 - x @ x)
    assert measured(f, part * r * direction(n)) == pytest.approx(n * (n - 1) / r**2, rel=tolerance)


@pytest.mark.parametrize("n", [3, 10])
def test_near_the_edge_of_a_sphere_the_four_terms_cancel(n: int) -> None:
    """What the Gauss form saves: the formula in tr H, |H|_F^2, g^T H g and |H g|^2 loses four digits more."""
    f = lambda y: -torch.sqrt(1 - y @ y)
    by_terms, by_gauss, added_up = [], [], []
    for seed in range(5):
        x = torch.randn(n, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))
        x = 0.9999 * x / x.norm()
        m = eg.measure(eg.Landscape.from_function(f, x), method="exact")
        by_terms.append(four_terms(grad(f)(x), hessian(f)(x)))
        by_gauss.append(m.scalar_curvature.value)
        added_up.append(math.fsum(term.value for term in m.terms.values()))
    worst = lambda values: max(abs(value / (n * (n - 1)) - 1) for value in values)
    assert worst(by_gauss) < 1e-11
    assert worst(added_up) < 1e-8  # each term is 10^7 times their sum
    assert worst(by_terms) > 30 * worst(by_gauss)


def four_terms(g: Tensor, H: Tensor) -> float:
    beta, t = 1 / (1 + g @ g), H.trace()
    curved = beta * (t**2 - (H**2).sum()) + 2 * beta**2 * ((H @ g) @ (H @ g) - t * (g @ H @ g))
    return float(curved)


@pytest.mark.parametrize("n", [1, 2, 3, 10])
@pytest.mark.parametrize("a", [-2.0, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("rho", [0.0, 0.5, 3.0])
def test_a_paraboloid(n: int, a: float, rho: float) -> None:
    W2 = 1 + a**2 * rho**2
    expected = (n - 1) * (n - 2) * a**2 / W2 + 2 * (n - 1) * a**2 / W2**2
    found = measured(lambda x: a * (x @ x) / 2, rho * direction(n))
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 if n == 1 else 0)


def test_the_point_computed_with_thirty_digits() -> None:
    f = lambda x: x[1] * x[0].sin() + x[0] * x[2] ** 2 + x[1] ** 3 / 3 + x[1] * x[2]
    x = torch.tensor([1 / 3, -2 / 5, 7 / 10], dtype=DOUBLE)
    assert measured(f, x) == pytest.approx(-2.25648689484075879, rel=1e-12)


@pytest.mark.parametrize("u", [0.0, 0.4, -2.0])
def test_a_catenoid_is_minimal(u: float) -> None:
    """cosh z = rho as a graph over a half plane: mean curvature 0, R = -2 / cosh^4 (twice the Gauss curvature)."""
    rho = math.cosh(u) + 0.5
    f = lambda x: torch.acosh(x.norm())
    x = rho * direction(2)
    land = eg.Landscape.from_function(f, x)
    assert abs(eg.trace(eg.shape_operator(land)).value) < 1e-13
    assert measured(f, x) == pytest.approx(-2 / rho**4, rel=1e-12)


@pytest.mark.parametrize("scale", [0.1, 2.0])
def test_the_unit_of_f(scale: float) -> None:
    """scale * f of a paraboloid with a is one with scale * a."""
    a, rho, n = 1.3, 0.8, 4
    b = a * scale
    W2 = 1 + b**2 * rho**2
    expected = (n - 1) * (n - 2) * b**2 / W2 + 2 * (n - 1) * b**2 / W2**2
    assert measured(lambda x: a * (x @ x) / 2, rho * direction(n), scale=scale) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [3, 10])
def test_float32_has_its_own_precision(n: int) -> None:
    f, x = (lambda y: -torch.sqrt(1 - y @ y)), (0.5 * direction(n)).float()
    assert measured(f, x) == pytest.approx(n * (n - 1), rel=1e-5)

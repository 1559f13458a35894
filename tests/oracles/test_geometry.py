"""geomstats 2.8 against the geometry of five graphs: tensors to 1e-8, exponential map and logarithm to 1e-5.

Its metric is `I + g g^T` with g by the autograd library; all tensors follow from it by that library's derivatives, and
its paths by its own solvers. Its `riemann_tensor[i, j, k, l]` is R_ijk^l = dx^l(R(X_j, X_k) X_i): R^l_ijk here.
"""

import math
import os
from collections.abc import Callable
from typing import Any

import pytest
import torch

import egregium as eg
from egregium import geometry as geo

DOUBLE = torch.float64
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


def saddle(x: Any, m: Any) -> Any:
    return x[0] ** 2 - x[1] ** 2


def wave(x: Any, m: Any) -> Any:
    return m.sin(x[0]) * x[1] + x[0] * x[2] ** 2 + m.exp(x[1] * x[2]) / 3


def sphere(x: Any, m: Any) -> Any:
    return -m.sqrt(1 - sum(a**2 for a in x))


def well(x: Any, m: Any) -> Any:
    return m.log(1 + x[0] ** 2 + 2 * x[1] ** 2 + x[2] ** 2 / 2) + m.sin(x[3]) * x[0] + x[3] ** 2 / 3


def neuron(x: Any, m: Any) -> Any:
    """The loss of two tanh units with a shared bias on three samples."""
    data = ((0.5, 1.0), (-1.0, 0.2), (0.3, -0.7))
    return sum((x[0] * m.tanh(x[1] * s + x[4]) + x[2] * m.tanh(x[3] * s + x[4]) - y) ** 2 for s, y in data) / 3


SURFACES: list[tuple[Callable[[Any, Any], Any], tuple[float, ...]]] = [
    (saddle, (0.3, -0.2)),
    (wave, (0.3, -0.4, 0.7)),
    (sphere, (0.2, -0.3, 0.1)),
    (well, (0.3, -0.2, 0.5, 0.4)),
    (neuron, (0.8, -0.5, 0.6, 0.9, -0.2)),
]


class Case:
    """One surface in both libraries."""

    def __init__(self, f: Callable[[Any, Any], Any], x: tuple[float, ...], library: Any) -> None:
        os.environ["GEOMSTATS_BACKEND"] = "autograd"
        self.gs = gs = library("geomstats.backend")
        self.numpy = numpy = library("autograd.numpy")
        slope = library("autograd").grad(lambda y: f(y, numpy))
        base = library("geomstats.geometry.riemannian_metric").RiemannianMetric

        class Graph(base):  # type: ignore[misc, valid-type]
            def metric_matrix(self, base_point: Any = None) -> Any:
                if base_point.ndim > 1:  # the nodes of a path
                    return gs.stack([self.metric_matrix(point) for point in base_point])
                g = slope(base_point)
                return gs.eye(len(x)) + gs.outer(g, g)

        self.space = library("geomstats.geometry.euclidean").Euclidean(len(x), equip=False)
        self.space.equip_with_metric(Graph)
        self.metric, self.point, self.theta = self.space.metric, gs.array(x), torch.tensor(x, dtype=DOUBLE)
        self.land = eg.Landscape.from_function(lambda y: f(y, torch), self.theta)
        draw = torch.Generator().manual_seed(len(x))
        self.x, self.y, self.z = torch.randn(3, len(x), dtype=DOUBLE, generator=draw)


@pytest.fixture(params=SURFACES, ids=lambda case: case[0].__name__)
def case(request: pytest.FixtureRequest, library: Any) -> Case:
    return Case(*request.param, library)


def close(found: torch.Tensor, expected: Any) -> None:
    torch.testing.assert_close(found, torch.tensor(expected, dtype=DOUBLE), rtol=1e-8, atol=1e-8)


def test_metric_and_christoffel_symbols(case: Case) -> None:
    T = geo.tangent_space(case.land)
    close(T.metric_matrix(), case.metric.metric_matrix(case.point))
    Gamma = torch.tensor(case.metric.christoffels(case.point), dtype=DOUBLE)
    close(T.christoffel(case.x, case.y), torch.einsum("ikl,k,l->i", Gamma, case.x, case.y).numpy())


def test_riemann_tensor(case: Case) -> None:
    T = geo.tangent_space(case.land)
    R = torch.tensor(case.metric.riemann_tensor(case.point), dtype=DOUBLE)
    expected = torch.einsum("ijkl,j,k,i->l", R, case.x, case.y, case.z)
    close(T.riemann(case.x, case.y, case.z), expected.numpy())
    close(
        T.riemann(case.x, case.y, case.z),
        case.metric.curvature(*(v.numpy() for v in (case.x, case.y, case.z)), case.point),
    )


def test_ricci_tensor_sectional_and_scalar_curvature(case: Case) -> None:
    Ric = torch.tensor(case.metric.ricci_tensor(case.point), dtype=DOUBLE)
    assert geo.ricci(case.land, case.x, case.y).value == pytest.approx(float(case.x @ Ric @ case.y), rel=1e-8, abs=1e-8)
    K = float(case.metric.sectional_curvature(case.x.numpy(), case.y.numpy(), case.point))
    assert geo.tangent_space(case.land).sectional_curvature(case.x, case.y) == pytest.approx(K, rel=1e-8, abs=1e-8)
    R = float(case.metric.scalar_curvature(case.point))
    assert eg.scalar_curvature(case.land).value == pytest.approx(R, rel=1e-8, abs=1e-8)


def test_exponential_map(case: Case, library: Any) -> None:
    numerics = library("geomstats.numerics.ivp")
    integrator = numerics.ScipySolveIVP(method="DOP853", rtol=1e-9, atol=1e-9)
    solver = library("geomstats.numerics.geodesic").ExpODESolver(case.space, integrator)
    v = 0.4 * case.x / case.x.norm()
    there = solver.exp(case.gs.array(v.numpy()), case.point)
    torch.testing.assert_close(geo.exp(case.land, v), torch.tensor(there, dtype=DOUBLE), rtol=0, atol=1e-5)


def test_logarithm(case: Case, library: Any) -> None:
    bvp = library("geomstats.numerics.bvp").ScipySolveBVP(tol=1e-6, max_nodes=20_000)
    solver = library("geomstats.numerics.geodesic").LogODESolver(case.space, n_nodes=10, integrator=bvp, use_jac=False)
    target = case.theta + 0.3 * case.y / case.y.norm()
    v = solver.log(case.gs.array(target.numpy()), case.point)
    found = geo.log(case.land, target)
    assert found.converged
    torch.testing.assert_close(found.velocity, torch.tensor(v, dtype=DOUBLE).reshape(-1), rtol=0, atol=1e-5)
    length = math.sqrt(float(case.metric.squared_norm(case.gs.array(v).reshape(-1), case.point)))
    assert found.distance.value == pytest.approx(length, abs=1e-5)

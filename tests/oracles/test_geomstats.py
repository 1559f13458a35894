"""geomstats 2.8: its scalar curvature of a metric, differentiated by the autograd library."""

import os
from types import ModuleType
from typing import Any

import pytest
import torch

import egregium as eg

DOUBLE = torch.float64
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def backend(library: Any) -> ModuleType:
    """Its array module, set to the autograd backend before the first import."""
    os.environ["GEOMSTATS_BACKEND"] = "autograd"
    return library("geomstats.backend")


def wave(x: Any, m: Any) -> Any:
    """A function of three variables in the array module m, with no symmetry."""
    return m.sin(x[0]) * x[1] + x[0] * x[2] ** 2 + m.exp(x[1] * x[2]) / 3


def slope(x: Any, m: Any) -> Any:
    """Its gradient, by hand: geomstats' metric takes first derivatives, and differentiates twice more itself."""
    e = m.exp(x[1] * x[2]) / 3
    return m.stack([m.cos(x[0]) * x[1] + x[2] ** 2, m.sin(x[0]) + x[2] * e, 2 * x[0] * x[2] + x[1] * e])


@pytest.mark.parametrize("x", [(0.3, -0.4, 0.7), (1.0, 0.5, -0.2), (-0.7, 1.1, 0.4)])
def test_scalar_curvature_of_a_metric(x: tuple[float, ...], backend: ModuleType, library: Any) -> None:
    base = library("geomstats.geometry.riemannian_metric").RiemannianMetric
    euclidean = library("geomstats.geometry.euclidean").Euclidean

    class Graph(base):  # type: ignore[misc, valid-type]
        def metric_matrix(self, base_point: Any = None) -> Any:
            g = slope(base_point, backend)
            return backend.eye(3) + backend.outer(g, g)

    space = euclidean(3, equip=False)
    space.equip_with_metric(Graph)
    expected = float(space.metric.scalar_curvature(backend.array(x)))
    theta = torch.tensor(x, dtype=DOUBLE)
    land = eg.Landscape.from_function(lambda y: wave(y, torch), theta)
    torch.testing.assert_close(land.gradient(), slope(theta, torch))
    assert eg.scalar_curvature(land).value == pytest.approx(expected, rel=1e-9)

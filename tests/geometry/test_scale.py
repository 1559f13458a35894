"""Geometry of many parameters: nothing of size n x n is formed, and ten million parameters fit into 2 GiB."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import egregium as eg
from egregium import geometry as geo
from egregium.errors import EgregiumError

N = 2000
#: Vectors as one block that a result may take: the largest are 64 probes of the trace.
ROWS = 200


class NoMatrix(TorchDispatchMode):
    """Raises as soon as an operation makes a tensor of more than ROWS * n numbers."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor) and leaf.numel() > ROWS * N:
                raise AssertionError(f"{func} made {tuple(leaf.shape)}")
        return out


def landscape() -> eg.Landscape:
    def f(x: Tensor) -> Tensor:
        return torch.log1p((x[1:] - x[:-1] ** 2).square().sum()) + torch.sin(x).square().mean()

    return eg.Landscape.from_function(f, torch.linspace(-0.5, 0.5, N, dtype=torch.float64))


def direction(j: int) -> Tensor:
    return torch.sin((j + 1) * torch.arange(N, dtype=torch.float64)) / N**0.5


x, y, z = direction(0), direction(1), direction(2)
OPERATIONS: dict[str, Callable[[eg.Landscape], Any]] = {
    "metric": lambda land: [
        A @ x for T in [geo.tangent_space(land)] for A in (T.metric, T.inverse_metric, T.root, T.inverse_root)
    ],
    "inner products": lambda land: [geo.tangent_space(land).angle(x, y), geo.tangent_space(land).lifted(x)],
    "frames": lambda land: geo.tangent_space(land).orthonormal(torch.stack([x, y, z], 1)),
    "shape": lambda land: geo.tangent_space(land).shape(x),
    "riemann": lambda land: geo.tangent_space(land).riemann(x, y, z),
    "christoffel": lambda land: geo.tangent_space(land).christoffel(x, y),
    "sectional curvature": lambda land: geo.tangent_space(land).sectional_curvature(x, y),
    "principal curvatures": lambda land: geo.principal_curvatures(land, 2),
    "mean curvature": lambda land: geo.mean_curvature(land, rtol=0.3),
    "ricci": lambda land: geo.ricci(land, x, y, rtol=0.3),
    "ricci operator": lambda land: geo.ricci_operator(land, rtol=0.3) @ x,
    "einstein": lambda land: geo.einstein_defect(land, rtol=0.5, budget=400),
    "sectional curvatures": lambda land: geo.sectional_curvatures(land, 20),
    "geodesic": lambda land: geo.geodesic(land, x, carry=y, fields=(torch.zeros_like(x), z), steps=3, points=3),
    "adaptive geodesic": lambda land: geo.geodesic(land, x, tolerance=1e-6),
    "transport": lambda land: geo.transport(land, x, torch.stack([land.theta, land.theta + y]), steps=3),
    "log": lambda land: geo.log(land, land.theta + x / 10, rtol=1e-4, tolerance=1e-6),
    "balls": lambda land: geo.ball_volumes(land, 0.1, pairs=2, probes=2, steps=6, rtol=0.5),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_matrix_is_formed(name: str) -> None:
    with NoMatrix():
        OPERATIONS[name](landscape())


def test_the_guard_sees_a_matrix() -> None:
    with pytest.raises((AssertionError, EgregiumError), match=r"\(2000, 2000\)"), NoMatrix():
        geo.tangent_space(landscape()).metric_matrix()


PROGRAM = """
import resource, torch
from torch import nn
import egregium as eg
torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(1000, 3100), nn.Tanh(), nn.Linear(3100, 2200), nn.Tanh(), nn.Linear(2200, 10))
data = (torch.randn(16, 1000), torch.randint(10, (16,)))
land = eg.Landscape(model, nn.CrossEntropyLoss(), data)
v = torch.randn(land.n, generator=torch.Generator().manual_seed(1))
v /= v.norm()
found = eg.geometry.geodesic(land, v, steps=13)
print(land.n, found.cost.hvps, found.converged, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_ten_million_parameters_in_two_gibibytes(tmp_path: Path) -> None:
    """52 right-hand sides of RK4 in float32, by the peak of a process of its own."""
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    n, products, converged, kibibytes = done.stdout.split()
    assert int(n) > 9_900_000
    assert int(products) >= 50
    assert converged == "True"
    assert int(kibibytes) < 2 * 2**20

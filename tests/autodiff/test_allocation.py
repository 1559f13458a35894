"""Counted bytes against closed forms, forward, backward and twice backward."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import egregium as eg
from egregium.autodiff import PeakAllocation, derivatives

KIB = 1024


def floats(count: int) -> Tensor:
    return torch.zeros(count * 256)  # KiB


def test_what_is_alive_at_once_counts() -> None:
    with PeakAllocation() as counted:
        a = floats(4)
        b = a + 1  # 8
        del a
        c = floats(2)  # 6
        del b, c
        floats(7)
    assert counted.peak == 8 * KIB


def test_views_and_what_was_there_before_do_not() -> None:
    before = floats(100)
    with PeakAllocation() as counted:
        views = [before[:10], before.view(16, -1), before.detach()]
        before.add_(1)
        grown = floats(1).expand(50, 256)
    assert counted.peak == KIB
    assert len(views) + len(grown) == 53


def test_tensors_that_a_graph_keeps_count() -> None:
    """exp keeps its result: ten in a row are ten times the input; without a graph, two."""
    x = floats(4).requires_grad_()
    for graph, expected in ((True, 10), (False, 2)):
        with PeakAllocation() as counted, torch.set_grad_enabled(graph):
            y: Tensor = x
            for _ in range(10):
                y = y.exp()
            del y
        assert counted.peak == expected * 4 * KIB


def test_backward_and_double_backward_are_seen() -> None:
    x = floats(4).requires_grad_()
    with PeakAllocation() as counted, derivatives(torch.device("cpu")):
        (g,) = torch.autograd.grad(x.pow(3).sum(), x, create_graph=True)
        torch.autograd.grad(g, x, torch.ones_like(x))
    assert 5 * 4 * KIB <= counted.peak <= 12 * 4 * KIB


@pytest.mark.parametrize("operator", [eg.hessian, eg.ggn], ids=["hessian", "ggn"])
def test_the_graph_of_a_wide_network(operator: Any) -> None:
    """With one sample the weights are all: leaves, gradient, product and what makes them, 3 to 6 vectors."""
    model = nn.Sequential(nn.Linear(300, 300), nn.Tanh(), nn.Linear(300, 2))
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (torch.randn(1, 300), torch.tensor([1])))
    op = operator(land)
    vectors = op.graph_bytes() / (4 * land.n)
    assert 3 <= vectors <= 6
    assert op.graph_bytes() == operator(land.at(land.theta).scaled(2.0)).graph_bytes()
    assert sum(name.startswith("bytes") for name in land.facts) == 1


def test_it_grows_with_the_batch() -> None:
    """Activations of 2 layers of 300, twice the samples, twice the bytes beyond the vectors."""
    model = nn.Sequential(nn.Linear(300, 300), nn.Tanh(), nn.Linear(300, 2))
    found = []
    for samples in (1, 1001, 2001):
        data = (torch.randn(samples, 300), torch.zeros(samples, dtype=torch.long))
        found.append(eg.hessian(eg.Landscape(model, nn.CrossEntropyLoss(), data)).graph_bytes())
    assert found[2] - found[1] == pytest.approx(found[1] - found[0], rel=0.25)
    assert found[1] - found[0] > 3 * 1000 * 300 * 4


def test_many_small_tensors_count_with_what_a_graph_keeps_beside_them() -> None:
    """A chain of 2,000 products of 4 bytes each: the nodes are nearly all."""
    chain = lambda x: [x := x * 1.0001 for _ in range(2000)][-1].sum()
    op = eg.hessian(eg.Landscape.from_function(lambda x: chain(x) ** 2, torch.ones(1)))
    assert op.graph_bytes() > 2000 * 3 * 1300  # each once in the value, the gradient and the product


def test_the_zeros_of_forward_derivatives_are_counted() -> None:
    """torch 2.13 crashes on `zeros * -2` of vmap over forward derivatives, under any mode; in a process of its own."""
    done = subprocess.run([sys.executable, "-c", PINN], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert abs(float(done.stdout)) < 1e-6


PINN = """
import torch, egregium as eg
from torch import nn
model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
def laplacian(m, x):
    H = torch.vmap(torch.func.hessian(lambda q: m(q[None])[0, 0]))(x)
    return (torch.diagonal(H, dim1=1, dim2=2).sum(1) ** 2).sum(), len(x)
land = eg.Landscape(model, batch_loss=laplacian, data=[torch.randn(7, 2)])
bounded, free = (eg.scalar_curvature(land, method="exact", memory=m) for m in ("64MiB", None))
print(bounded.value - free.value)
"""

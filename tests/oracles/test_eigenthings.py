"""hessian-eigenthings where it agrees: batches of one size, every parameter used."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import egregium as eg

DOUBLE = torch.float64
pytestmark = pytest.mark.oracle


def setting(sizes: tuple[int, ...]) -> tuple[nn.Module, list[tuple[Tensor, Tensor]]]:
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)).to(DOUBLE)
    x, y = torch.randn(sum(sizes), 5, dtype=DOUBLE), torch.randint(0, 3, (sum(sizes),))
    return model, list(zip(x.split(sizes), y.split(sizes), strict=True))


def theirs(library: Any, model: nn.Module, data: Any) -> Any:
    operators = library("hessian_eigenthings.operators.hessian")
    return operators.HessianOperator(model, data, lambda model, batch: F.cross_entropy(model(batch[0]), batch[1]))


@pytest.mark.parametrize("sizes", [(30,), (16, 16, 16)], ids=str)
def test_products_of_equal_batches(sizes: tuple[int, ...], library: Any) -> None:
    model, data = setting(sizes)
    op = eg.hessian(eg.Landscape(model, nn.CrossEntropyLoss(), data))
    other = theirs(library, model, data)
    v = torch.randn(op.n, dtype=DOUBLE)
    torch.testing.assert_close(op @ v, other.matvec(v), rtol=1e-10, atol=1e-12)


def test_ragged_batches_are_where_they_differ(library: Any) -> None:
    """D1: they average 32, 32 and 6 samples with equal weight."""
    model, data = setting((32, 32, 6))
    op = eg.hessian(eg.Landscape(model, nn.CrossEntropyLoss(), data))
    v = torch.randn(op.n, dtype=DOUBLE)
    x, y = (torch.cat(parts) for parts in zip(*data, strict=True))
    whole = eg.hessian(eg.Landscape(model, nn.CrossEntropyLoss(), (x, y))) @ v
    torch.testing.assert_close(op @ v, whole, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(whole, theirs(library, model, [(x, y)]).matvec(v), rtol=1e-10, atol=1e-12)
    assert (theirs(library, model, data).matvec(v) - whole).norm() > 0.05 * whole.norm()


def test_largest_eigenvalue(library: Any) -> None:
    model, data = setting((30,))
    pairs = eg.eigenpairs(eg.Landscape(model, nn.CrossEntropyLoss(), data), 1, tol=1e-8)
    lanczos = library("hessian_eigenthings.algorithms.lanczos").lanczos
    found = lanczos(theirs(library, model, data), k=1, max_iter=40, seed=0)
    assert float(found.eigenvalues.max()) == pytest.approx(float(pairs.values[0]), rel=1e-5)

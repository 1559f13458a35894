"""Ordinary models, unchanged: value, gradient, Hessian and Gauss-Newton matrix of each, against dense autodiff.

The reference is torch's own autodiff of a plain twin. Where torch's second derivative is wrong itself, differences of
the gradient tell.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_leaves
from zoo import ROWS
from zoo.row import DOUBLE, Row, Whole

import egregium as eg
from egregium.operators import dense_matrix

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.nn.utils.(weight_norm|spectral_norm):FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),  # torch.compile's own
]


def close(found: Tensor, expected: Tensor, rtol: float) -> None:
    atol = rtol * float(expected.abs().max())
    torch.testing.assert_close(found, expected, rtol=rtol, atol=atol, check_dtype=False)


@contextmanager
def no_fast_path() -> Iterator[None]:
    """Of attention, which warns that its nested tensors are a prototype."""
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


def differences(land: eg.Landscape, v: Tensor, h: float = 1e-4) -> Tensor:
    """H v from gradients alone, to the fourth order in h."""

    def slope(step: float) -> Tensor:
        return (land.at(land.theta + step * v).gradient() - land.at(land.theta - step * v).gradient()) / (2 * step)

    return (4 * slope(h / 2) - slope(h)) / 3


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_model_as_it_stands(row: Row, reference: Any, untouched: Any) -> None:
    """Also at another point: activations that are computed again must be so there."""
    with row.around():
        model = row.model().to(DOUBLE)
        land = eg.Landscape(model, data=row.data, **row.what())
        there, v = land.theta + 0.1 * torch.randn(land.n, dtype=DOUBLE), torch.randn(land.n, dtype=DOUBLE)
        twin = Whole(row.twin(model), row)
        with sdpa_kernel(SDPBackend.MATH), no_fast_path():
            here = reference(twin, lambda forward: forward(), second=False)
            nn.utils.vector_to_parameters(there, [p for p in twin.parameters() if p.requires_grad])
            expected = reference(twin, lambda forward: forward())
        v = v / v.norm() * (here.gradient != 0)  # what has no gradient may be on a jump
        with untouched(model, *(leaf for leaf in tree_leaves(row.data) if isinstance(leaf, Tensor))):
            value, gradient = land.value_and_gradient()
            product, measured = eg.hessian(land) @ v, differences(land, v)
            at = land.at(there)
            H = dense_matrix(eg.hessian(at))
            G = eg.ggn(at) @ torch.eye(land.n, dtype=DOUBLE) if row.batch_loss is None else None
        close(torch.tensor(value, dtype=DOUBLE), here.value, row.rtol)
        close(gradient, here.gradient, row.rtol)
        close(product, measured, 1e-6 if row.rtol < 1e-6 else 0.1)
        close(torch.tensor(at.value(), dtype=DOUBLE), expected.value, row.rtol)
        close(at.gradient(), expected.gradient, row.rtol)
        close(H, expected.hessian, row.rtol)
        if G is not None:
            close(G, G.T, row.rtol)
            assert float(torch.linalg.eigvalsh(G)[0]) > -row.rtol * float(G.trace())
        row.value(model).backward()  # and it can be trained on


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_float32_model_measured_in_float64(row: Row, untouched: Any) -> None:
    """The same as the model cast; which stays as it is."""
    with row.around():
        model = row.model()
        wide = row.twin(model).double()
        land, twin = (eg.Landscape(each, data=row.data, dtype=DOUBLE, **row.what()) for each in (model, wide))
        v = torch.randn(land.n, dtype=DOUBLE)
        with untouched(model):
            found = land.gradient(), eg.hessian(land) @ v
        for mine, cast in zip(found, (twin.gradient(), eg.hessian(twin) @ v), strict=True):
            close(mine, cast, max(row.rtol, 1e-9))

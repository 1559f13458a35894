"""The Hessian of a loss in the outputs: its factors give it back, definite or not."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from egregium.layerwise.outputs import output_curvature, precise_output_curvature

LOSSES: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "cross-entropy, singular": (lambda z: F.cross_entropy(z, torch.arange(7) % 5, reduction="sum"), 4),
    "squared error, definite": (lambda z: z.square().sum(), 5),
    "of both signs": (lambda z: (z[:, 0] ** 2 - z[:, 1] * z[:, 2] + z[:, 3] ** 3).sum(), 5),
    "definite for some samples": (lambda z: ((z[:, 0] + 2) * z[:, 1] ** 2 + z[:, 2] ** 4).sum(), 5),
    "affine": (lambda z: z.sum(), 0),
}


def rebuilt(vectors: Tensor, numbers: Tensor) -> Tensor:
    """sum_k s_k b_k b_k^T of each sample."""
    return torch.einsum("kn,knc,knd->ncd", numbers.double(), vectors.double(), vectors.double())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", LOSSES)
def test_factors_give_the_hessian_back(name: str, dtype: torch.dtype) -> None:
    loss, most = LOSSES[name]
    z = torch.randn(7, 5, dtype=dtype, generator=torch.Generator().manual_seed(3))
    curvature = output_curvature(lambda z: (loss(z), 1.0), z)
    L = curvature.blocks().double()
    for found in (curvature.factors(), curvature.columns()):
        assert (rebuilt(*found) - L).abs().max() <= 40 * torch.finfo(dtype).eps * float(L.abs().max())
    assert len(curvature.factors()[0]) <= most + (dtype == torch.float32)  # rounding may leave a null vector's column


def test_a_loss_that_is_definite_takes_no_eigenvectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take ten times as long as Cholesky's columns."""
    monkeypatch.setattr(torch.linalg, "eigh", lambda _: pytest.fail("eigenvectors"))
    z = torch.randn(50, 10, generator=torch.Generator().manual_seed(0)) * 4
    curvature = precise_output_curvature(lambda z: ((z**2).sum() / 2 + z.exp().sum(), 1.0), z)
    assert curvature.factors()[0].dtype == torch.float64


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2}, {"weight": torch.linspace(0, 2, 10).double()}])
@pytest.mark.parametrize("sharp", [1.0, 12.0])
def test_a_cross_entropy_is_factored_in_closed_form(
    options: dict[str, Any], sharp: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Confident samples too, p up to 1 - 1e-12, of which rounding would leave an indefinite L."""
    monkeypatch.setattr(torch.linalg, "cholesky_ex", lambda _: pytest.fail("not recognised"))
    z = torch.randn(50, 10, generator=torch.Generator().manual_seed(0)) * sharp
    target = torch.arange(50) % 10
    loss = lambda z: (F.cross_entropy(z, target, reduction="sum", ignore_index=3, **options), 1.0)
    curvature = precise_output_curvature(loss, z)
    assert (rebuilt(*curvature.columns()) - curvature.blocks()).abs().max() <= 1e-14


def weighted(z: Tensor) -> Tensor:
    return F.cross_entropy(z, torch.arange(7) % 5, weight=torch.linspace(1, 2, 5), reduction="sum")


def asserting(z: Tensor) -> Tensor:
    assert z.dtype == torch.float32
    return z.square().sum()


@pytest.mark.parametrize("loss", [weighted, asserting])
def test_a_loss_that_takes_float32_alone_is_taken_as_it_is(loss: Callable[[Tensor], Tensor]) -> None:
    z = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    assert precise_output_curvature(lambda z: (loss(z), 1.0), z).z.dtype == torch.float32

"""Passes are counted; torch's deterministic setting comes back."""

import warnings

import pytest
import torch
from torch import nn

import egregium as eg
from egregium.diagnostics.inquiry import Inquiry


@pytest.fixture
def land() -> eg.Landscape:
    return eg.Landscape(nn.Linear(3, 2), nn.MSELoss(), (torch.randn(4, 3), torch.randn(4, 2)))


def test_every_pass_is_counted(land: eg.Landscape) -> None:
    inquiry = Inquiry(land)
    inquiry.look(0, 0)
    inquiry.pair()
    inquiry.in_float64()
    inquiry.deterministic()
    assert inquiry.passes == 7
    assert inquiry.cost.gradients == pytest.approx(7 / 3)


@pytest.mark.parametrize("was", [(False, False), (True, False), (True, True)])
def test_the_deterministic_setting_comes_back(was: tuple[bool, bool], land: eg.Landscape) -> None:
    torch.use_deterministic_algorithms(was[0], warn_only=was[1])
    torch.utils.deterministic.fill_uninitialized_memory = False
    try:
        passes, said = Inquiry(land).deterministic()
        assert passes is not None
        assert said == []
        now = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
        assert now == was
        assert not torch.utils.deterministic.fill_uninitialized_memory
    finally:
        torch.use_deterministic_algorithms(False)
        torch.utils.deterministic.fill_uninitialized_memory = True


def test_memory_that_nobody_wrote_has_no_passes(land: eg.Landscape) -> None:
    land = eg.Landscape(nn.Linear(3, 2), lambda z, y: (z * torch.empty(4, 2)).mean(), land.data, terms="samples")
    passes, _ = Inquiry(land).deterministic()
    assert passes is None


def test_a_model_that_is_bound_to_its_dtype_has_no_float64(land: eg.Landscape) -> None:
    class Bound(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) @ torch.eye(2, dtype=torch.float32)

    assert Inquiry(eg.Landscape(Bound(3, 2), nn.MSELoss(), land.data)).in_float64() is None


def test_named_kernels(land: eg.Landscape) -> None:
    def warns(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        warnings.warn("scatter_add_cuda does not have a deterministic implementation", stacklevel=1)
        return z.mean()

    _, said = Inquiry(eg.Landscape(nn.Linear(3, 2), warns, land.data, terms="samples")).deterministic()
    assert said
    assert all("scatter_add_cuda" in text for text in said)

"""What comes before: a changing loss is refused by every measurement, once per landscape, and counted."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import egregium as eg
from egregium.errors import LossError
from egregium.measurement.preparation import prepared

CALLS: dict[str, Callable[..., Any]] = {
    "scalar_curvature": eg.scalar_curvature,
    "measure": eg.measure,
    "trace": eg.trace,
    "squared_frobenius": eg.squared_frobenius,
    "eigenpairs": lambda land: eg.eigenpairs(land, 1),
    "spectral_density": lambda land: eg.spectral_density(land, steps=3, probes=2),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.passes = 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        return nn.functional.dropout(self.linear(x).tanh(), 0.5, training=True)


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    return torch.randn(12, 3), torch.randint(0, 3, (12,))


@every_call
def test_dropout_left_on_is_refused_and_named(call: Any, pair: tuple[Tensor, Tensor], untouched: Any) -> None:
    """D6: two equal products differed by 65 %, silently."""
    model = Noisy()
    land = eg.Landscape(model, nn.CrossEntropyLoss(), pair)
    with untouched(model, *pair), pytest.raises(LossError, match=r"dropout.*test_preparation\.py"):
        call(land)


def test_noise_that_shows_elsewhere_is_seen_there(pair: tuple[Tensor, Tensor]) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.gain = nn.Linear(3, 3), nn.Parameter(torch.zeros(3))

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x) + self.gain * torch.randn(len(x), 3)

    land = eg.Landscape(Scaled(), nn.CrossEntropyLoss(), pair)
    eg.trace(land)  # the gain is 0: this point has no noise in its value
    with pytest.raises(LossError, match="randn"):
        eg.trace(land.at(land.theta + 0.3))


def test_what_comes_before_is_counted_at_each_call(pair: tuple[Tensor, Tensor]) -> None:
    """Two values, two thirds of a gradient; with memory=, a graph and a product of one batch of four, 3/4."""
    x, y = pair
    land = eg.Landscape(nn.Linear(3, 3), nn.CrossEntropyLoss(), list(zip(x.split(3), y.split(3), strict=True)))
    for memory, graph in ((None, 0), ("1GiB", 3 / 4), (None, 0), ("1GiB", 3 / 4)):
        assert prepared(eg.hessian(land), memory).cost.gradients == 2 / 3 + graph
    assert prepared(eg.shape_operator(land), None).cost.gradients == 0  # no landscape's own operator


def test_a_loader_that_has_no_length(pair: tuple[Tensor, Tensor]) -> None:
    class Stream(torch.utils.data.IterableDataset[Any]):
        def __iter__(self) -> Any:
            return iter(zip(*pair, strict=True))

    land = eg.Landscape(nn.Linear(3, 3), nn.CrossEntropyLoss(), torch.utils.data.DataLoader(Stream(), batch_size=5))
    assert eg.trace(land, memory="1GiB").value == pytest.approx(
        eg.trace(eg.Landscape(land.model, nn.CrossEntropyLoss(), pair)).value, rel=1e-4
    )

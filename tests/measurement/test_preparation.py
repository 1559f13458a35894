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


@every_call
def test_a_steady_loss_is_compared_once(
    call: Any, pair: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    land = eg.Landscape(nn.Linear(3, 3), nn.CrossEntropyLoss(), pair)
    call(land)
    facts = dict(land.facts)
    monkeypatch.setattr(eg.Landscape, "value", lambda *_, **__: pytest.fail("compared again"))
    call(land.at(land.theta + 0.1))
    assert facts == land.facts


def test_both_are_counted_at_each_call(pair: tuple[Tensor, Tensor]) -> None:
    """Two values, two thirds of a gradient; a graph and a product of one batch of four, 3/4."""
    x, y = pair
    land = eg.Landscape(nn.Linear(3, 3), nn.CrossEntropyLoss(), list(zip(x.split(3), y.split(3), strict=True)))
    rooms = [prepared(eg.hessian(land), None) for _ in range(2)]
    assert [room.cost.gradients for room in rooms] == [2 / 3 + 3 / 4] * 2
    assert prepared(eg.shape_operator(land), None).cost.gradients == 0  # no landscape's own operator

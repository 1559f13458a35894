"""Accuracy and the other quantities at a place."""

from typing import Any

import pytest
import torch
from landscapes import convolutional
from torch import nn

import egregium as eg
from egregium.errors import ArgumentError
from egregium.slices.quantities import accuracy


class Fixed(nn.Module):
    """Outputs that are its input, plus a parameter that is 0."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.shift


LOGITS = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, -1.0], [0.0, 5.0]])


@pytest.mark.parametrize(
    ("loss", "x", "y", "expected"),
    [
        (nn.CrossEntropyLoss(), LOGITS, torch.tensor([0, 1, 1, 1]), 0.75),
        (nn.CrossEntropyLoss(), LOGITS, torch.tensor([0, 1, -100, 0]), 2 / 3),
        (nn.CrossEntropyLoss(), LOGITS, nn.functional.one_hot(torch.tensor([0, 0, 0, 1])).float(), 0.75),
        (nn.CrossEntropyLoss(), LOGITS.T.reshape(1, 2, 4), torch.tensor([[0, 1, 1, 1]]), 0.75),
        (nn.BCEWithLogitsLoss(), torch.tensor([1.0, -1.0, 2.0]), torch.tensor([1.0, 0.0, 0.0]), 2 / 3),
        (nn.BCEWithLogitsLoss(), torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [1.0]]), 0.5),
    ],
)
def test_accuracy(loss: Any, x: torch.Tensor, y: torch.Tensor, expected: float) -> None:
    assert accuracy(eg.Landscape(Fixed(), loss, (x, y))) == pytest.approx(expected)


def test_accuracy_does_not_depend_on_batches_or_scale() -> None:
    land = convolutional()
    with torch.no_grad():
        right = sum(int((land.model(x).argmax(1) == y).sum()) for x, y in land.data)
    assert accuracy(land) == accuracy(land.scaled(7.0)) == right / 14


@pytest.mark.parametrize(
    "land",
    [
        eg.Landscape(Fixed(), nn.MSELoss(), (torch.randn(4, 1), torch.randn(4, 1))),
        eg.Landscape(Fixed(), batch_loss=lambda model, batch: (model(batch).sum(), 1), data=[torch.ones(2)]),
        eg.Landscape.from_function(lambda x: x @ x, torch.ones(2)),
    ],
)
def test_no_accuracy_without_classes(land: eg.Landscape) -> None:
    with pytest.raises(ArgumentError, match="accuracy needs"):
        accuracy(land)

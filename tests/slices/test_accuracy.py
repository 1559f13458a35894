"""Accuracy, with the loss that says what the classes are."""

import math
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from landscapes import convolutional
from torch import nn

import egregium as eg
from egregium.errors import ArgumentError
from egregium.slices.accuracy import accuracy


class Fixed(nn.Module):
    """Outputs that are its input, plus a parameter that is 0."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.shift


def own(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """A loss that does not say where its classes are."""
    return output.square().mean() + 0 * target.sum()


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
        (nn.BCELoss(), torch.tensor([[0.9], [0.2], [0.4]]), torch.tensor([[1.0], [0.0], [1.0]]), 2 / 3),
        (nn.CrossEntropyLoss(ignore_index=255), LOGITS, torch.tensor([0, 255, 1, 255]), 0.5),
        (partial(F.cross_entropy, ignore_index=255), LOGITS, torch.tensor([0, 255, 1, 255]), 0.5),
        (F.cross_entropy, LOGITS.T.reshape(1, 2, 4), torch.tensor([[0, 1, 1, 1]]), 0.75),
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
        eg.Landscape(Fixed(), own, (torch.randn(2, 3, 3), torch.zeros(2, 3).long()), terms="samples"),
        eg.Landscape(Fixed(), own, (torch.randn(4, 1), torch.zeros(4, 1)), terms="samples"),
    ],
)
def test_no_accuracy_without_classes(land: eg.Landscape) -> None:
    with pytest.raises(ArgumentError, match="accuracy needs"):
        accuracy(land)


def test_an_output_that_is_not_finite_has_no_accuracy() -> None:
    land = eg.Landscape(Fixed(), nn.CrossEntropyLoss(), (LOGITS, torch.tensor([0, 1, 1, 1])))
    assert math.isnan(accuracy(land.at(torch.tensor([math.nan]))))

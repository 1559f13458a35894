"""A row of the matrix: a tiny model, its loss, its data, and the same loss by torch alone."""

import copy
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

DOUBLE = torch.float64
MADE = torch.Generator().manual_seed(1)


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=MADE)


VECTORS, SEQUENCES, IMAGES, VOLUMES = random(5, 3), random(5, 4, 3), random(5, 1, 6, 6), random(5, 1, 4, 4, 4)
LABELS = torch.arange(5) % 3
#: Never 0, which is padding.
TOKENS = torch.randint(1, 5, (5, 4), generator=MADE)
#: The batches.
CUTS = (slice(0, 3), slice(3, 5))


def ragged(x: Any, y: Tensor = LABELS) -> list[tuple[Any, Tensor]]:
    """Batches of 3 and 2 samples; x is a tensor, or a function of a slice."""
    return [(x[rows] if isinstance(x, Tensor) else x(rows), y[rows]) for rows in CUTS]


CROSS_ENTROPY = nn.CrossEntropyLoss()


@dataclass(frozen=True, eq=False)
class Row:
    """A tiny model as a user has it.

    Attributes:
        model: () -> the model.
        data: its batches, with loss= pairs (input, target).
        loss: mean over the elements of the target.
        batch_loss: instead, f(model, batch) -> (sum, number).
        twin, plain: for the reference: the model -> a plain one with the same parameters in the same order; the loss.
        around: a context in which the row runs.
        rtol: how near the reference is; float32 inside a model is not nearer.
    """

    model: Callable[[], nn.Module]
    data: Any = field(default_factory=lambda: ragged(VECTORS))
    loss: Callable[[Any, Any], Tensor] | None = CROSS_ENTROPY
    batch_loss: Callable[[nn.Module, Any], tuple[Tensor, Any]] | None = None
    twin: Callable[[nn.Module], nn.Module] = copy.deepcopy
    plain: Callable[[Any, Any], Tensor] | None = None
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    rtol: float = 1e-10

    def what(self) -> dict[str, Any]:
        """The arguments of a Landscape that say which loss."""
        return {"loss": self.loss} if self.batch_loss is None else {"batch_loss": self.batch_loss}

    def value(self, model: nn.Module) -> Tensor:
        """f by the formula: all terms over their number."""
        pairs = [self._terms(model, batch) for batch in self.data]
        return sum(total for total, _ in pairs) / sum(float(number) for _, number in pairs)

    def _terms(self, model: nn.Module, batch: Any) -> tuple[Tensor, Any]:
        if self.batch_loss is not None:
            return self.batch_loss(model, batch)
        x, y = batch
        loss = self.plain or self.loss
        assert loss is not None
        return loss(called(model, x), y) * y.numel(), y.numel()


def called(model: nn.Module, x: Any) -> Any:
    if isinstance(x, Mapping):
        return model(**x)
    return model(*x) if isinstance(x, (tuple, list)) and not isinstance(x, PackedSequence) else model(x)


class Whole(nn.Module):
    """A row's f as a module without arguments."""

    def __init__(self, model: nn.Module, row: Row) -> None:
        super().__init__()
        self.model, self.row = model, row

    def forward(self) -> Tensor:
        return self.row.value(self.model)


class After(nn.Module):
    """A model with a last function of its output."""

    def __init__(self, model: nn.Module, last: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.model, self.last = model, last

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        return self.last(self.model(*args, **kwargs))

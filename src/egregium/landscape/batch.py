"""One batch's share of f."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves

from egregium.landscape.losses import Count


@dataclass(frozen=True)
class BatchLoss:
    """One batch's share of f at the parameters that are in place.

    Attributes:
        index: which batch.
        terms: () -> (sum of the loss terms, their number).
        outputs: () -> the model's output, where loss and model are apart, else None.
        criterion: output -> (sum of the loss terms, their number), likewise.
        batch: the batch itself, on the device.
        part: samples, a slice or their places -> the same of these alone; None where a loss has no outputs.
        outputs_at: (tensors by a parameter's place, samples) -> the outputs of these samples with those tensors for
            parameters; likewise.
        placed: what is in the model's place, in the parameters' order: the parameters themselves, or in normalised
            coordinates each times its factor in `factors`, which broadcasts over it.
    """

    index: int
    terms: Callable[[], tuple[Tensor, Count]]
    outputs: Callable[[], Any] | None = None
    criterion: Callable[[Any], tuple[Tensor, Count]] | None = None
    batch: Any = None
    part: Callable[[slice | Tensor], "BatchLoss"] | None = None
    outputs_at: Callable[[Mapping[int, Tensor], slice | Tensor], Any] | None = None
    placed: Sequence[Tensor] = ()
    factors: Sequence[Tensor] | None = None

    @property
    def samples(self) -> int:
        """Length of the first dimension of the input's first tensor; 0 where there is none."""
        return samples_of(self.batch)

    def with_placed(self, placed: Sequence[Tensor], factors: Sequence[Tensor] | None) -> "BatchLoss":
        """The same, and its parts, with these in the model's place."""
        part = None if self.part is None else partial(_part, self.part, placed, factors)
        return replace(self, placed=placed, factors=factors, part=part)


def _part(
    of: Callable[[slice | Tensor], BatchLoss],
    placed: Sequence[Tensor],
    factors: Sequence[Tensor] | None,
    which: slice | Tensor,
) -> BatchLoss:
    return of(which).with_placed(placed, factors)


def samples_of(batch: Any) -> int:
    """Length of the first dimension of the first tensor of a batch's input; 0 where there is none."""
    x = batch[0] if isinstance(batch, (tuple, list)) and batch else batch
    return next((t.shape[0] for t in tree_leaves(x) if isinstance(t, Tensor) and t.ndim), 0)

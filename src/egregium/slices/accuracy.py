"""The share of samples whose class is predicted."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.landscape import Landscape
from egregium.landscape.batch import BatchLoss
from egregium.landscape.losses import Count

#: Losses whose outputs have the classes along their second dimension, and those of one probability or logit.
CLASSES = (F.cross_entropy, F.nll_loss, F.multi_margin_loss)
THRESHOLDS = {F.binary_cross_entropy: 0.5, F.binary_cross_entropy_with_logits: 0.0}


def accuracy(land: Landscape) -> float:
    """Share of the samples whose class is predicted: the largest output, or the side of 1/2 of one probability.

    Targets are class numbers (the loss's ignored one is left out), probabilities of classes, or 0 and 1 beside single
    logits or probabilities; a sequence counts by its positions. NaN where an output is not finite. Costs a third of a
    gradient. Raises ArgumentError where model and loss are not apart, or it is not clear what the classes are.
    """
    right = total = 0
    finite = True

    def counted(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
        nonlocal right, total, finite
        if batch.outputs is None:
            raise ArgumentError("accuracy needs loss= and targets that are classes; this landscape has batch_loss=.")
        outputs = batch.outputs()
        hits = _hits(outputs, batch.batch[1], *(land.known_loss or (None, {})))
        right, total = right + int(hits.sum()), total + hits.numel()
        finite &= bool(torch.isfinite(outputs.detach()).all())
        return (), 1.0

    land.means(counted)
    return right / total if total and finite else math.nan


def _hits(outputs: Any, targets: Any, loss: Any, options: Mapping[str, Any]) -> Tensor:
    """For each sample that has a class, whether the output's is it."""
    found = None
    if isinstance(outputs, Tensor) and isinstance(targets, Tensor):
        single = outputs.ndim == 1 or outputs.shape[1:].numel() == 1
        found = _of_two(outputs, targets, loss) if single else _of_several(outputs, targets, loss, options)
    if found is None:
        raise ArgumentError(
            "accuracy needs targets that are classes, and a loss that says how: numbers or probabilities with "
            "CrossEntropyLoss or NLLLoss (or outputs (N, C)), 0 and 1 with BCEWithLogitsLoss or BCELoss; got outputs "
            f"{_shape(outputs)} and targets {_shape(targets)}."
        )
    return found


def _of_two(outputs: Tensor, targets: Tensor, loss: Any) -> Tensor | None:
    """Single logits or probabilities against 0 and 1; None where it is not known which of the two they are."""
    if outputs.numel() != targets.numel() or not bool(((targets == 0) | (targets == 1)).all()):
        return None
    threshold = THRESHOLDS.get(loss)
    return None if threshold is None else (outputs.reshape(-1) > threshold) == (targets.reshape(-1) > 0.5)


def _of_several(outputs: Tensor, targets: Tensor, loss: Any, options: Mapping[str, Any]) -> Tensor | None:
    """The largest of several outputs; None where it is not known along which dimension the classes are."""
    if outputs.ndim > 2 and loss not in CLASSES:
        return None
    if not targets.is_floating_point() and targets.shape == outputs[:, 0].shape:
        known = targets != options.get("ignore_index", -100)
        return (outputs.argmax(1) == targets)[known]
    if targets.is_floating_point() and targets.shape == outputs.shape:
        shares = bool((targets.sum(1) - 1).abs().max() < 1e-3) and bool((targets >= 0).all())
        return outputs.argmax(1) == targets.argmax(1) if shares else None
    return None


def _shape(value: Any) -> str:
    return f"{tuple(value.shape)} of {value.dtype}" if isinstance(value, Tensor) else type(value).__name__

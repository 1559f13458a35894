"""What can be measured at a place of a slice, each with half the width of its interval and its cost."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from egregium.errors import ArgumentError, ArithmeticalError, NotFiniteError
from egregium.geometry import mean_curvature
from egregium.landscape import Landscape
from egregium.landscape.losses import Count
from egregium.landscape.objective import BatchLoss
from egregium.measurement import eigenpairs, scalar_curvature
from egregium.results import Cost, Estimate, QuantityName


@dataclass(frozen=True)
class Found:
    """A value with half its interval's width (0: exact up to rounding; NaN: none), and what it cost."""

    value: float
    half_width: float = 0.0
    cost: Cost = Cost()
    measured: bool = True


#: What was not looked at.
UNKNOWN = Found(math.nan, math.nan, measured=False)
#: A forward pass, in gradients.
FORWARD = Cost(gradients=1 / 3)


@dataclass(frozen=True)
class Precision:
    """How well the sampled quantities are wanted."""

    rtol: float
    confidence: float
    seed: int
    budget: float | None
    memory: Any = None

    @property
    def options(self) -> dict[str, Any]:
        """Options of the estimators."""
        return {
            "rtol": self.rtol,
            "confidence": self.confidence,
            "seed": self.seed,
            "budget": self.budget,
            "memory": self.memory,
        }


def found(name: QuantityName, land: Landscape, precision: Precision) -> Found:
    """The quantity at the landscape's point; NaN or inf where it is not finite there. Raises BudgetError."""
    try:
        return MEASURES[name](land, precision)
    except NotFiniteError as error:
        return Found(error.value if name == "loss" else math.nan, math.nan, FORWARD)
    except ArithmeticalError:  # a derivative that is not finite
        return Found(math.nan, math.nan, FORWARD)


def _loss(land: Landscape, _: Precision) -> Found:
    return Found(land.value(), cost=FORWARD)


def _gradient_norm(land: Landscape, _: Precision) -> Found:
    return Found(float(land.gradient().double().norm()), cost=Cost(gradients=1))


def _scalar_curvature(land: Landscape, precision: Precision) -> Found:
    return _of_estimate(scalar_curvature(land, **precision.options))


def _mean_curvature(land: Landscape, precision: Precision) -> Found:
    return _of_estimate(mean_curvature(land, **precision.options))


def _largest_eigenvalue(land: Landscape, precision: Precision) -> Found:
    pairs = eigenpairs(land, 1, seed=precision.seed, memory=precision.memory)
    bound = max(float(pairs.bounds[0]), torch.finfo(land.dtype).eps * abs(float(pairs.values[0])))
    return Found(float(pairs.values[0]), bound, pairs.cost)


def _accuracy(land: Landscape, _: Precision) -> Found:
    return Found(accuracy(land), cost=FORWARD)


def _of_estimate(e: Estimate) -> Found:
    return Found(e.value, 0.0 if e.exact else e.half_width(), e.cost)


#: By name, the measure of a landscape at its point.
MEASURES: Mapping[QuantityName, Callable[[Landscape, Precision], Found]] = {
    "loss": _loss,
    "gradient_norm": _gradient_norm,
    "accuracy": _accuracy,
    "scalar_curvature": _scalar_curvature,
    "mean_curvature": _mean_curvature,
    "largest_eigenvalue": _largest_eigenvalue,
}
#: Those that cost a few gradients at most: a slice has them on its fine grid.
CHEAP: tuple[QuantityName, ...] = ("loss", "gradient_norm", "accuracy")


def accuracy(land: Landscape) -> float:
    """Share of the samples whose class is predicted: the largest output, or the sign of a single logit.

    Targets are class numbers (negative ones are left out), probabilities of classes, or 0 and 1 beside logits of the
    same shape; a sequence counts by its positions. Costs a third of a gradient. Raises ArgumentError where model and
    loss are not apart, or targets are no classes.
    """
    right = total = 0

    def counted(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
        nonlocal right, total
        if batch.outputs is None:
            raise ArgumentError("accuracy needs loss= and targets that are classes; this landscape has batch_loss=.")
        hits = _hits(batch.outputs(), batch.batch[1])
        right, total = right + int(hits.sum()), total + hits.numel()
        return (), 1.0

    land.means(counted, differentiable=False)
    return right / total if total else math.nan


def _hits(outputs: Any, targets: Any) -> Tensor:
    """For each sample that has a class, whether the output's is it."""
    if isinstance(outputs, Tensor) and isinstance(targets, Tensor):
        if not targets.is_floating_point() and outputs.ndim >= 2 and targets.shape == outputs[:, 0].shape:
            known = targets >= 0
            return (outputs.argmax(1) == targets)[known]
        if targets.shape == outputs.shape and targets.is_floating_point():
            if bool(((targets == 0) | (targets == 1)).all()) and (outputs.ndim == 1 or outputs.shape[1] == 1):
                return (outputs > 0) == (targets > 0.5)
            if outputs.ndim >= 2 and outputs.shape[1] > 1 and bool((targets.sum(1) - 1).abs().max() < 1e-3):
                return outputs.argmax(1) == targets.argmax(1)
    raise ArgumentError(
        "accuracy needs targets that are classes: numbers (N, ...) for outputs (N, C, ...), probabilities of the "
        f"outputs' shape, or 0 and 1 beside logits (N,) or (N, 1); got outputs {_shape(outputs)} and targets "
        f"{_shape(targets)}."
    )


def _shape(value: Any) -> str:
    return f"{tuple(value.shape)} of {value.dtype}" if isinstance(value, Tensor) else type(value).__name__

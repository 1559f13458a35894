"""What can be measured at a place of a slice, each with half the width of its interval and its cost."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from egregium.autodiff import exhausted
from egregium.errors import ArithmeticalError, EgregiumError, LossError, NotFiniteError
from egregium.geometry import mean_curvature
from egregium.landscape import Landscape
from egregium.measurement import eigenpairs, scalar_curvature
from egregium.results import Cost, Estimate, QuantityName
from egregium.slices.accuracy import accuracy


@dataclass(frozen=True)
class Found:
    """A value with half its interval's width (0: exact up to rounding; NaN: none), and what it cost.

    `converged`: whether it is as precise as asked; `why`: what the loss says where it is not finite;
    `estimate`: what the value is of, where it was just estimated.
    """

    value: float
    half_width: float = 0.0
    cost: Cost = Cost()
    measured: bool = True
    converged: bool = True
    why: str = ""
    estimate: Estimate | None = None


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


def found(name: QuantityName, place: Callable[[], Landscape], precision: Precision) -> Found:
    """The quantity at the point of the landscape that `place` gives; NaN or inf where it is not finite there.

    So it is where the loss fails there, also while its running statistics are found.
    Raises BudgetError, and the errors of arguments, data and memory, which no other place would cure.
    """
    try:
        return MEASURES[name](place(), precision)
    except NotFiniteError as error:
        return Found(error.value if name == "loss" else math.nan, math.nan, FORWARD)
    except (ArithmeticalError, LossError) as error:  # outside of the loss's domain
        return Found(math.nan, math.nan, FORWARD, why=str(error))
    except EgregiumError:
        raise
    except (RuntimeError, ValueError) as error:  # likewise, in the user's own words
        if exhausted(error):
            raise
        return Found(math.nan, math.nan, FORWARD, why=f"{type(error).__name__}: {error}")


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
    return Found(e.value, 0.0 if e.exact else e.half_width(), e.cost, converged=e.converged, estimate=e)


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

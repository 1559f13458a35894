"""How accurate an estimate must be, what it may cost, and how a caller watches or ends it."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real

from egregium.errors import ArgumentError
from egregium.results import Cost, Estimate

#: Budget in gradients where the caller names none: a guard against tolerances that cannot be met.
DEFAULT_BUDGET = 10_000.0
#: Vectors that are multiplied at once where memory allows: they share one gradient graph a batch.
PRODUCT_BLOCK = 16
#: More vectors than any estimator holds.
PLENTY = 2**30


@dataclass(frozen=True)
class Progress:
    """What is known so far.

    Attributes:
        phase: what is being done, in words.
        fraction: of the work, done by now; a prediction.
        estimate: None before there is one.
        cost: of everything so far.
    """

    phase: str
    fraction: float
    estimate: Estimate | None
    cost: Cost


#: Called after each block of products; returning False ends the estimation with what is known by then.
ProgressCallback = Callable[[Progress], bool | None]


def stopped(progress: ProgressCallback | None, report: Progress) -> bool:
    """Tell the caller; whether the caller wants to stop (False of any kind, numpy's included; None goes on)."""
    if progress is not None and not callable(progress):
        raise ArgumentError(f"progress must be a function of a Progress, got {type(progress).__name__}.")
    answer = None if progress is None else progress(report)
    return answer is not None and not answer


def checked_confidence(confidence: object) -> None:
    """Raise ArgumentError unless `confidence` is a number between 0 and 1."""
    if not isinstance(confidence, Real) or not 0 < float(confidence) < 1:
        raise ArgumentError(f"confidence must be between 0 and 1, such as 0.95, got {confidence!r}.")


@dataclass(frozen=True)
class Room:
    """What memory allows an estimator.

    Attributes:
        block: vectors that are multiplied at once.
        vectors: vectors that may be held between products: a sketch, Lanczos vectors.
        cost: what finding this out takes.
        spare: bytes beyond those of a product of one vector.
    """

    block: int = PRODUCT_BLOCK
    vectors: int = PLENTY
    cost: Cost = Cost()
    spare: float = math.inf


@dataclass(frozen=True)
class Goal:
    """The interval at `confidence` is to be no wider than +/- max(atol, rtol |value|).

    `budget`: in gradients (products, where an operator has no price); `max_seconds`: wall time from `started`.
    Raises ArgumentError for values out of range.
    """

    rtol: float = 0.01
    atol: float = 0.0
    confidence: float = 0.95
    budget: float | None = None
    max_seconds: float | None = None
    started: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        for name in ("rtol", "atol", "confidence", "budget", "max_seconds"):
            value = getattr(self, name)
            if not (isinstance(value, Real) or (value is None and name in ("budget", "max_seconds"))):
                raise ArgumentError(f"{name} must be a number, got {value!r}.")
        checks = [
            ("rtol", self.rtol, 0 < self.rtol < math.inf, "a positive finite number, such as 0.01 for one percent"),
            ("atol", self.atol, 0 <= self.atol < math.inf, "zero or a positive finite number"),
            ("confidence", self.confidence, 0 < self.confidence < 1, "between 0 and 1, such as 0.95"),
            ("budget", self.budget, self.budget is None or self.budget > 0, "a positive number of gradients, or None"),
            ("max_seconds", self.max_seconds, self.max_seconds is None or self.max_seconds > 0, "positive, or None"),
        ]
        for name, value, good, expected in checks:
            if not good:
                raise ArgumentError(f"{name} must be {expected}, got {value!r}.")

    def target(self, value: float) -> float:
        """The half-width asked for at this value."""
        return max(self.atol, self.rtol * abs(value))

    def reached(self, estimate: Estimate) -> bool:
        """Whether the estimate's interval is narrow enough."""
        return estimate.half_width(self.confidence) <= self.target(estimate.value)

    def left(self, cost: Cost) -> float:
        """What remains of the budget, in gradients."""
        return (DEFAULT_BUDGET if self.budget is None else self.budget) - cost.effort

    def late(self) -> bool:
        """Whether the time is over."""
        return self.max_seconds is not None and time.perf_counter() - self.started > self.max_seconds

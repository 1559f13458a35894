"""A trace that comes from elsewhere than from products: a constant, and passes that sample the rest."""

from dataclasses import dataclass, replace
from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from egregium.results import Cost
from egregium.stats import KnownMean, mean_of_passes

#: Passes below which there is no error bar.
FEWEST_PASSES = 2


class TraceSource(Protocol):
    """tr A = constant + E[sum of a pass's units].

    Attributes:
        words: how, for the result's method.
        sampled: whether passes are needed at all.
    """

    @property
    def words(self) -> str: ...

    @property
    def sampled(self) -> bool: ...

    def first(self) -> Cost:
        """What the constant and the first passes will cost, before they are taken."""

    def begin(self) -> tuple[float, Cost]:
        """The constant, and what it cost."""

    def sample(self, index: int) -> Float[Tensor, " m"]:
        """The units of pass number `index`."""

    def price(self) -> Cost:
        """What a pass costs."""


@dataclass(frozen=True, eq=False)
class PartedTrace:
    """What is known of a trace after some passes."""

    source: TraceSource
    constant: float
    passes: tuple[Float[Tensor, " m"], ...]
    cost: Cost

    @property
    def known(self) -> KnownMean:
        """The trace and its error."""
        return mean_of_passes(self.passes, self.constant)


def begun_trace(source: TraceSource) -> PartedTrace:
    """The constant, and two passes where they are needed."""
    constant, cost = source.begin()
    start = PartedTrace(source, constant, (), cost)
    return further(start, FEWEST_PASSES) if source.sampled else start


def further(trace: PartedTrace, count: int) -> PartedTrace:
    """The trace after `count` more passes."""
    for _ in range(count):
        units = trace.source.sample(len(trace.passes))
        trace = replace(trace, passes=(*trace.passes, units), cost=trace.cost + trace.source.price())
    return trace

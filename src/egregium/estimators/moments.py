"""Trace and squared Frobenius norm, known exactly or by samples, and statistics of the two with their errors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArithmeticalError
from egregium.operators import SymmetricOperator
from egregium.operators.dense import BLOCK, column_blocks
from egregium.operators.inner import dots
from egregium.operators.symmetry import refuse_skew
from egregium.results import Cost, Estimate
from egregium.stats import KnownMean, Statistic, known_mean_estimate, moment_estimate

#: Roundings of the dtype that a trace or a Frobenius norm may be off by, relative to its size. Seen: 4 for exact, 25
#: for sampled traces of a matrix of rank one and n = 1,000.
ROUNDINGS = 32


def trace_statistic(t: Tensor, t2: Tensor, F: Tensor) -> Tensor:
    """tr A."""
    return t


def square_statistic(t: Tensor, t2: Tensor, F: Tensor) -> Tensor:
    """|A|_F^2."""
    return F


def gauss_statistic(t: Tensor, t2: Tensor, F: Tensor) -> Tensor:
    """(tr A)^2 - |A|_F^2: twice the second elementary symmetric function of the eigenvalues."""
    return t2 - F


@dataclass(frozen=True, eq=False)
class TraceMoments:
    """tr A and |A|_F^2: `traces` and `squares` (k,) are unbiased samples, one a probe; k = 1 where `exact`.

    `rounding` is the dtype's: the relative error that products in it carry into the two. `known`: the trace from
    elsewhere, with its own error, independent of `squares`; then `traces` are not used. `head`: the part of all
    `squares` that is exact, the sketch's.
    """

    traces: Float[Tensor, " k"]
    squares: Float[Tensor, " k"]
    exact: bool
    rounding: float = 0.0
    known: KnownMean | None = None
    head: float = 0.0

    def rounding_of(self, statistic: Statistic) -> float:
        """What rounding of the products can make of `statistic`: of t by u max(|t|, |A|_F), of F by u F.

        A difference of large numbers, such as R of a matrix of rank one, is not known better than they are.
        """
        t, F = self._trace(), self.squares.mean()
        t2 = t**2
        u, size = ROUNDINGS * self.rounding, torch.maximum(t.abs(), F.clamp(min=0).sqrt())
        here = statistic(t, t2, F)
        moved = (statistic(t + u * size, t2, F), statistic(t, t2 + 2 * u * size**2, F), statistic(t, t2, F + u * F))
        return sum(float((there - here).abs()) for there in moved)

    def estimate(self, statistic: Statistic, **about: Any) -> Estimate:
        """`statistic` of (t, t^2, F), with its standard error; `about` fills the other fields of the Estimate.

        Unbiased where the statistic is linear in t, t^2 and F; errors as in `stats.moment_estimate`.
        """
        t, F = self.traces, self.squares
        if self.exact:
            value = _finite(statistic(t[0], t[0] ** 2, F[0]))
            return Estimate(value, 0.0, rounding=self.rounding_of(statistic), **about)
        if self.known is not None:
            estimated, stderr, degrees, tail = known_mean_estimate(statistic, self.known, F, self.head)
            t, about = self._trace().expand(F.shape), about | {"tail": tail}
        else:
            (estimated, stderr, bend), degrees = moment_estimate(statistic, t, F), t.numel() - 1
            about = about | {"bend": bend if bend.second else None}
        samples = torch.stack([t, F], dim=1)
        return Estimate(_finite(estimated), stderr, degrees, samples, rounding=self.rounding_of(statistic), **about)

    def _trace(self) -> Tensor:
        return self.traces.mean() if self.known is None else torch.tensor(self.known.value, dtype=torch.float64)


def _finite(value: Tensor) -> float:
    """`value` where it is finite. Raises ArithmeticalError otherwise."""
    if not bool(torch.isfinite(value)):
        raise ArithmeticalError(f"The estimate overflows: it is {float(value)}. Rescale f (scale=), or use float64.")
    return float(value)


def cost_of(op: SymmetricOperator, k: int, block: int = BLOCK) -> Cost:
    """What k products cost, `block` at a time."""
    whole, rest = divmod(k, block)
    return sum([op.cost(block)] * whole + [op.cost(rest)] * (rest > 0), Cost())


def price_of(op: SymmetricOperator, k: int, block: int = BLOCK) -> float:
    """The same as a budget counts."""
    whole, rest = divmod(k, block)
    return whole * op.cost(block).effort + (op.cost(rest).effort if rest else 0.0)


def exact_moments(
    op: SymmetricOperator, block: int = BLOCK, goes_on: Callable[[float, Cost], bool] = lambda fraction, cost: True
) -> tuple[TraceMoments | None, Cost]:
    """tr A and |A|_F^2 from all n columns, `block` at a time; n products, no (n x n) array.

    `goes_on(fraction done, cost so far)` is asked before each block; where it says no, there are no moments.

    >>> from egregium.operators import Dense
    >>> moments, cost = exact_moments(Dense(torch.tensor([[2.0, 1.0], [1.0, 3.0]])))
    >>> moments.estimate(gauss_statistic).value, cost.products  # 5^2 - (4 + 1 + 1 + 9)
    (10.0, 2)
    """
    trace, square, cost = 0.0, 0.0, Cost()
    if not goes_on(0.0, cost):
        return None, cost
    for columns, part in column_blocks(op, block):
        refuse_skew(part[columns].double(), op.dtype)
        trace += float(part[columns].diagonal().double().sum())
        rows = part.T
        square += float(dots(rows, rows).sum())
        cost = cost + op.cost(part.shape[1])
        if columns.stop < op.n and not goes_on(columns.stop / op.n, cost):
            return None, cost
    t, F = (torch.tensor([x], dtype=torch.float64) for x in (trace, square))
    return TraceMoments(t, F, exact=True, rounding=torch.finfo(op.dtype).eps), cost

"""What another sample of the data would change: the jackknife over batches, to first order.

A number theta(f) of the loss f, the mean of the batches weighted by their terms, moves by D_b when f is replaced by
batch b's f_b, to first order in f_b - f: its influence. The delete-one-batch value differs by `D_b / (h_b - 1)`,
h_b = N / n_b, and

    data_stderr^2 = (1 / m) sum_b D_b^2 / (h_b - 1)

(`stats.unequal_jackknife_variance`). With dH = H_b - H, dg = g_b - g, t = tr H, F = |H|_F^2, p = g^T H g, q = |H g|^2:

    dt = tr dH            dF = 2 tr(H dH)        dbeta = -2 beta^2 g.dg
    dp = 2 Hg.dg + g.dH g                        dq = 2 Hg.dH g + 2 HHg.dg
    dR = (t^2 - F) dbeta + beta (2 t dt - dF) + 4 beta (q - t p) dbeta + 2 beta^2 (dq - p dt - t dp).

The traces are sampled by random signs v common to all batches: `tr dH` by v.dH v, `tr(H dH)` by Hv.dH v. The square of
a sampled D_b is too large by its probes' variance, so D_b^2 is the mean over pairs of probes.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import TangentFrame, gradients_per_batch, products_per_batch
from egregium.curvature.hessian import SecondDerivative
from egregium.errors import ArgumentError
from egregium.estimators import Room, TraceMoments, gauss_statistic, trace_statistic
from egregium.estimators.moments import cost_of
from egregium.estimators.probes import signs
from egregium.estimators.sketch import rows_of
from egregium.measurement.turn import turn_of
from egregium.results import Cost, Estimate
from egregium.stats import unequal_jackknife_variance

#: Batches below which a deviation over batches says too little: with 10, it is off by a quarter.
FEWEST_BATCHES = 10
#: Probes common to all batches, and the stream they come from.
PROBES, STREAM = 32, 3
#: Share of the plain square that must be left without the probes' variance: below, the plain one is a bound.
LEAST_SHARE = 0.1
BOUND = "The data's standard error is an upper bound: noise of its probes is most of it."


@dataclass(frozen=True)
class Slope:
    """Theta to first order: d theta = t dt + F dF + (what the gradient adds, a number a batch)."""

    t: float
    F: float
    beyond: Float[Tensor, " m"] | float = 0.0


@dataclass(frozen=True, eq=False)
class Batches:
    """A landscape whose batches are many enough: their sizes, and the operator. Costs one gradient to find out."""

    op: SecondDerivative
    sizes: Float[Tensor, " m"]

    def price(self, block: int, *, square: bool = True, gradient: bool = False) -> Cost:
        """Of everything; `square`: with products H v, for |H|_F^2; `gradient`: with `of_curvature`."""
        products = cost_of(self.op, min(PROBES, self.op.n), block)
        cost = Cost(gradients=1) + products + (products if square else Cost())
        return cost + Cost(gradients=1) + cost_of(self.op, 3, 1) if gradient else cost  # g_b; Hg, HHg, H_b g

    def of_curvature(self, frame: TangentFrame, moments: TraceMoments) -> Slope:
        """The slope of R, for `moments` of the shape operator: two products, and one of each batch."""
        g = frame.gradient
        Hg = self.op @ g
        turn = turn_of(frame, Hg)
        t = moments.estimate(turn.of_hessian(trace_statistic)).value
        excess = moments.estimate(turn.of_hessian(gauss_statistic)).value
        found = gradients_per_batch(self.op.land, torch.stack([g, Hg, self.op @ Hg]))
        along, onto_Hg, onto_HHg = found.values.T
        moved = products_per_batch(self.op, g.unsqueeze(0), (g.unsqueeze(0), Hg.unsqueeze(0)))
        g_dH_g, Hg_dH_g = moved.values[:, :, 0].T
        beta, p, q = turn.beta, turn.p, turn.q
        dbeta = -2 * beta**2 * along
        dp, dq = 2 * onto_Hg + g_dH_g, 2 * Hg_dH_g + 2 * onto_HHg
        beyond = excess * dbeta + 4 * beta * (q - t * p) * dbeta + 2 * beta**2 * (dq - t * dp)
        return Slope(2 * beta * t - 2 * beta**2 * p, -beta, beyond)

    def told(self, estimate: Estimate, slope: Slope, seed: int, room: Room) -> Estimate:
        """The estimate with its standard error over samples of the data, whose cost it has already."""
        started = time.perf_counter()
        variance, bound = self.variance(slope, seed, room)
        notes = estimate.notes
        if variance < LEAST_SHARE * bound:
            variance, notes = bound, (*notes, BOUND)
        cost = replace(estimate.cost, seconds=estimate.cost.seconds + time.perf_counter() - started)
        return replace(estimate, data_stderr=math.sqrt(variance), cost=cost, notes=notes)

    def variance(self, slope: Slope, seed: int, room: Room) -> tuple[float, float]:
        """(without bias, with its probes' variance in it), the same where n <= 32; two passes a block of probes."""
        parts = []
        for v in self._vectors(seed, room.block):
            along = (v, rows_of(self.op @ v.T)) if slope.F else (v,)
            dt, *half_dF = products_per_batch(self.op, v, along).values.unbind(1)
            parts.append(slope.t * dt + sum(2 * slope.F * d for d in half_dF))
        probes = torch.cat(parts, 1)
        k = probes.shape[1]
        if k == self.op.n:
            exact = unequal_jackknife_variance((probes.sum(1) + slope.beyond) ** 2, self.sizes)
            return exact, exact
        plain = (probes.mean(1) + slope.beyond) ** 2
        unbiased = plain - probes.var(1) / k
        return unequal_jackknife_variance(unbiased, self.sizes), unequal_jackknife_variance(plain, self.sizes)

    def _vectors(self, seed: int, block: int) -> Iterator[Float[Tensor, "k n"]]:
        """Blocks of probes; all unit vectors where n is no more than the probes."""
        op, k = self.op, min(PROBES, self.op.n)
        for first in range(0, k, block):
            size = min(block, k - first)
            if op.n <= PROBES:
                yield torch.eye(op.n, dtype=op.dtype, device=op.device)[first : first + size]
            else:
                yield rows_of(signs(op.n, first, size, seed=seed, stream=STREAM, dtype=op.dtype, device=op.device))


def batches_of(op: object) -> Batches:
    """The batches of a landscape's operator. Costs one gradient.

    Raises ArgumentError where it is no landscape's, or has fewer than 10 batches with loss terms.
    """
    if not isinstance(op, SecondDerivative):
        raise ArgumentError(
            f"data_error=True needs a Landscape, whose batches are compared; {type(op).__name__} has none. Pass "
            "eg.Landscape(model, loss, batches), or leave data_error= out."
        )
    sizes = gradients_per_batch(op.land, torch.empty(0, op.n, dtype=op.dtype, device=op.device)).sizes
    if len(sizes) < FEWEST_BATCHES:
        raise ArgumentError(
            f"data_error=True needs at least {FEWEST_BATCHES} batches that can be left out one by one, got "
            f"{len(sizes)}. Make smaller batches: the numbers stay the same."
        )
    return Batches(op, sizes)

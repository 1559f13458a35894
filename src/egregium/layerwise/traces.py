"""Traces by parts: tr H = tr G + tr D, with a probe of its own for every sample where it must be sampled.

G is the Gauss-Newton matrix, D = H - G the curvature of the outputs, `D = (1/N) sum_i sum_c (dl/dz_c) Hess z_c`.
The trace of a mean over samples takes independent probes, `(1/N) sum_i v_i^T H_i v_i`, of variance
`(2/N^2) sum_i |H_i|_F^2` against `2 |H|_F^2` of one for all (T. Wen et al., Flipout, arXiv 1803.04386, for
perturbations of samples that share a layer).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from egregium.landscape import BatchLoss, Landscape
from egregium.landscape.losses import Count
from egregium.layerwise.apart import refuse_mixing
from egregium.layerwise.capture import captured, output_gradients, refuse_another_way
from egregium.layerwise.known import Signs
from egregium.layerwise.outputs import output_curvature, precise_output_curvature
from egregium.layerwise.singles import squared_gradients
from egregium.layerwise.structure import Structure

Part = Literal["hessian", "remainder", "gauss-newton"]


@dataclass(frozen=True, eq=False)
class TracePass:
    """One pass: values (m,) of units whose probes are independent, a sample or a batch each; their sum is unbiased."""

    values: Float[Tensor, " m"]

    @property
    def total(self) -> float:
        """The estimate of the trace."""
        return float(self.values.sum())


def exact_gauss_newton_trace(land: Landscape, structure: Structure) -> float:
    """tr G = (1/N) sum_i sum_k s_k |J_i^T b_k|^2, with L_i = sum_k s_k b_k b_k^T; exact, without weight decay.

    One forward pass and a backward pass to the layers' outputs for each of at most K numbers that a sample puts out;
    in parameters that no layer covers, the gradients of samples alone (`singles`).
    Memory: the activations, and (N, K, K) numbers of a batch; or `Singles.bytes_held`.
    """

    def values(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Tensor, Count]:
        found, z, vectors, numbers = _in_covered(batch, parameters, structure)
        if structure.singles is not None and structure.singles.which and len(numbers):
            found += (numbers * squared_gradients(batch, parameters, structure.singles, z, vectors)).sum(0)
        return found, _parted(batch)[1](z)[1]

    return _units(land, values).total


def _in_covered(
    batch: BatchLoss, parameters: list[Tensor], structure: Structure
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """sum_k s_k |J_i^T b_k|^2 in the covered parameters; the outputs, the b_k and s_k. The batch's graph ends here."""
    outputs, criterion = _parted(batch)
    with captured(batch, structure.covered) as seen:
        z = outputs()
    refuse_another_way(seen, structure.covered, z, batch)
    curvature = precise_output_curvature(criterion, z)
    refuse_mixing(seen, z, curvature, batch.index)
    vectors, numbers = curvature.columns()
    found = torch.zeros(z.shape[0], dtype=torch.float64, device=z.device)
    for b, s in zip(vectors, numbers, strict=True):
        for call, e in zip(seen.calls, output_gradients(seen, z, b.to(z.dtype).view_as(z)), strict=True):
            if e is not None:
                found += s * call.layer.products(e, e)
    return found, z.detach(), vectors, numbers


def trace_pass(land: Landscape, structure: Structure, part: Part, seed: int, index: int) -> TracePass:
    """One unbiased sample of tr H, tr D or tr G, without weight decay; a function of (seed, index) alone.

    "hessian" and "remainder": the second derivative along a random direction of each sample, twice in reverse; for
    parameters that no captured layer holds, along one of the batch. "gauss-newton": `<J_i^T w_i, J_i^T L_i w_i>` for
    random signs w_i of the outputs, any loss, whatever K is; needs every parameter to be covered.
    """

    def values(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Tensor, Count]:
        device, dtype = parameters[0].device, parameters[0].dtype
        generator = torch.Generator().manual_seed(_mixed(seed, index, batch.index))
        draw = Signs(generator, dtype, device)
        if part == "gauss-newton":
            return _output_probes(batch, parameters, structure, draw, first=index == 0)
        return _layer_probes(batch, parameters, structure, draw, part, first=index == 0)

    return _units(land, values)


def _output_probes(
    batch: BatchLoss, parameters: list[Tensor], structure: Structure, draw: Signs, *, first: bool
) -> tuple[Tensor, Count]:
    outputs, criterion = _parted(batch)
    with captured(batch, structure.covered) as seen:
        z = outputs()
    refuse_another_way(seen, structure.covered, z, batch)
    w = draw(*z.shape).to(z.dtype)
    curvature = output_curvature(criterion, z)
    if first:
        refuse_mixing(seen, z, curvature, batch.index)
    bent = curvature.product(w)
    found = torch.zeros(z.shape[0], dtype=torch.float64, device=z.device)
    one, two = (output_gradients(seen, z, cotangent) for cotangent in (w, bent))
    for call, e, other in zip(seen.calls, one, two, strict=True):
        if e is not None and other is not None:
            found += call.layer.products(e, other)
    return found, criterion(z.detach())[1]


def _layer_probes(
    batch: BatchLoss, parameters: list[Tensor], structure: Structure, draw: Signs, part: Part, *, first: bool
) -> tuple[Tensor, Count]:
    rest = [j for j in range(len(parameters)) if j not in structure.covered]
    samples = batch.samples if structure.covered else 0
    eps = torch.zeros(samples, dtype=parameters[0].dtype, device=parameters[0].device, requires_grad=True)
    with captured(batch, structure.covered, eps if samples else None, draw) as seen:
        if part == "remainder" or samples:
            outputs, criterion = _parted(batch)
            z = outputs()
            if part == "remainder" or first:
                curvature = output_curvature(criterion, z)
            if first and samples and z.requires_grad:
                refuse_mixing(seen, z, curvature, batch.index)
        if part == "remainder":
            total, count = (z * curvature.slopes.detach()).sum(), criterion(z.detach())[1]
        else:
            total, count = criterion(z) if samples else batch.terms()
        moved = [*([eps] if samples else []), *(parameters[j] for j in rest)]
        ones = [torch.ones_like(eps)] if samples else []
        directions = [*ones, *(draw(*parameters[j].shape).to(parameters[j].dtype) for j in rest)]
        zeros = torch.zeros(max(samples, 1) if not rest else 1, dtype=torch.float64, device=total.device)
        if not total.requires_grad:
            return zeros, count
        refuse_another_way(seen, structure.covered, total, batch)
        slopes = torch.autograd.grad(total, moved, create_graph=True, materialize_grads=True)
        live = [j for j, slope in enumerate(slopes) if slope.requires_grad]
        if not live:
            return zeros, count
        bent = torch.autograd.grad(
            [slopes[j] for j in live], moved, [directions[j] for j in live], materialize_grads=True
        )
    if not rest:
        return bent[0].double(), count
    return sum(((d * b).sum(dtype=torch.float64) for d, b in zip(directions, bent, strict=True))).reshape(1), count  # type: ignore[union-attr]


def _units(land: Landscape, values: Callable[[BatchLoss, list[Tensor]], tuple[Tensor, Count]]) -> TracePass:
    """The values of every unit, weighted as f weighs its terms."""
    found: list[Tensor] = []

    def contribution(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
        of_batch, count = values(batch, parameters)
        found.append(of_batch.detach().cpu())
        return [torch.ones((), dtype=torch.float64)], count

    (weight,) = land.means(contribution)
    return TracePass(torch.cat(found) * (float(weight) / len(found)))


def _mixed(seed: int, index: int, batch: int) -> int:
    """One integer of three, as numpy's SeedSequence mixes them."""
    return int(np.random.SeedSequence(seed, spawn_key=(4, index, batch)).generate_state(1, np.uint64)[0] >> 1)


def _parted(batch: BatchLoss) -> tuple[Callable[[], Any], Callable[[Any], tuple[Tensor, Count]]]:
    """Outputs and loss, of a batch that has them."""
    assert batch.outputs is not None
    assert batch.criterion is not None
    return batch.outputs, batch.criterion

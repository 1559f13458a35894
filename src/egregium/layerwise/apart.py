"""Whether the samples of a batch are apart: each layer's row i, output i and slopes i belong to sample i alone.

Sums of gradients do not tell: rows that are sorted, routed or summed up give the right sum and wrong norms. So some
samples are weighted with 0, and what must not move must be zero, not small.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from egregium.layerwise.capture import Captured, RouteError, output_gradients
from egregium.layerwise.outputs import OutputCurvature

#: Samples up to which the other half is weighted too: of few, one choice may miss that each acts on the next.
FEW = 128


def refuse_mixing(seen: Captured, z: Tensor, curvature: OutputCurvature, batch: int) -> None:
    """Raise RouteError unless samples are apart in all captured layers and in the loss; a backward pass or two.

    `curvature`: of the loss at z, in any dtype.
    """
    if not apart(curvature, batch):
        raise RouteError(
            f"The loss of batch {batch} is not a sum over samples: "
            'neither traces by parts nor method="dual" fit that; method="stochastic" does.'
        )
    if not all(layers_apart(seen, z, batch)):
        raise RouteError(
            f"On batch {batch} samples act on each other, or rows of a layer are not the samples in their order. "
            'Neither traces by parts nor method="dual" fit that; method="stochastic" does.'
        )


def apart(curvature: OutputCurvature, batch: int) -> bool:
    """Whether no sample's slopes depend on another's outputs."""
    return not any(bool(curvature.product(w)[~chosen].any()) for w, chosen in _weights(curvature.z, batch))


def layers_apart(seen: Captured, z: Tensor, batch: int) -> list[bool]:
    """For each captured call, whether the outputs of some samples reach its rows of these samples alone."""
    good = [call.rows == z.shape[0] for call in seen.calls]
    for u, chosen in _weights(z, batch):
        for i, e in enumerate(output_gradients(seen, z, u)):
            good[i] = good[i] and (e is None or not bool(e[~chosen].any()))
    return good


def weightings(N: int) -> int:
    """How often a batch of N samples is weighted for that."""
    return 0 if N < 2 else 2 if N <= FEW else 1


def _weights(z: Tensor, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Random weights of the outputs, zero for about half of the samples, and which are not; of few, the others' too."""
    N = z.shape[0]
    if not weightings(N):
        return
    draw = torch.Generator().manual_seed(batch)
    u = torch.randn(z.shape, generator=draw, dtype=torch.float64).to(z)
    order = torch.randperm(N, generator=draw).to(z.device)
    chosen = torch.zeros(N, dtype=torch.bool, device=z.device)
    chosen[order[: (N + 1) // 2]] = True
    for half in (chosen, ~chosen)[: weightings(N)]:
        yield u * half.view(-1, *(1,) * (z.ndim - 1)), half

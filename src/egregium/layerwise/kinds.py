"""Which layers are known."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from egregium.layerwise.dense import Dense, columns
from egregium.layerwise.diagonal import Diagonal, scaled
from egregium.layerwise.known import Factors, Known
from egregium.layerwise.rows import Rows


def known(module: nn.Module, a: Tensor, z: Tensor, factors: Factors) -> Known | None:
    """What is kept of the call z = module(a), samples along the first dimension of both; None where it is not known.

    `factors`: 0 for a bias that is frozen, which has no part in the gradients.
    """
    if z.shape[0] != a.shape[0] or z.ndim < 2 or a.ndim < 2:
        return None
    a, N = a.detach(), a.shape[0]
    d = factors.rows
    if type(module) is nn.Linear:
        return Dense(a.reshape(N, 1, -1, a.shape[-1]), z.shape, factors.bias, _by_output(d, 1, z.shape[-1]), last=True)
    if type(module) in (nn.Conv1d, nn.Conv2d) and a.ndim == z.ndim > 2:
        conv: Any = module
        scale = _by_output(d, conv.groups, conv.out_channels // conv.groups)
        return Dense(columns(module, a), z.shape, factors.bias, scale, last=False)
    if type(module) is nn.Embedding and not module.scale_grad_by_freq:
        padding = -1 if module.padding_idx is None else module.padding_idx
        scale = None if d is None else d.expand(module.num_embeddings)
        return Rows(a.reshape(N, -1), module.num_embeddings, padding, z.shape, scale)
    x = scaled(module, a)
    if x is None or (d is not None and d.numel() > 1):
        return None
    return Diagonal(x if d is None else x * d, z.shape, factors.bias)


def _by_output(d: Tensor | None, groups: int, outputs: int) -> Float[Tensor, "G 1 O"] | None:
    """Factors of a weight's rows, by group and output."""
    return None if d is None else d.expand(groups * outputs).view(groups, 1, outputs)

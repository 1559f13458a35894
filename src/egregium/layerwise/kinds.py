"""Which layers are known."""

from torch import Tensor, nn

from egregium.layerwise.dense import Dense, columns
from egregium.layerwise.diagonal import Diagonal, scaled
from egregium.layerwise.known import Known
from egregium.layerwise.rows import Rows


def known(module: nn.Module, a: Tensor, z: Tensor, bias: bool) -> Known | None:
    """What is kept of the call z = module(a), samples along the first dimension of both; None where it is not known.

    `bias`: whether the bias is measured: a frozen one has no part in the gradients.
    """
    if z.shape[0] != a.shape[0] or z.ndim < 2 or a.ndim < 2:
        return None
    a, N = a.detach(), a.shape[0]
    if type(module) is nn.Linear:
        return Dense(a.reshape(N, 1, -1, a.shape[-1]), z.shape, bias, last=True)
    if type(module) in (nn.Conv1d, nn.Conv2d) and a.ndim == z.ndim > 2:
        return Dense(columns(module, a), z.shape, bias, last=False)
    if type(module) is nn.Embedding and not module.scale_grad_by_freq:
        padding = -1 if module.padding_idx is None else module.padding_idx
        return Rows(a.reshape(N, -1), module.num_embeddings, padding, z.shape)
    x = scaled(module, a)
    return None if x is None else Diagonal(x, z.shape, bias)

"""Layers that scale and shift numbers one by one: norms, PReLU."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from egregium.layerwise.grams import Kept, Small
from egregium.layerwise.known import Known, Signs


@dataclass(frozen=True, eq=False)
class Diagonal(Known):
    """`gamma x + bias beta`: `x` (N, L, M, R) with the parameters' numbers along M; bias 0 where there is no beta."""

    x: Float[Tensor, "N L M R"]
    shape: torch.Size
    bias: float

    @property
    def held(self) -> int:
        return self.x.nbytes

    def _each(self, e: Tensor) -> tuple[Tensor, Tensor]:
        e = e.reshape(self.x.shape)
        return (e * self.x).sum((1, 3)), self.bias * e.sum((1, 3))

    def products(self, e: Tensor, other: Tensor) -> Float[Tensor, " N"]:
        gamma, beta = self._each(e)
        gamma2, beta2 = (gamma, beta) if e is other else self._each(other)
        weights = (gamma * gamma2).sum(1)
        return (weights + (beta * beta2).sum(1) if self.bias else weights).double()

    def gradients(self, e: Tensor) -> tuple[Tensor, Tensor]:
        gamma, beta = self._each(e)
        return gamma.sum(0), beta.sum(0)

    def share(self, e: Tensor) -> Float[Tensor, "N ..."]:
        gamma, beta = self._each(e)
        return (torch.cat([gamma, beta], dim=1) if self.bias else gamma).view(e.shape[0], 1, 1, -1)

    def kept(self, shares: Float[Tensor, "K N ..."]) -> Kept:
        return Small(shares)

    def nudge(self, draw: Signs) -> Tensor:
        N, L, M, R = self.x.shape
        if L * R == 1:
            return ((self.x.square() + self.bias**2).sqrt() * draw(N, 1, M, 1)).reshape(self.shape)
        return (self.x * draw(N, 1, M, 1) + self.bias * draw(N, 1, M, 1)).reshape(self.shape)


def scaled(module: nn.Module, a: Tensor) -> Float[Tensor, "N L M R"] | None:
    """What a layer's weights multiply one by one: normalised inputs, the negative ones of a PReLU."""
    kind, weight, N = type(module), getattr(module, "weight", None), a.shape[0]
    if not isinstance(weight, Tensor):
        return None
    options: Any = module
    if kind in (nn.LayerNorm, nn.RMSNorm):
        norm = F.layer_norm if kind is nn.LayerNorm else F.rms_norm
        return norm(a, options.normalized_shape, eps=options.eps).reshape(N, -1, weight.numel(), 1)
    if kind is nn.GroupNorm:
        return F.group_norm(a, options.num_groups, eps=options.eps).reshape(N, 1, a.shape[1], -1)
    if kind is nn.PReLU:
        return a.clamp(max=0).reshape(N, 1, weight.numel(), -1)
    if kind in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d) and not module.training:
        if options.running_mean is None:
            return None
        return F.batch_norm(a, options.running_mean, options.running_var, eps=options.eps).reshape(N, 1, a.shape[1], -1)
    return None

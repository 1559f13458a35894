"""Dense layers and convolutions.

With `a` the input, (N, G, P, I) for N samples, G groups, P positions, and `e` the gradient of some function of each
sample in the output, (N, G, P, O), the sample's gradient in the weights is `sum_p e_p a_p^T`. A convolution is this for
its unfolded columns.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from egregium.layerwise.grams import Kept, Outer, Small
from egregium.layerwise.known import Known, Signs, own


@dataclass(frozen=True, eq=False)
class Dense(Known):
    """A dense layer or convolution: `a` (N, G, P, I), the layer's output shape, and whether there is a bias.

    `last`: the output's features are its last dimension (dense), else its second (convolution).
    """

    a: Float[Tensor, "N G P I"]
    shape: torch.Size
    bias: bool
    last: bool

    @property
    def held(self) -> int:
        return self.a.nbytes

    def _rows(self, e: Tensor) -> Float[Tensor, "N G P O"]:
        N, G, P, _ = self.a.shape
        if self.last:
            return e.reshape(N, 1, P, -1)
        return e.reshape(N, G, -1, P).transpose(2, 3)

    def products(self, e: Tensor, other: Tensor) -> Float[Tensor, " N"]:
        N, _, P, inputs = self.a.shape
        same = e is other
        a, e = self.a.flatten(0, 1), self._rows(e).flatten(0, 1)  # three dimensions: matmul copies views of four
        other = e if same else self._rows(other).flatten(0, 1)
        if P == 1:
            weights = self._lengths * (e * other).sum((1, 2))
        elif P * (inputs + e.shape[2]) <= inputs * e.shape[2]:
            weights = ((a @ a.mT) * (e @ other.mT)).sum((1, 2))
        else:
            first = e.mT @ a
            weights = (first * (first if same else other.mT @ a)).sum((1, 2))
        if self.bias:
            weights = weights + (e.sum(1) * other.sum(1)).sum(1)
        return weights.double().view(N, -1).sum(1)

    @cached_property
    def _lengths(self) -> Float[Tensor, " NG"]:
        """|a|^2 of a sample and group, for a single position."""
        return self.a.square().sum((2, 3)).flatten()

    def gradients(self, e: Tensor) -> tuple[Tensor, Tensor]:
        rows = self._rows(e)
        return torch.einsum("ngpo,ngpi->goi", rows, self.a).reshape(-1), rows.sum((0, 2)).reshape(-1)

    @property
    def _small(self) -> bool:
        """Whether the gradients are no larger than the gradients in the output."""
        return self.a.shape[2] >= self.a.shape[3] + self.bias

    def share(self, e: Tensor) -> Float[Tensor, "N ..."]:
        rows = self._rows(e)
        if not self._small:
            return rows
        weights = rows.transpose(2, 3) @ self.a
        return torch.cat([weights, rows.sum(2).unsqueeze(3)], dim=3) if self.bias else weights

    def kept(self, shares: Float[Tensor, "K N ..."]) -> Kept:
        return Small(shares) if self._small else Outer(own(self.a), shares, self.bias)

    def nudge(self, draw: Signs) -> Tensor:
        N, G, P, inputs = self.a.shape
        outputs = (self.shape.numel() // (N * G * P)) if P else 0
        r = draw(N, G, 1, outputs)
        if P == 1:
            moved = (self.a.square().sum(3, keepdim=True) + float(self.bias)).sqrt() * r
        else:
            moved = (self.a @ draw(N, G, inputs, 1) + float(self.bias) * draw(N, G, 1, 1)) * r
        return moved.reshape(self.shape) if self.last else moved.transpose(2, 3).reshape(self.shape)


def columns(conv: Any, a: Tensor) -> Float[Tensor, "N G P I"]:
    """What each position of a convolution sees, for 1 or 2 dimensions."""
    mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
    if any(conv._reversed_padding_repeated_twice):
        a = F.pad(a, conv._reversed_padding_repeated_twice, mode=mode)
    kernel, dilation, stride = conv.kernel_size, conv.dilation, conv.stride
    if a.ndim == 3:
        a, kernel, dilation, stride = a.unsqueeze(2), (1, *kernel), (1, *dilation), (1, *stride)
    found = F.unfold(a, kernel, dilation=dilation, stride=stride)
    return found.reshape(a.shape[0], conv.groups, -1, found.shape[2]).transpose(2, 3)

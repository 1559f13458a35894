"""Dense layers and convolutions.

With `a` the input, (N, G, P, I) for N samples, G groups, P positions, and `e` the gradient of some function of each
sample in the output, (N, G, P, O), the sample's gradient in the weights is `sum_p e_p a_p^T`. A convolution is this for
its unfolded columns.
"""

from collections.abc import Sequence
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
    """A dense layer or convolution: `a` (N, G, P, I), the layer's output shape.

    `bias`, `scale`: factors of the bias (0: none) and of the weight's rows (None: 1). `last`: the output's features are
    its last dimension (dense), else its second (convolution).
    """

    a: Float[Tensor, "N G P I"]
    shape: torch.Size
    bias: float
    scale: Float[Tensor, "G 1 O"] | None
    last: bool

    @property
    def held(self) -> int:
        return self.a.nbytes

    def _rows(self, e: Tensor) -> Float[Tensor, "N G P O"]:
        N, G, P, _ = self.a.shape
        if self.last:
            return e.reshape(N, 1, P, -1)
        return e.reshape(N, G, -1, P).transpose(2, 3)

    def _scaled(self, rows: Float[Tensor, "N G P O"]) -> Float[Tensor, "N G P O"]:
        return rows if self.scale is None else rows * self.scale

    def products(self, e: Tensor, other: Tensor) -> Float[Tensor, " N"]:
        same = e is other
        rows = [self._rows(x) for x in ((e,) if same else (e, other))]
        weights = self._of_weights([self._scaled(x).flatten(0, 1) for x in rows])
        if self.bias:
            first, second = (x.flatten(0, 1).sum(1) for x in (rows[0], rows[-1]))
            weights = weights + self.bias**2 * (first * second).sum(1)
        return weights.double().view(self.a.shape[0], -1).sum(1)

    def _of_weights(self, rows: Sequence[Tensor]) -> Float[Tensor, " NG"]:
        """Inner products in the weights, of the first rows with the last, (NG, P, O): matmul copies views of four."""
        (_, _, P, inputs), a = self.a.shape, self.a.flatten(0, 1)
        e, other = rows[0], rows[-1]
        if P == 1:
            return self._lengths * (e * other).sum((1, 2))
        if P * (inputs + e.shape[2]) <= inputs * e.shape[2]:
            return ((a @ a.mT) * (e @ other.mT)).sum((1, 2))
        first = e.mT @ a
        return (first * (first if e is other else other.mT @ a)).sum((1, 2))

    @cached_property
    def _lengths(self) -> Float[Tensor, " NG"]:
        """|a|^2 of a sample and group, for a single position."""
        return self.a.square().sum((2, 3)).flatten()

    def gradients(self, e: Tensor) -> tuple[Tensor, Tensor]:
        rows = self._rows(e)
        weight = torch.einsum("ngpo,ngpi->goi", self._scaled(rows), self.a)
        return weight.reshape(-1), self.bias * rows.sum((0, 2)).reshape(-1)

    @property
    def _small(self) -> bool:
        """Whether the gradients are no larger than the gradients in the output."""
        return self.a.shape[2] >= self.a.shape[3] + bool(self.bias)

    def share(self, e: Tensor) -> Float[Tensor, "N ..."]:
        rows = self._rows(e)
        if not self._small:
            return rows
        weights = self._scaled(rows).transpose(2, 3) @ self.a
        return torch.cat([weights, self.bias * rows.sum(2).unsqueeze(3)], dim=3) if self.bias else weights

    def kept(self, shares: Float[Tensor, "K N ..."]) -> Kept:
        return Small(shares) if self._small else Outer(own(self.a), shares, self.bias, self.scale)

    def nudge(self, draw: Signs) -> Tensor:
        N, G, P, inputs = self.a.shape
        outputs = (self.shape.numel() // (N * G * P)) if P else 0
        r = draw(N, G, 1, outputs)
        if P == 1:
            moved = (self._scaled(self._scaled(self.a.square().sum(3, keepdim=True))) + self.bias**2).sqrt() * r
        else:
            moved = (self._scaled(self.a @ draw(N, G, inputs, 1)) + self.bias * draw(N, G, 1, 1)) * r
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

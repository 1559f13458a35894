"""Layers whose gradient of one sample is known from their input and their output's gradient.

With `a` the input of a dense layer, (N, G, P, I) for N samples, G groups, P positions, and `e` the gradient of some
function of each sample in its output, (N, G, P, O), the sample's gradient in the weights is `sum_p e_p a_p^T`. A
convolution is this for its unfolded columns. Layers that scale and shift are diagonal, embeddings choose rows.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from egregium.layerwise.grams import Chosen, Kept, Outer, Small


class Known(ABC):
    """What is kept of one call of a layer; the two parameters are (weight, bias), None where there is none."""

    @property
    @abstractmethod
    def held(self) -> int:
        """Bytes that are kept."""

    @abstractmethod
    def products(self, e: Tensor, other: Tensor) -> Float[Tensor, " N"]:
        """Inner product of each sample's gradients in the layer's parameters, for two gradients in its output."""

    @abstractmethod
    def gradients(self, e: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients (weight, bias) summed over samples, flat where torch's are; to compare with autograd's."""

    @abstractmethod
    def share(self, e: Tensor) -> Float[Tensor, "N ..."]:
        """What is kept of a gradient in the output, for inner products with other samples' gradients."""

    @abstractmethod
    def kept(self, shares: Float[Tensor, "K N ..."]) -> Kept:
        """The shares of K gradients in the output, with what they need of the call."""

    @abstractmethod
    def nudge(self, draw: "Signs") -> Tensor:
        """V_i a_i for each sample, shaped like the output: V_i of random signs, `E V_i V_i^T = I`, its own a sample.

        Where every entry of the output meets the weights once, only the direction in the output is random:
        `sqrt(|a|^2 + 1) r` has the mean square of `V a + v`, and less variance.
        """


@dataclass(frozen=True)
class Signs:
    """Random signs of one pass and batch, drawn on the CPU: the same on any device."""

    generator: torch.Generator
    dtype: torch.dtype
    device: torch.device

    def __call__(self, *shape: int) -> Tensor:
        bits = torch.randint(0, 2, shape, generator=self.generator, dtype=torch.int8)
        return bits.to(self.device, self.dtype).mul_(2).sub_(1)


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
        return Small(shares) if self._small else Outer(_own(self.a), shares, self.bias)

    def nudge(self, draw: Signs) -> Tensor:
        N, G, P, inputs = self.a.shape
        outputs = (self.shape.numel() // (N * G * P)) if P else 0
        r = draw(N, G, 1, outputs)
        if P == 1:
            moved = (self.a.square().sum(3, keepdim=True) + float(self.bias)).sqrt() * r
        else:
            moved = (self.a @ draw(N, G, inputs, 1) + float(self.bias) * draw(N, G, 1, 1)) * r
        return moved.reshape(self.shape) if self.last else moved.transpose(2, 3).reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Diagonal(Known):
    """`gamma x + beta`: `x` (N, L, M, R) with the parameters' numbers along M, and whether there is a beta."""

    x: Float[Tensor, "N L M R"]
    shape: torch.Size
    bias: bool

    @property
    def held(self) -> int:
        return self.x.nbytes

    def _each(self, e: Tensor) -> tuple[Tensor, Tensor]:
        e = e.reshape(self.x.shape)
        return (e * self.x).sum((1, 3)), e.sum((1, 3))

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
            return ((self.x.square() + float(self.bias)).sqrt() * draw(N, 1, M, 1)).reshape(self.shape)
        return (self.x * draw(N, 1, M, 1) + float(self.bias) * draw(N, 1, M, 1)).reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Rows(Known):
    """An embedding: indices (N, P), rows of the table, and the row that takes no gradient (-1: none)."""

    indices: Int[Tensor, "N P"]
    rows: int
    padding: int
    shape: torch.Size

    @property
    def held(self) -> int:
        return self.indices.nbytes * (1 + self.indices.shape[-1])  # and which indices are the same

    def _live(self, e: Tensor) -> Tensor:
        e = e.reshape(*self.indices.shape, -1)
        return e.masked_fill((self.indices == self.padding).unsqueeze(2), 0.0)

    def products(self, e: Tensor, other: Tensor) -> Float[Tensor, " N"]:
        same = self.indices.unsqueeze(1) == self.indices.unsqueeze(2)
        grams = self._live(e) @ self._live(other).transpose(1, 2)
        return grams.masked_fill(~same, 0.0).sum((1, 2), dtype=torch.float64)

    def gradients(self, e: Tensor) -> tuple[Tensor, Tensor]:
        live = self._live(e)
        table = live.new_zeros(self.rows, live.shape[2])
        table.index_add_(0, self.indices.reshape(-1), live.reshape(-1, live.shape[2]))
        return table.reshape(-1), table[:0]

    def share(self, e: Tensor) -> Float[Tensor, "N ..."]:
        return self._live(e)

    def kept(self, shares: Float[Tensor, "K N ..."]) -> Kept:
        return Chosen(_own(self.indices), shares)

    def nudge(self, draw: Signs) -> Tensor:
        N, width = self.indices.shape[0], self.shape[-1]
        s = draw(N, self.rows).gather(1, self.indices).masked_fill(self.indices == self.padding, 0.0)
        return (s.unsqueeze(2) * draw(N, 1, width)).reshape(self.shape)


def _own(x: Tensor) -> Tensor:
    """`x` without the rest of a larger tensor that it would keep alive."""
    return x if x.untyped_storage().nbytes() <= x.numel() * x.element_size() else x.clone()


def known(module: nn.Module, a: Tensor, z: Tensor) -> Known | None:
    """What is kept of the call z = module(a), samples along the first dimension of both; None where it is not known."""
    if z.shape[0] != a.shape[0] or z.ndim < 2 or a.ndim < 2:
        return None
    a, N = a.detach(), a.shape[0]
    if type(module) is nn.Linear:
        return Dense(a.reshape(N, 1, -1, a.shape[-1]), z.shape, module.bias is not None, last=True)
    if type(module) in (nn.Conv1d, nn.Conv2d) and a.ndim == z.ndim > 2:
        return Dense(_columns(module, a), z.shape, module.bias is not None, last=False)
    if type(module) is nn.Embedding and not module.scale_grad_by_freq:
        padding = -1 if module.padding_idx is None else module.padding_idx
        return Rows(a.reshape(N, -1), module.num_embeddings, padding, z.shape)
    x = _scaled(module, a)
    return None if x is None else Diagonal(x, z.shape, getattr(module, "bias", None) is not None)


def _scaled(module: nn.Module, a: Tensor) -> Float[Tensor, "N L M R"] | None:
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


def _columns(conv: Any, a: Tensor) -> Float[Tensor, "N G P I"]:
    """What each position of a convolution sees, for 1 or 2 dimensions."""
    mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
    if any(conv._reversed_padding_repeated_twice):
        a = F.pad(a, conv._reversed_padding_repeated_twice, mode=mode)
    kernel, dilation, stride = conv.kernel_size, conv.dilation, conv.stride
    if a.ndim == 3:
        a, kernel, dilation, stride = a.unsqueeze(2), (1, *kernel), (1, *dilation), (1, *stride)
    columns = F.unfold(a, kernel, dilation=dilation, stride=stride)
    return columns.reshape(a.shape[0], conv.groups, -1, columns.shape[2]).transpose(2, 3)

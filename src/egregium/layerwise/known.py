"""Layers whose gradient of one sample is known from their input and their output's gradient: what each must tell."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.layerwise.grams import Kept


@dataclass(frozen=True)
class Factors:
    """What the parameters of a layer are multiplied by to give its weights: D of normalised coordinates.

    Attributes:
        rows: of the weight, one number for each of its rows, or for all; None: 1.
        bias: of the bias; 0 where none is measured.
    """

    rows: Float[Tensor, " rows"] | None = None
    bias: float = 1.0


class Known(ABC):
    """What is kept of one call of a layer; the two parameters are (weight, bias), None where there is none.

    Gradients are those in the parameters: of the weights, times their factors.
    """

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
        `sqrt(|a|^2 + 1) r` has the mean square of `V a + v`, and less variance. With factors D V_i in their place.
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


def own(x: Tensor) -> Tensor:
    """`x` without the rest of a larger tensor that it would keep alive."""
    return x if x.untyped_storage().nbytes() <= x.numel() * x.element_size() else x.clone()

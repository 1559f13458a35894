"""Rescalings of a network that leave its function: theta -> A theta, A a positive diagonal matrix.

Dinh et al., arXiv 1703.04933: W_l, b_l -> a W_l, a b_l and W_(l+1) -> W_(l+1) / a, where everything between the two
layers is positively homogeneous: phi(a x) = a phi(x) for a > 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from egregium.landscape import BatchLoss, Landscape, tensors_of
from egregium.landscape.losses import Count

#: Layers that may be rescaled, each with a weight of shape (outputs, inputs, ...).
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
#: What is positively homogeneous; dropout is the identity where a landscape is measured.
HOMOGENEOUS = (
    *(nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.Identity, nn.Flatten, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d),
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    *(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
)


@dataclass(frozen=True)
class Pair:
    """Two layers that may be rescaled, by the names of their parameters; `bias` is None where the first has none."""

    weight: str
    bias: str | None
    following: str

    @property
    def words(self) -> str:
        """Which layers."""
        first, second = (name.rpartition(".")[0] for name in (self.weight, self.following))
        return f"layers {first} and {second}"


def pairs_of(land: Landscape) -> list[Pair]:
    """Pairs of layers of an nn.Sequential that its modules let one rescale, all their parameters among those of theta.

    Modules alone do not show it (a layer may be used twice, a hook may change what it gives): see `change`.
    """
    found: list[Pair] = []
    layers: list[tuple[str, nn.Module] | None] = []
    for name, module in _row(land.model) if isinstance(land.model, nn.Sequential) else ():
        if isinstance(module, LAYERS):
            layers.append((name, module))
        elif not isinstance(module, HOMOGENEOUS):
            layers.append(None)
    for before, after in pairwise(layers):
        if before is not None and after is not None:
            (first, module), (second, _) = before, after
            pair = Pair(f"{first}.weight", None if module.bias is None else f"{first}.bias", f"{second}.weight")
            if {pair.weight, pair.following, pair.bias or pair.weight} <= land.shapes.keys():
                found.append(pair)
    return found


def _row(model: nn.Sequential, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The modules of a Sequential and of those in it, one after the other; one that is used twice comes twice."""
    for name, module in model._modules.items():
        if isinstance(module, nn.Sequential):
            yield from _row(module, f"{prefix}{name}.")
        elif module is not None:
            yield f"{prefix}{name}", module


def rescaling(land: Landscape, pair: Pair, a: float | Float[Tensor, " outputs"]) -> Float[Tensor, " n"]:
    """The diagonal of A: a for the first layer's weight and bias, 1 / a for the second's weight.

    A number for each output of the first layer rescales its neurons one by one.
    """
    A = {name: torch.ones(shape, dtype=land.dtype, device=land.device) for name, shape in land.shapes.items()}
    size = torch.as_tensor(a, dtype=land.dtype, device=land.device).reshape(-1)
    first, second = A[pair.weight], A[pair.following]
    first *= size.reshape(-1, *[1] * (first.ndim - 1))
    second /= size.reshape(1, -1, *[1] * (second.ndim - 2))
    if pair.bias is not None:
        A[pair.bias] *= size
    return land.flatten(A)


def outputs(land: Landscape) -> Float[Tensor, " m"]:
    """What the network puts out on the first batch; empty where outputs and loss cannot be told apart."""
    found: list[Tensor] = []

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Sequence[Tensor], Count]:
        if batch.outputs is not None:
            found.extend(z.detach().reshape(-1) for z in tensors_of(batch.outputs()))
        return (), 1.0

    land.means(look, most=1)
    return torch.cat(found) if found else torch.zeros(0, device=land.device)


@dataclass(frozen=True)
class Change:
    """How much a function changed, relative to its size: f over all the data, and the outputs on the first batch.

    `outputs` is None where they and the loss cannot be told apart.
    """

    loss: float
    outputs: float | None

    @property
    def largest(self) -> float:
        """Of the two."""
        return max(self.loss, self.outputs or 0.0)


def change(land: Landscape, other: Landscape) -> Change:
    """What is different at `other`."""
    before, after = (torch.tensor([at.value()], dtype=torch.float64) for at in (land, other))
    z, z_after = outputs(land), outputs(other)
    return Change(_relative(after, before), _relative(z_after, z) if z.numel() else None)


def _relative(after: Tensor, before: Tensor) -> float:
    """The largest change over the largest size; where all was 0, the change itself."""
    apart, size = float((after - before).abs().max()), float(before.abs().max())
    return apart / size if size else apart

"""Normalised coordinates: theta = D x, D the norms of blocks of parameters at a point, held constant.

    f~(x) = f(D x),    gradient D g,    Hessian D H D

A rescaling A of the parameters, positive and constant on blocks, that leaves f unchanged (f(A theta) = f(theta) for all
theta) turns D into A D, so that f~ is the very same function. Without coordinates: the metric of the graph is
D^-2 + g g^T in the place of I + g g^T.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvTransposeNd

from egregium.errors import ArgumentError
from egregium.landscape.selection import some
from egregium.landscape.vectors import Shapes, unflattened
from egregium.results.table import Row

#: What a block of parameters is.
By = Literal["filter", "tensor", "element"]
#: In words: what x is of each parameter.
WORDS: Mapping[str, str] = {
    "filter": "θ / norm of its filter (biases, gains: of the whole tensor)",
    "tensor": "θ / norm of its tensor",
    "element": "θ / |θ|",
}
#: Layers whose parameters are no filters, whatever their shape.
NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


def filters(model: nn.Module | None, shapes: Shapes) -> dict[str, int | None]:
    """The dimension along which a parameter's filters lie; None where it has none: biases, norms."""
    found = {name: 0 if len(shape) > 1 else None for name, shape in shapes.items()}
    for prefix, module in model.named_modules() if model is not None else ():
        for name in (f"{prefix}.{key}".lstrip(".") for key, _ in module.named_parameters(recurse=False)):
            if name in found and isinstance(module, NORMS):
                found[name] = None
            elif name in found and isinstance(module, _ConvTransposeNd) and found[name] is not None:
                found[name] = 1
    return found


@dataclass(frozen=True, eq=False)
class Norms:
    """D, as one tensor a parameter that broadcasts over it; `shapes`: of the parameters.

    A block that is 0 has the norm 0, and no scale: f~ does not move with it.
    """

    by: By
    factors: tuple[Tensor, ...]
    shapes: Shapes

    def placed(self, x: Sequence[Tensor]) -> list[Tensor]:
        """D x, by parameter and differentiable."""
        return [p * d for p, d in zip(x, self.factors, strict=True)]

    def flat(self) -> Float[Tensor, " n"]:
        """D as a vector."""
        pairs = zip(self.factors, self.shapes.values(), strict=True)
        return torch.cat([d.expand(shape).reshape(-1) for d, shape in pairs])

    def squared(self, j: int, rows: Float[Tensor, "k m"]) -> Float[Tensor, "k m"]:
        """D^2 times the part of k vectors that belongs to parameter j."""
        return rows * self.factors[j].square().expand(list(self.shapes.values())[j]).reshape(-1)

    def coordinates(self, theta: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """x of a theta; 0 in blocks whose norm is 0. Raises ArgumentError where theta is not 0 there: D x never is."""
        D = self.flat().to(theta.dtype)
        lost = (D == 0) & (theta != 0)
        if bool(lost.any()):
            names = [name for name, part in unflattened(self.shapes, lost).items() if bool(part.any())]
            raise ArgumentError(
                f"{int(lost.sum()):,} parameters ({some(names)}) are not 0 where the norms of these coordinates are: "
                "no x stands for that point. Normalise there: landscape.loaded(state).normalised()."
            )
        x: Tensor = torch.where(D == 0, 0, theta / torch.where(D == 0, 1, D))
        return x

    def to(self, device: torch.device | None, dtype: torch.dtype | None) -> "Norms":
        """The same on another device or in another dtype."""
        return replace(self, factors=tuple(d.to(device, dtype) for d in self.factors))

    def setting(self) -> tuple[Row, ...]:
        """What a reader must know of numbers in these coordinates."""
        rows = [Row("coordinates", f"normalised by {self.by}", f"x = {WORDS[self.by]}, held constant", group="point")]
        unseen = int((self.flat() == 0).sum())
        if unseen:
            meaning = "in blocks whose norm is 0: they have no scale, and nothing along them counts"
            rows.append(Row("parameters not seen", f"{unseen:,}", meaning, group="point"))
        return tuple(rows)


def block_norms(model: nn.Module | None, theta: Mapping[str, Tensor], by: By) -> Norms:
    """The norms of the blocks of theta, taken in float64. Raises ArgumentError where `by` is none of these."""
    if by not in get_args(By):
        raise ArgumentError(f'normalised(by=...) must be "filter", "tensor" or "element", got {by!r}.')
    shapes = {name: p.shape for name, p in theta.items()}
    along = filters(model, shapes) if by == "filter" else dict.fromkeys(shapes)
    found = (_norms(p.detach(), along[name], each=by == "element") for name, p in theta.items())
    return Norms(by, tuple(found), shapes)


def _norms(p: Tensor, along: int | None, each: bool) -> Tensor:
    """Norms of the slices of p along a dimension, of all of it where None, or the sizes of its numbers."""
    over = [axis for axis in range(p.ndim) if axis != along]
    if each or not over:
        return p.abs()
    length = torch.linalg.vector_norm(p, dim=over, keepdim=True, dtype=torch.float64)
    found: Tensor = length.to(p.dtype)
    return found

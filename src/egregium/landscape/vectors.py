"""Tensors shaped like the parameters as one vector, and back."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.landscape.selection import SHOWN

Shapes = Mapping[str, torch.Size]


def flattened(
    shapes: Shapes, tensors: Mapping[str, Tensor] | Sequence[Tensor], device: torch.device, dtype: torch.dtype
) -> Float[Tensor, " n"]:
    """Tensors by name, or in order, as one vector. Raises ArgumentError where they do not fit the shapes."""
    if isinstance(tensors, Mapping) and (missing := shapes.keys() - tensors.keys()):
        some = sorted(missing)[:SHOWN]
        raise ArgumentError(f"flatten needs a tensor for each parameter; these lack one: {some}.")
    if not isinstance(tensors, Iterable):
        raise ArgumentError(f"flatten needs tensors, by name or in order, got {type(tensors).__name__}.")
    parts = [tensors[name] for name in shapes] if isinstance(tensors, Mapping) else list(tensors)
    if not all(isinstance(part, Tensor) for part in parts):
        raise ArgumentError(f"flatten needs tensors, got {sorted({type(part).__name__ for part in parts})}.")
    came, expected = ([tuple(shape) for shape in group] for group in ((p.shape for p in parts), shapes.values()))
    if came != expected:
        raise ArgumentError(
            f"flatten needs tensors of shapes {_listed(expected)}, got {_listed(came)}. They must come from the same "
            "model as the landscape."
        )
    return torch.cat([part.detach().reshape(-1).to(device, dtype) for part in parts])


def unflattened(shapes: Shapes, v: Float[Tensor, " n"]) -> dict[str, Tensor]:
    """A vector as tensors by name, views of it. Raises ArgumentError for a wrong shape."""
    n = sum(shape.numel() for shape in shapes.values())
    if not isinstance(v, Tensor) or v.shape != (n,):
        raise ArgumentError(f"unflatten needs a vector of shape ({n},), got {shown(v)}.")
    parts = torch.split(v, [shape.numel() for shape in shapes.values()])
    return {name: part.view(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)}


def refuse_unfit_point(theta: Any, n: int) -> None:
    """Raise ArgumentError where theta is no floating-point vector of n numbers."""
    if not isinstance(theta, Tensor) or theta.shape != (n,) or not theta.is_floating_point():
        raise ArgumentError(
            f"at(theta) needs a floating-point tensor of shape ({n},), got {shown(theta)}. Pass the "
            "theta of a landscape of the same model, or land.flatten(tensors)."
        )


def shown(value: Any) -> str:
    """What came in the place of a vector, in words."""
    if not isinstance(value, Tensor):
        return type(value).__name__
    return f"{tuple(value.shape)}" if value.is_floating_point() else f"{tuple(value.shape)} of {value.dtype}"


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    """The first shapes, and how many numbers all of them have."""
    more = f" and {len(shapes) - 6} more" if len(shapes) > 6 else ""
    return f"[{', '.join(str(shape) for shape in shapes[:6])}]{more} ({sum(map(math.prod, shapes)):,} numbers)"

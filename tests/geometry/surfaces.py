"""Surfaces that the tests of geometry share."""

import torch
from torch import Tensor

import egregium as eg

DOUBLE = torch.float64


def wave(x: Tensor) -> Tensor:
    """A function of three variables with no symmetry."""
    return torch.sin(2 * x[0]) * x[1] + x[0] * x[2] ** 2 + torch.exp(x[1] * x[2]) / 3


def sphere(x: Tensor) -> Tensor:
    """The lower half of the unit sphere."""
    return -torch.sqrt(1 - x @ x)


def cylinder(x: Tensor) -> Tensor:
    """The lower half of a cylinder of radius 1 along all but the first axis: flat, though it bends."""
    return -torch.sqrt(1 - x[0] ** 2)


def at(f: object, *x: float) -> eg.Landscape:
    return eg.Landscape.from_function(f, torch.tensor(x, dtype=DOUBLE))  # type: ignore[arg-type]


def vectors(count: int, n: int, seed: int = 0) -> list[Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return list(torch.randn(count, n, dtype=DOUBLE, generator=draw))

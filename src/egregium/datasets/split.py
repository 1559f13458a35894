"""Inputs with their classes."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Split:
    """Inputs (N, ...) in [0, 1] and classes (N,)."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def first(self, count: int) -> "Split":
        """The first `count` samples."""
        return Split(self.inputs[:count], self.targets[:count])

    def to(self, device: str) -> "Split":
        """The same samples on another device."""
        return Split(self.inputs.to(device), self.targets.to(device))

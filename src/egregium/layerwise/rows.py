"""Embeddings: layers that choose rows of a table."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from egregium.layerwise.grams import Chosen, Kept
from egregium.layerwise.known import Known, Signs, own


@dataclass(frozen=True, eq=False)
class Rows(Known):
    """An embedding: indices (N, P), rows of the table, and the row that takes no gradient (-1: none).

    `scale`: factors of the rows; None: 1.
    """

    indices: Int[Tensor, "N P"]
    rows: int
    padding: int
    shape: torch.Size
    scale: Float[Tensor, " rows"] | None

    @property
    def held(self) -> int:
        return self.indices.nbytes * (1 + self.indices.shape[-1])  # and which indices are the same

    def _live(self, e: Tensor) -> Tensor:
        e = e.reshape(*self.indices.shape, -1)
        live = e.masked_fill((self.indices == self.padding).unsqueeze(2), 0.0)
        return live if self.scale is None else live * self.scale[self.indices].unsqueeze(2)

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
        return Chosen(own(self.indices), shares)

    def nudge(self, draw: Signs) -> Tensor:
        N, width = self.indices.shape[0], self.shape[-1]
        s = draw(N, self.rows).gather(1, self.indices).masked_fill(self.indices == self.padding, 0.0)
        if self.scale is not None:
            s = s * self.scale[self.indices]
        return (s.unsqueeze(2) * draw(N, 1, width)).reshape(self.shape)

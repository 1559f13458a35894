"""The Gauss-Newton matrix by its dual, the inner products of the gradients of single samples.

With `L_i = sum_k s_k b_k b_k^T` and the rows of Z the gradients `sqrt|s_k| J_i^T b_k`, `G = w Z^T S Z`, w the weight of
a loss term in f and S the signs of s. Of the (rows x rows) matrix `M = w Z Z^T`,

    tr G = sum_r S_r M_rr,    |G|_F^2 = sum_rs S_r S_s M_rs^2,

and the eigenvalues of G that are not zero are those of `S M`. Layer by layer M comes from inputs and gradients in the
outputs (see `grams`); Z is never formed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.layerwise.grams import Kept

#: Rows of M that are worked on at once, and as many columns; at least one sample's.
ROWS = 512


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of Z of some samples: signs, 0 for rows that are zero, and what is kept of each layer, by its weight."""

    signs: Float[Tensor, "K N"]
    layers: dict[int, Kept]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.signs.numel() * 8 + sum(kept.size for kept in self.layers.values())

    def gram(self, other: "Piece") -> Float[Tensor, "rows others"]:
        """Z Z'^T, in float64."""
        total = self.signs.new_zeros(self.signs.numel(), other.signs.numel())
        for j in self.layers.keys() & other.layers.keys():  # a layer that a batch does not use has no gradient there
            total += self.layers[j].gram(other.layers[j])
        return total

    def chunks(self) -> Iterator["Piece"]:
        """The same in pieces of about ROWS rows."""
        K, N = self.signs.shape
        step = max(ROWS // max(K, 1), 1)
        for part in (slice(start, min(start + step, N)) for start in range(0, N if K else 0, step)):
            yield Piece(self.signs[:, part], {j: kept.of(part) for j, kept in self.layers.items()})


@dataclass(frozen=True, eq=False)
class Factor:
    """Z in pieces, and w: G = w Z^T S Z, without weight decay."""

    pieces: tuple[Piece, ...]
    weight: float

    @property
    def signs(self) -> Float[Tensor, " rows"]:
        """S, of the rows that are not zero."""
        return torch.cat([_live(piece.signs)[0] for piece in self.pieces])

    def blocks(self) -> Iterator[tuple[int, int, Float[Tensor, "rows columns"]]]:
        """The blocks (i, j, M_ij) of M on and below its diagonal."""
        for i, first in enumerate(self.pieces):
            for j, second in enumerate(self.pieces[: i + 1]):
                yield i, j, first.gram(second).mul_(self.weight)

    def moments(self, goes_on: Callable[[float], bool]) -> tuple[float, float] | None:
        """(tr G, |G|_F^2), a block of M at a time; None where `goes_on(fraction done)` said no."""
        trace, square, all_of_them = 0.0, 0.0, len(self.pieces) * (len(self.pieces) + 1) / 2
        for done, (i, j, M) in enumerate(self.blocks(), 1):
            first, second = (self.pieces[k].signs.reshape(-1) for k in (i, j))
            if i == j:
                trace += float(first @ M.diagonal())
            square += (1 + (i != j)) * float(first @ M.square() @ second)
            if not goes_on(done / all_of_them):
                return None
        return trace, square

    def matrix(self) -> Float[Tensor, "rows rows"]:
        """M on and below its diagonal, without the rows that are zero; float64."""
        places = [_live(piece.signs)[1] for piece in self.pieces]
        starts = [0, *torch.tensor([place.numel() for place in places], dtype=torch.int64).cumsum(0).tolist()]
        M = self.pieces[0].signs.new_zeros(starts[-1], starts[-1])
        for i, j, block in self.blocks():
            M[starts[i] : starts[i + 1], starts[j] : starts[j + 1]] = block[places[i]][:, places[j]]
        return M


def _live(signs: Tensor) -> tuple[Tensor, Tensor]:
    """Those that are not 0, and where they are."""
    flat = signs.reshape(-1)
    places = flat.nonzero()[:, 0]
    return flat[places], places

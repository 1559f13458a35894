"""Orthonormal vectors in two blocks of rows, orthogonalised against and rotated in place.

Two blocks, so that what is found (the first) outlives what it took to find it (the second), without a copy.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.estimators.probes import gaussian
from egregium.operators import SymmetricOperator
from egregium.operators.inner import chunks, gram, norm

#: Loss of length in a projection above which it is repeated (J. Daniel, W. Gragg, L. Kaufman, G. Stewart, Math. Comp.
#: 30, 1976), and the most repetitions.
KEPT_LENGTH, PASSES = 0.7, 5


class Basis:
    """Room for `head` + `tail` vectors of an operator's dtype, on its device; row i is one contiguous vector."""

    def __init__(self, op: SymmetricOperator, head: int, tail: int) -> None:
        self.n, self.dtype, self.device = op.n, op.dtype, op.device
        self.head, self.tail = (torch.empty(rows, op.n, dtype=op.dtype, device=op.device) for rows in (head, tail))

    def __getitem__(self, i: int) -> Float[Tensor, " n"]:
        """Row i, to read and to write."""
        head = self.head.shape[0]
        return self.head[i] if i < head else self.tail[i - head]

    def parts(self, first: int, stop: int) -> list[Float[Tensor, "k_i n"]]:
        """Rows first, ..., stop - 1, as views of the blocks."""
        head = self.head.shape[0]
        views = [self.head[first:stop], self.tail[max(first - head, 0) : max(stop - head, 0)]]
        return [view for view in views if view.shape[0]]

    def orthogonalise_(self, v: Float[Tensor, " n"], stop: int) -> float:
        """v <- (I - Q Q^T) v in place for the rows before `stop`, to the dtype's rounding; returns what is left of |v|.

        The first pass multiplies in the dtype; later ones take their inner products in float64.
        """
        size = norm(v)
        for turn in range(PASSES):
            before = size
            for part in self.parts(0, stop):
                row = v.unsqueeze(0)
                inner = gram(part, row).squeeze(1).to(self.dtype) if turn else part @ v
                v.addmv_(part.T, inner, alpha=-1)
            size = norm(v)
            if turn and size > KEPT_LENGTH * before:
                break
        return size

    def draw_(self, i: int, index: int, seed: int, stream: int) -> None:
        """Row i becomes a random unit vector orthogonal to all rows before it, uniform among those."""
        v = gaussian(self.n, index, seed=seed, stream=stream, dtype=self.dtype, device=self.device)
        self[i].copy_(v.div_(self.orthogonalise_(v, i)))

    def rotate_(self, turn: Float[Tensor, "r k"], first: int) -> None:
        """Rows first, ..., first + r - 1 become `turn` times rows first, ..., first + k - 1; in float64, in place."""
        rows = turn.shape[1]
        turn = turn.to(self.device)
        for part in chunks(self.n, 2 * rows):
            old = torch.cat([view[:, part].double() for view in self.parts(first, first + rows)])
            new, at = turn @ old, 0
            for view in self.parts(first, first + turn.shape[0]):
                view[:, part] = new[at : at + view.shape[0]]
                at += view.shape[0]

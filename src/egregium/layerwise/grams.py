"""Inner products between the gradients of any two samples in one layer, without the gradients where they are large.

With `a` (N, G, P, I) what a layer's positions see and `e` (K, N, G, P, O) the gradients in its output, K for each
sample, the gradient in the weights is `sum_p e_p a_p^T`, and the inner product of two of them

    sum_pq (a_p . a'_q + 1) (e_p . e'_q),    + 1 for a bias,

or the product of the gradients themselves, a slice of outputs at a time: what takes less arithmetic. Where the rows of
the weight have factors D and the bias has d, a summand is `(a . a') (D e . D e') + d^2 (e . e')`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

#: Bytes of gradients that are written out at once, for each of two sides.
SLICE = 2**24


class Kept(ABC):
    """What is kept of a layer's gradients for some samples: K for each, the K of one after those of another."""

    e: Tensor

    @abstractmethod
    def gram(self, other: "Kept") -> Float[Tensor, "rows others"]:
        """Inner products of these gradients with others of the same layer, in float64; rows are (K, N), flat."""

    @abstractmethod
    def of(self, samples: slice) -> "Kept":
        """Those of some of the samples."""

    @property
    def rows(self) -> int:
        """Number of gradients."""
        return self.e.shape[0] * self.e.shape[1]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(x.numel() * x.element_size() for x in vars(self).values() if isinstance(x, Tensor))


class Written(Kept):
    """Gradients that can be written out: (K, N, G, O, I), bias beside the inputs, a slice of outputs O at a time."""

    @property
    @abstractmethod
    def sizes(self) -> tuple[int, int, int]:
        """(G, O, I)."""

    @abstractmethod
    def written(self, outputs: slice) -> Float[Tensor, "K N G o I"]:
        """The gradients of these outputs, in float64."""

    def gram(self, other: Kept) -> Float[Tensor, "rows others"]:
        assert isinstance(other, Written)
        groups, outputs, inputs = self.sizes
        width = max(groups * inputs * max(self.rows, other.rows), 1)
        return _by_slices(outputs, 8 * width, lambda part: (self.written(part), other.written(part)))


@dataclass(frozen=True, eq=False)
class Small(Written):
    """The gradients themselves, where they are no larger than what they are made of."""

    e: Float[Tensor, "K N G O I"]

    @property
    def sizes(self) -> tuple[int, int, int]:
        groups, outputs, inputs = self.e.shape[2:]
        return groups, outputs, inputs

    def of(self, samples: slice) -> "Small":
        return Small(self.e[:, samples])

    def written(self, outputs: slice) -> Tensor:
        return self.e[:, :, :, outputs].double()


@dataclass(frozen=True, eq=False)
class Outer(Written):
    """Gradients of a dense layer or convolution as sums of outer products; `bias`, `scale`: as of `Dense`."""

    a: Float[Tensor, "N G P I"]
    e: Float[Tensor, "K N G P O"]
    bias: float
    scale: Float[Tensor, "G 1 O"] | None

    @property
    def sizes(self) -> tuple[int, int, int]:
        return self.a.shape[1], self.e.shape[4], self.a.shape[3] + bool(self.bias)

    def of(self, samples: slice) -> "Outer":
        return Outer(self.a[samples], self.e[:, samples], self.bias, self.scale)

    def written(self, outputs: slice) -> Tensor:
        e = self.e[..., outputs].double().transpose(3, 4)
        weights = (e if self.scale is None else e * self.scale[..., outputs].mT) @ self.a.double()
        return torch.cat([weights, self.bias * e.sum(4, keepdim=True)], dim=4) if self.bias else weights

    def gram(self, other: Kept) -> Float[Tensor, "rows others"]:
        if isinstance(other, Outer) and self._by_pairs(other):
            return self._of_pairs(other)
        return super().gram(other)

    def _by_pairs(self, other: "Outer") -> bool:
        """Whether products of positions take less than those of gradients."""
        (N, _, P, inputs), (K, outputs) = self.a.shape, (self.e.shape[0], self.e.shape[4])
        pairs = P * other.a.shape[2] * (outputs + 1 + inputs / (K * other.e.shape[0]))
        return pairs <= outputs * (inputs + self.bias) * (1 + P / max(other.rows, 1) + other.a.shape[2] / max(K * N, 1))

    def _of_pairs(self, other: "Outer") -> Float[Tensor, "rows others"]:
        (N, G, P, _), (N2, _, P2, _) = self.a.shape, other.a.shape
        K, K2 = self.e.shape[0], other.e.shape[0]
        total = self.e.new_zeros(K, N, K2, N2, dtype=torch.float64)
        for g in range(G):
            square = None if self.scale is None else self.scale[g].double().square()
            for p in range(P):
                a, e = self.a[:, g, p].double(), self.e[:, :, g, p].reshape(K * N, -1).double()
                for q in range(P2):
                    seen = a @ other.a[:, g, q].double().T
                    there = other.e[:, :, g, q].reshape(K2 * N2, -1).double().T
                    product = (e @ there).view(total.shape)
                    if square is None:
                        seen += self.bias**2
                    elif self.bias:
                        total.add_(product, alpha=self.bias**2)
                    weighted = product if square is None else ((e * square) @ there).view(total.shape)
                    total += weighted.mul_(seen.view(1, N, 1, N2))
        return total.view(K * N, K2 * N2)


@dataclass(frozen=True, eq=False)
class Chosen(Kept):
    """Gradients of an embedding: rows of the table by index, and the gradients in them, zero where there is none."""

    indices: Int[Tensor, "N P"]
    e: Float[Tensor, "K N P O"]

    def of(self, samples: slice) -> "Chosen":
        return Chosen(self.indices[samples], self.e[:, samples])

    def gram(self, other: Kept) -> Float[Tensor, "rows others"]:
        """On the rows of the table that both chose."""
        assert isinstance(other, Chosen)
        mine, theirs = torch.unique(self.indices), torch.unique(other.indices)
        both = mine[torch.isin(mine, theirs)]
        if not both.numel():
            return self.e.new_zeros(self.rows, other.rows, dtype=torch.float64)
        width = both.numel() * max(self.rows, other.rows)
        return _by_slices(self.e.shape[3], 8 * width, lambda part: (self._table(both, part), other._table(both, part)))

    def _table(self, rows: Tensor, outputs: slice) -> Float[Tensor, "K N rows o"]:
        K, N, P, _ = self.e.shape
        place = torch.searchsorted(rows, self.indices).clamp_(max=rows.numel() - 1)
        live = rows[place] == self.indices
        e = self.e[..., outputs].double() * live.unsqueeze(2)
        flat = (place + rows.numel() * torch.arange(N, device=place.device).unsqueeze(1)).reshape(-1)
        table = e.new_zeros(K, N * rows.numel(), e.shape[3])
        return table.index_add_(1, flat, e.reshape(K, N * P, -1)).view(K, N, rows.numel(), -1)


def _by_slices(outputs: int, bytes_each: int, sides: Callable[[slice], tuple[Tensor, Tensor]]) -> Tensor:
    """Sum over slices of the outputs of the products of two sides' gradients, (K, N, ...) each."""
    step, total = max(SLICE // bytes_each, 1), None
    for start in range(0, outputs, step):
        first, second = (x.reshape(x.shape[0] * x.shape[1], -1) for x in sides(slice(start, start + step)))
        total = first @ second.T if total is None else total.addmm_(first, second.T)
    assert total is not None
    return total

"""Operators made of others, by composition, and parts of them."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.operators.base import SymmetricOperator
from egregium.results.cost import Cost


@final
class IdentityPlusRankOne(SymmetricOperator):
    """I + c u u^T, for u of shape (n,) and a number c; no (n x n) array is formed.

    >>> P = IdentityPlusRankOne(torch.tensor([0.6, 0.8]), -0.5)
    >>> P @ torch.tensor([0.6, 0.8])  # u is an eigenvector, with eigenvalue 1 + c |u|^2
    tensor([0.3000, 0.4000])
    """

    def __init__(self, u: Float[Tensor, " n"], c: float) -> None:
        self.n, self.dtype, self.device = u.numel(), u.dtype, u.device
        self._u, self._c = u, c

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        return torch.addmm(V.T, (self._c * (self._u @ V)).unsqueeze(1), self._u.unsqueeze(0)).T  # one block, no more

    def cost(self, k: int) -> Cost:
        return Cost()


@final
class Congruence(SymmetricOperator):
    """c P A P for symmetric A and P and a number c: symmetric, since P is.

    >>> from egregium.operators import Dense
    >>> A, P = Dense(torch.diag(torch.tensor([1.0, 2.0]))), Dense(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    >>> Congruence(A, P, 3.0) @ torch.eye(2)
    tensor([[6., 0.],
            [0., 3.]])
    """

    def __init__(self, inner: SymmetricOperator, outer: SymmetricOperator, c: float = 1.0) -> None:
        self.n, self.dtype, self.device = inner.n, inner.dtype, inner.device
        self._inner, self._outer, self._c = inner, outer, c

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        product = self._outer @ (self._inner @ (self._outer @ V))
        return product if self._c == 1 else product.mul_(self._c)

    def cost(self, k: int) -> Cost:
        return self._inner.cost(k) + self._outer.cost(2 * k)


@final
class Principal(SymmetricOperator):
    """The principal submatrix of A whose rows and columns are at `places`; a product costs one with A.

    >>> from egregium.operators import Dense
    >>> Principal(Dense(torch.tensor([[2.0, 1.0], [1.0, 3.0]])), slice(1, 2)) @ torch.tensor([1.0])
    tensor([3.])
    """

    def __init__(self, inner: SymmetricOperator, places: slice) -> None:
        self.n, self.dtype, self.device = len(range(inner.n)[places]), inner.dtype, inner.device
        self._inner, self._places = inner, places

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        rows = torch.zeros(V.shape[1], self._inner.n, dtype=self.dtype, device=self.device)
        rows[:, self._places] = V.T
        return (self._inner @ rows.T)[self._places].clone()

    def cost(self, k: int) -> Cost:
        return self._inner.cost(k)

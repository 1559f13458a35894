"""Operators made of others, by composition, and parts of them."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.operators.base import SymmetricOperator
from egregium.operators.inner import norm
from egregium.results.cost import Cost


@final
class Stretch(SymmetricOperator):
    """I + (s - 1) u u^T / |u|^2: s along u of shape (n,), 1 across it; the identity where u = 0. No (n x n) array.

    Applied as `x - a u + s a u`, u of length 1 and a = u^T x, what is left along u in the first difference removed once
    more: the part along u keeps its digits where s is tiny, as for metrics of steep graphs.

    >>> P = Stretch(torch.tensor([3.0, 4.0]), 0.5)
    >>> P @ torch.tensor([3.0, 4.0]), P @ torch.tensor([-4.0, 3.0])
    (tensor([1.5000, 2.0000]), tensor([-4.,  3.]))
    """

    def __init__(self, u: Float[Tensor, " n"], s: float) -> None:
        self.n, self.dtype, self.device = u.numel(), u.dtype, u.device
        peak = float(u.abs().max())  # its square may overflow
        self._u, self._s = (u / peak / norm(u / peak) if peak > 0 else u), s

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        along = (self._u @ V).unsqueeze(1)
        across = torch.addmm(V.T, along, self._u.unsqueeze(0), alpha=-1)  # the only block
        left = (across @ self._u).unsqueeze(1)
        return across.addmm_(self._s * along - left, self._u.unsqueeze(0)).T

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

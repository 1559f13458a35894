"""Lanczos tridiagonalisation with full reorthogonalisation, and the extreme eigenpairs that it finds.

After j steps from a unit vector q, `A Q_j = Q_j T_j + beta_j q_(j+1) e_j^T` with T_j tridiagonal. A Ritz pair
(theta, Q_j s) of T_j has the residual `|A y - theta y| = beta_j |s_j|`, and within it lies an eigenvalue of A
(B. Parlett, The Symmetric Eigenvalue Problem, 1998). Full reorthogonalisation keeps copies of converged pairs away.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.operators import SymmetricOperator
from egregium.operators.inner import dots, norm
from egregium.results import Cost


@dataclass(frozen=True, eq=False)
class Tridiagonal:
    """T_j after j steps: `diagonal` (j,), `beyond` (j,) the off-diagonal and one more, `basis` (n, j).

    `beyond[-1]` is beta_j, the norm of what the next step would add; 0 where the Krylov space is exhausted.
    """

    diagonal: Float[Tensor, " j"]
    beyond: Float[Tensor, " j"]
    basis: Float[Tensor, "n j"]
    cost: Cost

    def ritz(self) -> tuple[Float[Tensor, " j"], Float[Tensor, "j j"], Float[Tensor, " j"]]:
        """(Ritz values ascending, eigenvectors of T_j as columns, residual norms with one rounding of the spectrum)."""
        off = self.beyond[:-1]
        values, vectors = torch.linalg.eigh(torch.diag(self.diagonal) + torch.diag(off, 1) + torch.diag(off, -1))
        rounding = torch.finfo(self.basis.dtype).eps * float(values.abs().max())
        return values, vectors, float(self.beyond[-1]) * vectors[-1].abs() + rounding


def lanczos(op: SymmetricOperator, start: Float[Tensor, " n"], steps: int) -> Iterator[Tridiagonal]:
    """T_1, T_2, ..., T_steps from the vector `start`; ends early where the Krylov space is exhausted.

    One product a step; memory of one vector a step. The coefficients are kept in float64. `basis` of a yielded
    Tridiagonal is a view of what later steps extend.
    """
    steps = min(steps, op.n)
    rows = torch.empty(steps + 1, op.n, dtype=op.dtype, device=op.device)
    rows[0] = start
    rows[0].div_(norm(start))
    coefficients = torch.zeros(2, steps, dtype=torch.float64)
    cost, scale = Cost(), 0.0
    for j in range(steps):
        product = op @ rows[j]
        cost = cost + op.cost(1)
        alpha = float(dots(rows[j : j + 1], product.unsqueeze(0)))
        spanned = rows[: j + 1]
        for _ in range(2):
            product.addmv_(spanned.T, spanned @ product, alpha=-1)
        size = norm(product)
        scale = max(scale, abs(alpha), size)
        exhausted = j + 1 == op.n or size <= scale * torch.finfo(op.dtype).eps * op.n**0.5
        coefficients[0, j], coefficients[1, j] = alpha, 0.0 if exhausted else size
        yield Tridiagonal(coefficients[0, : j + 1].clone(), coefficients[1, : j + 1].clone(), spanned.T, cost)
        if exhausted:
            return
        rows[j + 1] = product.div_(size)

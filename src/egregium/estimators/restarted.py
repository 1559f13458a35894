"""Thick-restart Lanczos: the outermost eigenpairs within a fixed number of vectors.

After a steps `P A P Q = Q T + beta q e_a^T`, P the projection away from `locked` vectors. Where the room is full, Q is
rotated in place to the outermost Ritz vectors Y, which satisfy the same relation with T = diag(theta) and a row of
couplings `beta s_a`, and the run goes on from q: equivalent to implicit restarts, and to Krylov-Schur for symmetric A
(K. Wu, H. Simon, SIAM J. Matrix Anal. 22, 2000; G. Stewart, SIAM J. Matrix Anal. 23, 2001).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.estimators.basis import Basis
from egregium.operators import SymmetricOperator
from egregium.operators.inner import dots
from egregium.results import Cost

#: Stream of the probe generator for the vectors that runs begin with.
FRESH_START = 3


@dataclass(frozen=True, eq=False)
class Ritz:
    """Ritz values of sign * A, the largest first; eigenvectors of T as rows; residual norms |P A y - theta y|."""

    values: Float[Tensor, " a"]
    vectors: Float[Tensor, "a a"]
    residuals: Float[Tensor, " a"]


class Run:
    """Lanczos on sign * A in the complement of the first `locked` rows of `basis`, restarted within its rows.

    Attributes:
        steps: a, how many rows of the run T speaks of.
        plain: whether T is still the tridiagonal matrix of one Krylov space: no restart, no second random vector.
        low, high: the outermost Ritz values seen so far, in all runs.
        products, cost: of all runs so far.
    """

    def __init__(self, op: SymmetricOperator, basis: Basis, rows: int, sign: float, seed: int) -> None:
        self.op, self.basis, self.rows, self.sign, self.seed = op, basis, rows, sign, seed
        self.products, self.cost, self.low, self.high = 0, Cost(), float("inf"), float("-inf")
        self._matrix, self._drawn, self._scale = torch.empty(0), 0, 0.0
        self.begin(0)

    def begin(self, locked: int) -> None:
        """Begin anew from a random vector orthogonal to the first `locked` rows, which stay as they are."""
        self.locked, self.steps, self.plain = locked, 0, True
        size = self.rows - locked
        self._matrix = torch.zeros(size + 1, size + 1, dtype=torch.float64)
        self._draw(locked)

    @property
    def full(self) -> bool:
        """Whether there is no row left for a step."""
        return self.locked + self.steps == self.rows

    @property
    def beta(self) -> float:
        """What couples the run to its next vector; 0 where its space is invariant."""
        return float(self._matrix[self.steps, self.steps - 1])

    def step(self) -> None:
        """One product. Where the space turns out invariant, the run goes on from another random vector."""
        a, at = self.steps, self.locked + self.steps
        self.plain = self.plain and (a == 0 or self.beta > 0)
        product = self.op @ self.basis[at]
        self.products, self.cost = self.products + 1, self.cost + self.op.cost(1)
        if self.sign < 0:
            product.neg_()
        self._matrix[a, a] = alpha = float(dots(self.basis[at].unsqueeze(0), product.unsqueeze(0)))
        size = self.basis.orthogonalise_(product, at + 1)
        self._scale = max(self._scale, abs(alpha), size)
        self.steps += 1
        if size <= self._scale * torch.finfo(self.op.dtype).eps * self.op.n**0.5:
            self._draw(at + 1)
            return
        self._matrix[a, a + 1] = self._matrix[a + 1, a] = size
        self.basis[at + 1].copy_(product.div_(size))

    def ritz(self) -> Ritz:
        """The Ritz pairs of the steps so far."""
        values, vectors = torch.linalg.eigh(self._matrix[: self.steps, : self.steps])
        self.low, self.high = min(self.low, float(values[0])), max(self.high, float(values[-1]))
        values, vectors = values.flip(0), vectors.T.flip(0)
        return Ritz(values, vectors, self.coupling(vectors).abs())

    def coupling(self, vectors: Float[Tensor, "r a"]) -> Float[Tensor, " r"]:
        """What couples each Ritz vector to the next vector."""
        return self.beta * vectors[:, -1]

    def keep(self, ritz: Ritz, chosen: Float[Tensor, " r"]) -> None:
        """Restart with these Ritz vectors; they stand in the first rows after the locked ones, in this order."""
        turn, kept = ritz.vectors[chosen], chosen.numel()
        couplings = self.coupling(turn)
        following = self.basis[self.locked + self.steps]
        self.basis.rotate_(turn, self.locked)
        self.basis[self.locked + kept].copy_(following)
        self._matrix.zero_()
        self._matrix[range(kept), range(kept)] = ritz.values[chosen]
        self._matrix[kept, :kept] = self._matrix[:kept, kept] = couplings
        self.steps, self.plain = kept, False

    def recurrence(self) -> tuple[list[float], list[float]]:
        """(alpha_0, ..., alpha_(a-1)) and (beta_1, ..., beta_a) of a plain run."""
        a = self.steps
        return self._matrix.diagonal()[:a].tolist(), self._matrix.diagonal(1)[:a].tolist()

    def _draw(self, at: int) -> None:
        self.basis.draw_(at, self._drawn, self.seed, FRESH_START)
        self._drawn += 1

"""Gauss rules of Lanczos runs from random vectors: the samples of everything of the form (1/n) tr f(A).

For a random unit vector v, the Gauss rule of Lanczos (Ritz values theta_i, weights s_1i^2) integrates v's spectral
measure exactly up to degree 2 j - 1; its mean over v is the density of eigenvalues (1/n) sum delta(lambda_i)
(G. Golub, J. Welsch, Math. Comp. 23, 1969; S. Ubaru, J. Chen, Y. Saad, SIAM J. Matrix Anal. 38, 2017).
"""

from collections.abc import Iterator
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from egregium.estimators.eigen import start_vector
from egregium.estimators.lanczos import Tridiagonal, lanczos
from egregium.operators import SymmetricOperator

#: Start vectors with lower numbers are those of eigenpairs.
FIRST = 2


def runs(op: SymmetricOperator, steps: int, probes: int, seed: int) -> Iterator[Tridiagonal]:
    """One Tridiagonal a probe, without its basis: `steps` products each, and `steps` + 1 vectors of memory."""
    for probe in range(probes):
        yield _last(op, steps, probe, seed)


def _last(op: SymmetricOperator, steps: int, probe: int, seed: int) -> Tridiagonal:
    """The last step of a run. A function of its own: no name outlives it that holds the basis."""
    *_, last = lanczos(op, start_vector(op, seed, FIRST + probe), steps)
    return replace(last, basis=last.basis.new_empty(0, last.diagonal.numel()))


def rule(run: Tridiagonal, steps: int | None = None) -> tuple[Float[Tensor, " j"], Float[Tensor, " j"]]:
    """(nodes, weights) of the Gauss rule after `steps` of the run's steps; by default all.

    >>> import torch
    >>> from egregium.results import Cost
    >>> run = Tridiagonal(torch.zeros(2), torch.tensor([1.0, 0.0]), torch.empty(0, 2), Cost())
    >>> rule(run)  # of a measure with mean 0 and variance 1
    (tensor([-1.,  1.]), tensor([0.5000, 0.5000]))
    """
    j = run.diagonal.numel() if steps is None else steps
    cut = replace(run, diagonal=run.diagonal[:j], beyond=run.beyond[:j])
    nodes, vectors, _ = cut.ritz()
    return nodes, vectors[0] ** 2

"""Gauss rules of Lanczos runs from random vectors: the samples of everything of the form (1/n) tr f(A).

For a random unit vector v, the Gauss rule of Lanczos (Ritz values theta_i, weights s_1i^2) integrates v's spectral
measure exactly up to degree 2 j - 1; its mean over v is the density of eigenvalues (1/n) sum delta(lambda_i)
(G. Golub, J. Welsch, Math. Comp. 23, 1969; S. Ubaru, J. Chen, Y. Saad, SIAM J. Matrix Anal. 38, 2017).
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.estimators.eigen import start_vector
from egregium.estimators.lanczos import Tridiagonal, lanczos
from egregium.operators import SymmetricOperator

#: Start vectors with lower numbers are those of eigenpairs.
FIRST = 2
#: A Ritz value at 0, relative to the largest.
AT_ZERO = 1e-8


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


def rule_at_zero(run: Tridiagonal, steps: int) -> tuple[Float[Tensor, " j"], Float[Tensor, " j"]]:
    """(nodes, weights) of the Gauss-Radau rule of `steps` nodes, one of which is 0 (G. Golub, SIAM Review 15, 1973).

    Exact up to degree 2 steps - 2, for 2 steps or more; the Gauss rule of one node less where that has a node at 0
    already. For |x|, whose kink is at that node, it is a lower bound: |x| minus its Hermite interpolant of those nodes
    is x (sign x - q), and q, which grows from -1 to 1 between the nodes nearest to 0, never passes sign x.

    >>> from egregium.results import Cost
    >>> run = Tridiagonal(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 0.0]), torch.empty(0, 2), Cost())
    >>> nodes, weights = rule_at_zero(run, 2)  # of a measure with mean 1 and variance 1: 0 and 2, half each
    >>> nodes.round(decimals=6).abs().tolist(), weights.round(decimals=6).tolist()
    ([0.0, 2.0], [0.5, 0.5])
    """
    inner, _ = rule(run, steps - 1)
    if float(inner.abs().min()) <= AT_ZERO * float(inner.abs().max()):
        return rule(run, steps - 1)
    diagonal, off = run.diagonal[:steps].clone(), run.beyond[: steps - 1]
    T = torch.diag(diagonal[:-1]) + torch.diag(off[:-1], 1) + torch.diag(off[:-1], -1)
    last = torch.zeros_like(diagonal[:-1])
    last[-1] = off[-1] ** 2
    diagonal[-1] = torch.linalg.solve(T, last)[-1]
    nodes, vectors, _ = replace(run, diagonal=diagonal, beyond=run.beyond[:steps]).ritz()
    return nodes, vectors[0] ** 2

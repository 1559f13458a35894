"""The k outermost eigenpairs by thick-restart Lanczos, and a search for those that one Krylov space cannot hold.

The Krylov space of one vector holds one eigenvector of each eigenvalue: copies are missed, and so is what the vector
has by chance too little of. So once k pairs have converged they are locked, and a run from a fresh random vector v in
their complement looks for more. It ends where it finds no eigenvalue beyond c, half of `tol` further out than the k-th,
for one of two reasons. Its outermost Ritz pair has converged to half of `tol`, short of c; or an eigenvalue beyond c
would have had a share of v too small to be chance. With p_i the orthonormal polynomials of the run, such a share of
|v|^2 is at most the Christoffel number `w = 1 / sum_i p_i(c)^2` (G. Szegő, Orthogonal Polynomials, 1939, 3.41), and a
uniform unit vector in n dimensions has so small a share with probability at most `sqrt(2 n w / pi)`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.estimators.basis import Basis
from egregium.estimators.restarted import Ritz, Run
from egregium.operators import SymmetricOperator
from egregium.results import Cost

#: Chance, over the random vector, that a search ends though an eigenvalue beyond c is left.
CHANCE = 1e-3
#: Roundings of the dtype, relative to the largest eigenvalue, below which no residual can be asked for.
ROUNDINGS = 32
#: A restart keeps one in so many of the Ritz vectors that are not wanted: keeping half or more took up to
#: three times the products at crowded ends, and elsewhere it makes little difference.
OTHERS = 3
#: Share of tol at which pairs are locked, so that their true residuals are below it.
WITHIN = 0.95


@dataclass(frozen=True, eq=False)
class Outermost:
    """Unit Ritz vectors (k, n) as rows; `complete`: all k, and none left beyond; `allowed`: the residual asked for."""

    vectors: Float[Tensor, "k n"]
    complete: bool
    allowed: float
    cost: Cost


def outermost(
    op: SymmetricOperator,
    k: int,
    *,
    rows: int,
    largest: bool,
    tol: float,
    seed: int,
    products: int,
    within: float = WITHIN,
) -> Outermost:
    """k eigenvectors at one end within rows + 1 vectors and a product, rows >= k + 2; at most `products` products.

    Those with residuals below tol * (spread of the spectrum), where products suffice. Pairs are locked at `within`
    times that. What couples later ones to them comes on top: with 1 / sqrt(k + 1) it adds up to no more than tol, and
    without it copies of pairs that are far from the others are as good.
    """
    basis = Basis(op, k, rows + 1 - k)
    run = Run(op, basis, rows, 1.0 if largest else -1.0, seed)
    ritz = _first(run, k, within * tol, products)
    good = (ritz.residuals[:k] <= allowed(run, within * tol)).nonzero().squeeze(1)
    run.keep(ritz, good)
    values, complete = ritz.values[good], good.numel() == k
    while complete:
        new = _further(run, float(values.min()), k, tol, products, within)
        if new is None or not new.numel():
            complete = new is not None
            break
        _replace(basis, values, new)
    return Outermost(basis.head[: good.numel()], complete, allowed(run, tol, ROUNDINGS), run.cost)


def allowed(run: Run, tol: float, roundings: int = 1) -> float:
    """tol times the spread seen so far, or the dtype's rounding where that is more."""
    rounding = torch.finfo(run.op.dtype).eps * max(abs(run.high), abs(run.low))
    return max(tol * (run.high - run.low), roundings * rounding)


def _first(run: Run, k: int, tol: float, products: int) -> Ritz:
    """Ritz pairs of which the first k have converged, or as they are where products end."""
    while True:
        run.step()
        ritz = run.ritz()
        done = run.steps >= k and bool((ritz.residuals[:k] <= allowed(run, tol)).all())
        if done or run.products >= products:
            return ritz
        if run.full:
            run.keep(ritz, _thick(run, k))


def _further(run: Run, value: float, k: int, tol: float, products: int, within: float) -> Float[Tensor, " p"] | None:
    """Values of converged pairs beyond `value`, their vectors in the rows after the k locked; None: products ended."""
    run.begin(k)
    while run.products < products:
        run.step()
        ritz = run.ritz()
        beyond = value + allowed(run, tol / 2)
        new = min(int((ritz.values > beyond).sum()), k)
        converged = ritz.residuals <= allowed(run, within * tol)
        if new and bool(converged[:new].all()):
            run.keep(ritz, torch.arange(new))
            return ritz.values[:new]
        if not new and (float(ritz.residuals[0]) <= allowed(run, tol / 2) or _excluded(run, beyond)):
            return ritz.values[:0]
        if run.full:
            run.keep(ritz, _thick(run, max(new, 1)))
    return None


def _thick(run: Run, wanted: int) -> Tensor:
    """Which Ritz vectors a restart keeps: those wanted and a third of the others."""
    wanted = min(wanted, run.steps - 1)
    return torch.arange(wanted + (run.steps - wanted) // OTHERS)


def _replace(basis: Basis, values: Float[Tensor, " k"], new: Float[Tensor, " p"]) -> None:
    """Of locked and new pairs the k outermost become the locked ones, in place."""
    k = values.numel()
    order = torch.cat([values, new]).argsort(descending=True, stable=True)
    dropped = order[k:][order[k:] < k].tolist()
    for row, source in zip(dropped, order[:k][order[:k] >= k].tolist(), strict=True):
        basis[row].copy_(basis[source])
        values[row] = new[source - k]


def _excluded(run: Run, beyond: float) -> bool:
    """Whether an eigenvalue at `beyond` or further would have been seen, but for a chance of `CHANCE`."""
    if not run.plain:
        return False
    share = largest_share(*run.recurrence(), beyond)
    return math.sqrt(2 * run.op.n * share / math.pi) <= CHANCE


def largest_share(alphas: Sequence[float], betas: Sequence[float], x: float) -> float:
    """The most that a measure with these recurrence coefficients, of mass 1, can have at one point: at x.

    `1 / sum_(i <= j) p_i(x)^2` for j steps: falls with the distance from the Ritz values, 0 where the last beta is 0
    and x is none of them.

    >>> round(largest_share([0.0], [1.0], 3.0), 12)  # p_0 = 1, p_1 = x
    0.1
    """
    before, here, total, off = 0.0, 1.0, 1.0, 0.0
    for alpha, beta in zip(alphas, betas, strict=True):
        ahead = (x - alpha) * here - off * before
        if beta == 0:
            return 0.0 if ahead else 1 / total
        before, here, off = here, ahead / beta, beta
        total += here * here  # ** raises where it overflows
        if not math.isfinite(total):
            return 0.0
    return 1 / total

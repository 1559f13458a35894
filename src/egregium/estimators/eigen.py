"""Eigenpairs at the ends of the spectrum."""

import math
import time
from dataclasses import replace
from numbers import Real
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError, OutOfMemoryError
from egregium.estimators.goal import Goal, Progress, ProgressCallback, Room, stopped
from egregium.estimators.lanczos import Tridiagonal, lanczos
from egregium.estimators.outermost import outermost
from egregium.estimators.probes import checked_seed, gaussian
from egregium.operators import SymmetricOperator, dense_matrix
from egregium.operators.inner import dots, norm
from egregium.results import Cost, Eigenpairs

#: Stream of the probe generator for start vectors.
START = 2
#: Below this size all eigenpairs come from the dense matrix.
DENSE = 64
#: Steps after which the search for the two extreme pairs gives up.
MOST_STEPS = 120
#: Lanczos vectors beside 2 k, the next one not counted; the fewest beside k; vectors that stand beside them.
ROWS, FEWEST, BESIDE = 7, 4, 2


def start_vector(op: SymmetricOperator, seed: int, index: int = 0) -> Float[Tensor, " n"]:
    """A Gaussian vector for Lanczos methods."""
    return gaussian(op.n, index, seed=seed, stream=START, dtype=op.dtype, device=op.device)


def eigenpairs(
    op: SymmetricOperator,
    k: int = 5,
    *,
    largest: bool = True,
    tol: float = 1e-3,
    seed: int = 0,
    products: int = 2000,
    room: Room = Room(),
) -> Eigenpairs:
    """The k algebraically largest (or smallest) eigenpairs, outermost first, eigenvalues with their multiplicities.

    Thick-restart Lanczos (K. Wu, H. Simon, SIAM J. Matrix Anal. 22, 2000) in the operator's dtype, on its device, with
    full reorthogonalisation: residuals fall below `tol` times the spread of the spectrum (or 32 roundings of the
    dtype), also for eigenvalues near 0. Then a search in the complement for eigenvalues that lie further out than the
    k-th by more than that: copies and what was missed; see `estimators.outermost`. A dense eigendecomposition for
    n <= 64 or k > n / 2.

    At most `products` products, k of them for residuals that are computed afresh; pairs that have not converged by
    then are left out and `converged` is False, as it is where the search could not be finished. Memory: 2 k + 10
    vectors, fewer where `room` has fewer; k are returned. Raises ArgumentError unless 1 <= k <= n and tol > 0,
    OutOfMemoryError where nothing fits.

    >>> from egregium.operators import Dense
    >>> eigenpairs(Dense(torch.diag(torch.tensor([3.0, -1.0, 2.0]))), 2).values
    tensor([3., 2.], dtype=torch.float64)
    """
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= op.n:
        raise ArgumentError(f"eigenpairs needs 1 <= k <= n = {op.n}, got k = {k!r}.")
    if not _positive(tol):
        raise ArgumentError(f"tol must be positive, got {tol!r}.")
    started = time.perf_counter()
    dense = op.n <= DENSE or 2 * k > op.n
    wide = 8 / torch.empty(0, dtype=op.dtype).element_size()  # the dense matrix is decomposed in float64
    need = op.n * (1 + 2 * wide) if dense else k + FEWEST + BESIDE
    if need > room.vectors and op.n > DENSE:
        raise OutOfMemoryError(
            f"{k} eigenpairs of n = {op.n:,} need {need:.0f} vectors beside the block; memory= leaves {room.vectors}. "
            "Ask for fewer, or allow more memory."
        )
    if dense:
        return _dense(op, k, largest, started)
    rows = min(2 * k + ROWS, op.n - 1, room.vectors - BESIDE)
    how: dict[str, Any] = {
        "rows": rows,
        "largest": largest,
        "tol": tol,
        "seed": checked_seed(seed),
        "block": room.block,
    }
    pairs = _restarted(op, k, products=products, **how)
    spent = pairs.cost
    if not pairs.converged and 2 * spent.total_products <= products:  # copies, coupled to pairs that were locked early
        del pairs
        pairs = _restarted(op, k, products=products - spent.total_products, within=1 / math.sqrt(k + 1), **how)
        pairs = replace(pairs, cost=spent + pairs.cost)
    return replace(pairs, cost=replace(pairs.cost, seconds=time.perf_counter() - started))


def _restarted(op: SymmetricOperator, k: int, *, largest: bool, products: int, block: int, **how: Any) -> Eigenpairs:
    found = outermost(op, k, largest=largest, products=max(products - k, 1), **how)
    words = "thick-restart Lanczos"
    pairs = _rayleigh(op, found.vectors.T, largest, words, found.complete, block, found.allowed)
    beyond = found.allowed if pairs.converged else math.inf
    return replace(pairs, beyond=beyond, cost=found.cost + pairs.cost)


def _positive(value: object) -> bool:
    return isinstance(value, Real) and float(value) > 0


def extreme_eigenpairs(
    op: SymmetricOperator,
    goal: Goal,
    *,
    tol: float = 1e-4,
    seed: int = 0,
    spent: Cost = Cost(),
    room: Room = Room(),
    progress: ProgressCallback | None = None,
) -> tuple[Eigenpairs, Eigenpairs]:
    """The largest and the smallest eigenpair from one Lanczos run: (largest, smallest), k = 1 each, without vectors.

    Ends when both residuals are below `tol` times the spectral radius, after 120 steps, or with budget, time or
    caller; `converged` says which. A Ritz value never lies beyond the spectrum: the largest eigenvalue is at least,
    the smallest at most, the value returned. The cost stands with the largest. Memory: one vector a step.
    """
    started = time.perf_counter()
    if op.n <= DENSE and goal.left(spent) >= op.cost(op.n + 1).effort:
        ends = (_dense(op, 1, largest, started) for largest in (True, False))
        return tuple(replace(end, vectors=end.vectors[:, :0]) for end in ends)  # type: ignore[return-value]
    state: Tridiagonal | None = None
    ok = False
    for state in lanczos(op, start_vector(op, seed), min(MOST_STEPS, room.vectors)):
        values, _, residuals = state.ritz()
        ok = float(residuals[[0, -1]].max()) <= tol * float(values.abs().max())
        cost = spent + state.cost
        report = Progress("extreme eigenvalues", state.diagonal.numel() / MOST_STEPS, None, cost)
        stop = stopped(progress, report)
        if ok or stop or goal.late() or goal.left(cost) < op.cost(1).effort:
            break
    assert state is not None
    values, _, residuals = state.ritz()
    none = torch.empty(op.n, 0, dtype=op.dtype)
    method = f"Lanczos, {values.numel()} steps"
    paid = replace(state.cost, seconds=time.perf_counter() - started)
    return (
        Eigenpairs(values[-1:], none, residuals[-1:], paid, method, ok),
        Eigenpairs(values[:1], none, residuals[:1], Cost(), method, ok),
    )


def _dense(op: SymmetricOperator, k: int, largest: bool, started: float) -> Eigenpairs:
    matrix = dense_matrix(op).double()
    _, vectors = torch.linalg.eigh(matrix)
    chosen = (vectors[:, -k:] if largest else vectors[:, :k]).to(op.dtype)
    pairs = _rayleigh(op, chosen, largest, "dense eigendecomposition", True, DENSE)
    cost = op.cost(op.n) + pairs.cost
    beyond = float(pairs.residuals.max())
    return replace(pairs, beyond=beyond, cost=replace(cost, seconds=time.perf_counter() - started))


def _rayleigh(
    op: SymmetricOperator,
    vectors: Float[Tensor, "n k"],
    largest: bool,
    method: str,
    converged: bool,
    block: int,
    allowed: float = math.inf,
) -> Eigenpairs:
    """Rayleigh quotients and residuals of unit vectors, outermost first; k products, `block` at a time.

    Those whose residual is not `allowed` are left out, and the others have not converged then.
    """
    values, residuals, cost = [], [], Cost()
    for part in torch.split(vectors, block, dim=1):
        images = op @ part
        cost = cost + op.cost(part.shape[1])
        for v, image in zip(part.T, images.T, strict=True):
            values.append(float(dots(v.unsqueeze(0), image.unsqueeze(0))))
            residuals.append(norm(torch.add(image, v, alpha=-values[-1])))
    found, off = torch.tensor(values, dtype=torch.float64), torch.tensor(residuals, dtype=torch.float64)
    order = found.argsort(descending=largest, stable=True)
    order = order[off[order] <= allowed]
    converged = converged and order.numel() == vectors.shape[1]
    return Eigenpairs(found[order], vectors[:, order.to(vectors.device)], off[order], cost, method, converged)

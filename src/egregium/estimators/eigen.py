"""Eigenpairs at the ends of the spectrum."""

import time
from dataclasses import replace
from numbers import Real

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor

from egregium.errors import ArgumentError, OutOfMemoryError
from egregium.estimators.goal import Goal, Progress, ProgressCallback, Room, stopped
from egregium.estimators.lanczos import Tridiagonal, lanczos
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
#: Float64 vectors that ARPACK and a product through it take beside its basis.
WORKSPACE = 9
#: Lanczos steps that tell the spectral radius to a few percent, for the shift.
RADIUS_STEPS = 8


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
    """The k algebraically largest (or smallest) eigenpairs, outermost first.

    Implicitly restarted Lanczos (ARPACK through SciPy's eigsh) on A +- rho I, rho the spectral radius: residuals fall
    below `tol` times the spread of the spectrum, also for eigenvalues near 0. A dense eigendecomposition for n <= 64
    or k > n / 2. At most about `products` products; pairs that have not converged by then are left out and `converged`
    is False. Memory: max(2 k + 1, 20) vectors in float64, fewer where `room` has fewer. The residuals are computed
    afresh, k products. Raises ArgumentError unless 1 <= k <= n and tol > 0, OutOfMemoryError where nothing fits.

    >>> from egregium.operators import Dense
    >>> eigenpairs(Dense(torch.diag(torch.tensor([3.0, -1.0, 2.0]))), 2).values
    tensor([3., 2.], dtype=torch.float64)
    """
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= op.n:
        raise ArgumentError(f"eigenpairs needs 1 <= k <= n = {op.n}, got k = {k!r}.")
    if not _positive(tol):
        raise ArgumentError(f"tol must be positive, got {tol!r}.")
    started = time.perf_counter()
    wide = 8 / torch.empty(0, dtype=op.dtype).element_size()  # ARPACK's vectors are in float64, beside k of ours
    fit = int((room.vectors - k) / wide) - WORKSPACE - k
    dense = op.n <= DENSE or 2 * k > op.n
    need = op.n * (1 + 2 * wide) if dense else (2 * k + 2 + WORKSPACE) * wide + k
    if need > room.vectors and op.n > DENSE:
        raise OutOfMemoryError(
            f"{k} eigenpairs of n = {op.n:,} need {need:.0f} vectors beside the block; memory= leaves {room.vectors}. "
            "Ask for fewer, or allow more memory."
        )
    if dense:
        return _dense(op, k, largest, started)
    *_, last = lanczos(op, start_vector(op, seed), RADIUS_STEPS)
    sign = 1.0 if largest else -1.0
    radius = float(last.ritz()[0].abs().max()) or 1.0  # the zero matrix has none
    counted = [last.cost]
    del last

    def product(v: np.ndarray) -> np.ndarray:
        counted[0] = counted[0] + op.cost(1)
        x = torch.from_numpy(v).to(op.device, op.dtype).reshape(-1)
        image: np.ndarray = (op @ x).cpu().numpy().astype(np.float64)
        image *= sign
        image += radius * v.reshape(-1)
        return image

    linear = LinearOperator((op.n, op.n), matvec=product, dtype=np.float64)
    steps = min(max(2 * k + 1, 20), fit)
    restarts = max(products // steps, 1)
    start = start_vector(op, seed, 1).double().cpu().numpy()
    rng = np.random.default_rng(checked_seed(seed))
    try:
        _, found = eigsh(linear, k, which="LA", ncv=min(steps, op.n), v0=start, tol=tol, maxiter=restarts, rng=rng)
        converged = True
    except ArpackNoConvergence as partial:
        found, converged = partial.eigenvectors, False
    vectors = torch.from_numpy(found.T).to(op.device, op.dtype).T
    del found
    pairs = _rayleigh(op, vectors, largest, "implicitly restarted Lanczos (ARPACK)", converged, room.block)
    cost = counted[0] + pairs.cost
    return replace(pairs, cost=replace(cost, seconds=time.perf_counter() - started))


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
    return replace(pairs, cost=replace(cost, seconds=time.perf_counter() - started))


def _rayleigh(
    op: SymmetricOperator, vectors: Float[Tensor, "n k"], largest: bool, method: str, converged: bool, block: int
) -> Eigenpairs:
    """Rayleigh quotients and residuals of unit vectors, outermost first; k products, `block` at a time."""
    values, residuals, cost = [], [], Cost()
    for part in torch.split(vectors, block, dim=1):
        images = op @ part
        cost = cost + op.cost(part.shape[1])
        for v, image in zip(part.T, images.T, strict=True):
            values.append(float(dots(v.unsqueeze(0), image.unsqueeze(0))))
            residuals.append(norm(torch.add(image, v, alpha=-values[-1])))
    found, off = torch.tensor(values, dtype=torch.float64), torch.tensor(residuals, dtype=torch.float64)
    order = found.argsort(descending=largest)
    return Eigenpairs(found[order], vectors[:, order.to(vectors.device)], off[order], cost, method, converged)

"""Single numbers of a landscape: scalar curvature, trace, squared Frobenius norm, nuclear norm, eigenpairs, density."""

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch

from egregium import estimators
from egregium.curvature import OperatorName, second_derivative, trace_by_parts
from egregium.estimators import PRODUCT_BLOCK, Goal, ProgressCallback, Room, Statistic, TraceMoments
from egregium.estimators.density import spectral_density as density_of
from egregium.estimators.eigen import eigenpairs as eigenpairs_of
from egregium.estimators.nuclear import nuclear_norm as nuclear_norm_of
from egregium.estimators.probes import checked_seed
from egregium.landscape import Landscape
from egregium.layerwise import RouteError
from egregium.measurement.dual import dual_moments
from egregium.measurement.frame import curvature_moments
from egregium.measurement.memory import Memory
from egregium.measurement.moments import EXACT_BELOW, Method, judged, trace_moments
from egregium.measurement.passes import trace_of_passes
from egregium.measurement.precision import in_full_precision
from egregium.measurement.preparation import prepared
from egregium.operators import SymmetricOperator, square_operator
from egregium.results import Cost, Eigenpairs, Estimate, SpectralDensity


@in_full_precision
def scalar_curvature(
    land: Landscape,
    *,
    method: Method = "auto",
    rtol: float = 0.01,
    atol: float = 0.0,
    confidence: float = 0.95,
    budget: float | None = None,
    max_seconds: float | None = None,
    seed: int = 0,
    operator: OperatorName = "hessian",
    scale: float = 1.0,
    block: int = PRODUCT_BLOCK,
    memory: Memory = None,
    progress: ProgressCallback | None = None,
) -> Estimate:
    """The scalar curvature R of the graph of scale * f at the landscape's point.

        R = beta [(tr H)^2 - tr H^2] + 2 beta^2 [g^T H^2 g - tr(H) g^T H g],   beta = 1 / (1 + |g|^2)
          = (tr S~)^2 - |S~|_F^2,   S~ = P H P / W the shape operator in a symmetric frame (Gauss),

    with g the gradient and H the Hessian; at a minimum (tr H)^2 - |H|_F^2. Positive where curvature is shared by two
    directions or more, e.g. n (n - 1) / r^2 on a sphere of radius r; it has the units of (f / theta^2)^2 where |g| is
    small, so it depends on `scale`. For ReLU networks H is the Hessian almost everywhere.

    Args:
        land: the landscape.
        method: "exact" (n products), "stochastic" (a deflating sketch and fresh probes,
            unbiased at a fixed number of probes, with a jackknife
            interval), or "auto", the cheaper of the two. "dual" (exact, for operator="ggn"): inner products of the
            gradients of all samples, O((N K)^2) a layer; as `dual_spectrum`, without its matrix.
        rtol, atol, confidence: ends when the interval at `confidence` is within +/- max(atol, rtol |R|).
        budget: in gradients of the full data (default 10,000); max_seconds: wall time.
        seed: fixes the probes bit for bit; no global generator is read or moved.
        operator: "hessian", or "ggn" for the Gauss-Newton matrix in place of H.
        scale: multiplies f.
        block: most vectors a product takes at once; the result depends on it by rounding only.
        memory: bytes, or a size such as "4GiB", that this may take beyond what is in use (default: half of what is
            free). It streams the block and bounds the sketch: less memory, more products.
        progress: called with a `Progress` after each block; returning False ends with what is known.

    Returns an Estimate whose samples are (k, 2): tr S~ and |S~|_F^2 of each probe; `converged` says whether the goal
    was met. Cost: one gradient and the products; memory: at most 11 + 5 (block - 1) + m + 64 vectors for a sketch of
    depth m, and one batch's graph. Raises ArgumentError, BudgetError (no room for an error bar), DataError, LossError
    and OutOfMemoryError, which says what would fit.
    Source: Pouplin, Roy, Singh, Arvanitidis, arXiv 2307.04719; the estimator is described in docs/estimation.md.

    >>> import torch
    >>> saddle = Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=torch.float64))
    >>> print(scalar_curvature(saddle))  # flat by its trace, which is 0
    -8 (exact)
    """
    goal = Goal(rtol, atol, confidence, budget, max_seconds)
    found = curvature_moments(land.scaled(scale).fixed(), operator, method, goal, seed, block, memory, progress)
    return _told(land, found.moments, estimators.gauss_statistic, goal, found.spent, found.words, found.ended)


@in_full_precision
def trace(
    what: Landscape | Any,
    *,
    method: Method = "auto",
    rtol: float = 0.01,
    atol: float = 0.0,
    confidence: float = 0.95,
    budget: float | None = None,
    max_seconds: float | None = None,
    seed: int = 0,
    operator: OperatorName = "hessian",
    memory: Memory = None,
    progress: ProgressCallback | None = None,
) -> Estimate:
    """tr A, for A the Hessian (or Gauss-Newton matrix) of a landscape, or any square operator with `@`.

    Arguments, cost and errors as in `scalar_curvature`; for an operator of unknown price the budget counts products.

    >>> import torch
    >>> print(trace(torch.diag(torch.tensor([2.0, 3.0]))))
    5 (exact)
    """
    goal = Goal(rtol, atol, confidence, budget, max_seconds)
    op = symmetric_operator(what, operator)
    room = prepared(op, memory, progress=progress)
    if method == "dual" and isinstance(what, Landscape):
        return _by_dual(what, estimators.trace_statistic, goal, operator, memory, room, progress)
    if isinstance(what, Landscape) and method in ("auto", "stochastic") and op.n >= EXACT_BELOW:
        source = trace_by_parts(what.fixed(), operator, checked_seed(seed))
        if source is not None and source.structure.whole and source.first().effort <= goal.left(room.cost):
            rounding = estimators.ROUNDINGS * torch.finfo(op.dtype).eps
            with suppress(RouteError):
                e = trace_of_passes(source, goal, spent=room.cost, rounding=rounding, progress=progress)
                return replace(e, notes=(*e.notes, *notes_of(what)))
    return _estimated(what, op, estimators.trace_statistic, goal, room, method=method, seed=seed, progress=progress)


@in_full_precision
def squared_frobenius(
    what: Landscape | Any,
    *,
    method: Method = "auto",
    rtol: float = 0.01,
    atol: float = 0.0,
    confidence: float = 0.95,
    budget: float | None = None,
    max_seconds: float | None = None,
    seed: int = 0,
    operator: OperatorName = "hessian",
    memory: Memory = None,
    progress: ProgressCallback | None = None,
) -> Estimate:
    """|A|_F^2 = tr A^2, the sum of the squared eigenvalues; otherwise as `trace`.

    >>> import torch
    >>> print(squared_frobenius(torch.diag(torch.tensor([2.0, 3.0]))))
    13 (exact)
    """
    goal = Goal(rtol, atol, confidence, budget, max_seconds)
    op = symmetric_operator(what, operator)
    room = prepared(op, memory, progress=progress)
    if method == "dual" and isinstance(what, Landscape):
        return _by_dual(what, estimators.square_statistic, goal, operator, memory, room, progress)
    return _estimated(what, op, estimators.square_statistic, goal, room, method=method, seed=seed, progress=progress)


@in_full_precision
def eigenpairs(
    what: Landscape | Any,
    k: int = 5,
    *,
    largest: bool = True,
    tol: float = 1e-3,
    seed: int = 0,
    operator: OperatorName = "hessian",
    memory: Memory = None,
) -> Eigenpairs:
    """The k largest or smallest eigenpairs; see `estimators.eigen.eigenpairs` for method, cost and errors.

    >>> import torch
    >>> eigenpairs(torch.diag(torch.tensor([2.0, -3.0])), 1, largest=False).values
    tensor([-3.], dtype=torch.float64)
    """
    op = symmetric_operator(what, operator)
    room = prepared(op, memory, 1)
    pairs = eigenpairs_of(op, k, largest=largest, tol=tol, seed=seed, room=room)
    return replace(pairs, cost=pairs.cost + room.cost)


@in_full_precision
def spectral_density(
    what: Landscape | Any,
    *,
    steps: int = 32,
    probes: int = 4,
    sigma: float | None = None,
    seed: int = 0,
    confidence: float = 0.95,
    operator: OperatorName = "hessian",
    memory: Memory = None,
) -> SpectralDensity:
    """The density of eigenvalues; see `estimators.density.spectral_density` for method, cost and errors."""
    op = symmetric_operator(what, operator)
    room = prepared(op, memory, 1)
    steps = min(steps, max(room.vectors, 1))
    density = density_of(op, steps=steps, probes=probes, sigma=sigma, seed=seed, confidence=confidence)
    return replace(density, cost=density.cost + room.cost)


@in_full_precision
def nuclear_norm(
    what: Landscape | Any,
    *,
    probes: int = 16,
    steps: int = 32,
    confidence: float = 0.95,
    seed: int = 0,
    operator: OperatorName = "hessian",
    memory: Memory = None,
) -> Estimate:
    """|A|_*, the sum of the absolute eigenvalues; see `estimators.nuclear.nuclear_norm` for method, cost and errors.

    >>> import torch
    >>> print(nuclear_norm(torch.diag(torch.tensor([2.0, -3.0]))))
    5 (exact)
    """
    op = symmetric_operator(what, operator)
    room = prepared(op, memory, 1)
    estimate = nuclear_norm_of(op, probes=probes, steps=steps, confidence=confidence, seed=seed, room=room)
    return replace(estimate, cost=estimate.cost + room.cost, notes=(*estimate.notes, *notes_of(what)))


def symmetric_operator(what: Landscape | Any, operator: OperatorName = "hessian") -> SymmetricOperator:
    """The operator that is measured: a landscape's `operator`, or `what` itself."""
    return second_derivative(what, operator) if isinstance(what, Landscape) else square_operator(what)


def notes_of(what: Landscape | Any) -> tuple[str, ...]:
    """How a landscape's model was taken, as sentences."""
    rows = what.setting if isinstance(what, Landscape) else ()
    return tuple(f"{row.name}: {row.value} ({row.meaning})." for row in rows)


def _estimated(
    what: Landscape | Any, op: SymmetricOperator, statistic: Statistic, goal: Goal, room: Room, **options: Any
) -> Estimate:
    spent = room.cost
    moments, cost, words, ended = trace_moments(op, statistic, goal=goal, room=room, spent=spent, **options)
    return _told(what, moments, statistic, goal, spent + cost, words, ended)


def _by_dual(
    land: Landscape,
    statistic: Statistic,
    goal: Goal,
    operator: OperatorName,
    memory: Memory,
    room: Room,
    progress: ProgressCallback | None,
) -> Estimate:
    moments, cost, words = dual_moments(land.fixed(), operator, goal, memory, room.cost, progress)
    return _told(land, moments, statistic, goal, room.cost + cost, words, "")


def _told(
    what: Landscape | Any, moments: TraceMoments, statistic: Statistic, goal: Goal, cost: Cost, words: str, ended: str
) -> Estimate:
    cost = replace(cost, seconds=time.perf_counter() - goal.started)
    estimate = moments.estimate(statistic, method=words, confidence=goal.confidence, cost=cost)
    estimate = judged(moments, estimate, goal, ended)
    return replace(estimate, notes=(*estimate.notes, *notes_of(what)))

"""Single numbers of a landscape: scalar curvature, trace, squared Frobenius norm, eigenpairs, spectral density."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from egregium import estimators
from egregium.curvature import OperatorName, second_derivative, shape_operator, tangent_frame
from egregium.estimators import PRODUCT_BLOCK, Goal, ProgressCallback, Room, Statistic, TraceMoments
from egregium.estimators.density import spectral_density as density_of
from egregium.estimators.eigen import eigenpairs as eigenpairs_of
from egregium.estimators.probes import checked_seed
from egregium.landscape import Landscape
from egregium.measurement.data_error import Batches, Slope, batches_of
from egregium.measurement.memory import Memory
from egregium.measurement.moments import Method, judged, trace_moments
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
    data_error: bool = False,
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
            interval), or "auto", the cheaper of the two.
        rtol, atol, confidence: ends when the interval at `confidence` is within +/- max(atol, rtol |R|).
        budget: in gradients of the full data (default 10,000); max_seconds: wall time.
        seed: fixes the probes bit for bit; no global generator is read or moved.
        operator: "hessian", or "ggn" for the Gauss-Newton matrix in place of H.
        scale: multiplies f.
        block: most vectors a product takes at once; the result depends on it by rounding only.
        memory: bytes, or a size such as "4GiB", that this may take beyond what is in use (default: half of what is
            free). It streams the block and bounds the sketch: less memory, more products.
        data_error: also estimate `data_stderr`, what another sample of the data would change: the jackknife over at
            least 10 batches, to first order, for about 140 gradients more (docs/estimation.md).
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
    here = land.scaled(scale).fixed()
    second = second_derivative(here, operator)
    room = prepared(second, memory, block, progress)
    options: dict[str, Any] = {"method": method, "seed": seed, "progress": progress, "spent": Cost(gradients=1)}
    batches = batches_of(second) if data_error else None
    frame = tangent_frame(here)
    op = shape_operator(here, operator=operator, frame=frame)
    if batches is None:
        return _estimated(land, op, estimators.gauss_statistic, goal, room, **options)
    slope = partial(batches.of_curvature, frame)
    return _estimated(land, op, estimators.gauss_statistic, goal, room, batches, slope, **options)


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
    data_error: bool = False,
    progress: ProgressCallback | None = None,
) -> Estimate:
    """tr A, for A the Hessian (or Gauss-Newton matrix) of a landscape, or any square operator with `@`.

    Arguments, cost (of `data_error`: 133 gradients) and errors as in `scalar_curvature`; for an operator of unknown
    price the budget counts products.

    >>> import torch
    >>> print(trace(torch.diag(torch.tensor([2.0, 3.0]))))
    5 (exact)
    """
    goal = Goal(rtol, atol, confidence, budget, max_seconds)
    op = symmetric_operator(what, operator)
    room = prepared(op, memory, progress=progress)
    options: dict[str, Any] = {"method": method, "seed": seed, "progress": progress}
    batches = batches_of(op) if data_error else None
    return _estimated(
        what, op, estimators.trace_statistic, goal, room, batches, lambda moments: Slope(1.0, 0.0), **options
    )


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
    data_error: bool = False,
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
    options: dict[str, Any] = {"method": method, "seed": seed, "progress": progress}
    batches = batches_of(op) if data_error else None
    return _estimated(
        what, op, estimators.square_statistic, goal, room, batches, lambda moments: Slope(0.0, 1.0), **options
    )


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
    operator: OperatorName = "hessian",
    memory: Memory = None,
) -> SpectralDensity:
    """The density of eigenvalues; see `estimators.density.spectral_density` for method, cost and errors."""
    op = symmetric_operator(what, operator)
    room = prepared(op, memory, 1)
    density = density_of(op, steps=min(steps, max(room.vectors, 1)), probes=probes, sigma=sigma, seed=seed)
    return replace(density, cost=density.cost + room.cost)


def symmetric_operator(what: Landscape | Any, operator: OperatorName = "hessian") -> SymmetricOperator:
    """The operator that is measured: a landscape's `operator`, or `what` itself."""
    return second_derivative(what, operator) if isinstance(what, Landscape) else square_operator(what)


def notes_of(what: Landscape | Any) -> tuple[str, ...]:
    """How a landscape's model was taken, as sentences."""
    rows = what.setting if isinstance(what, Landscape) else ()
    return tuple(f"{row.name}: {row.value} ({row.meaning})." for row in rows)


def _estimated(
    what: Landscape | Any,
    op: SymmetricOperator,
    statistic: Statistic,
    goal: Goal,
    room: Room,
    batches: Batches | None = None,
    slope: Callable[[TraceMoments], Slope] | None = None,
    **options: Any,
) -> Estimate:
    """The estimate of `statistic`; where there are batches, with its error over the data by the slope."""
    spent = room.cost + options.pop("spent", Cost())
    if batches is not None:
        spent = spent + batches.price(room.block, gradient=op is not batches.op)
    moments, cost, words, ended = trace_moments(op, statistic, goal=goal, room=room, spent=spent, **options)
    estimate = moments.estimate(statistic, method=words, confidence=goal.confidence)
    estimate = judged(moments, estimate, goal, ended)
    if batches is not None and slope is not None:
        data_stderr, note = batches.stderr(slope(moments), checked_seed(options["seed"]), room)
        estimate = replace(estimate, data_stderr=data_stderr, notes=(*estimate.notes, *filter(None, [note])))
    cost = replace(spent + cost, seconds=time.perf_counter() - goal.started)
    return replace(estimate, cost=cost, notes=(*estimate.notes, *notes_of(what)))

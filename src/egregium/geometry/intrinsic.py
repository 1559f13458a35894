"""Curvature that a path on the graph can feel: Ricci, sectional curvatures and how far the graph is from Einstein's."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import shape_operator
from egregium.errors import ArgumentError
from egregium.estimators import Goal
from egregium.estimators.probes import checked_seed, gaussian
from egregium.geometry.arguments import landscape, orthonormal_columns, vector, whole
from egregium.geometry.extrinsic import judged_anew, shape_trace
from egregium.geometry.tangent import tangent_space
from egregium.landscape import Landscape
from egregium.measurement.moments import trace_moments
from egregium.measurement.subject import told
from egregium.operators import SymmetricOperator
from egregium.results import Cost, Estimate, SectionalCurvatures

#: Stream of the probes that span random planes; others are those of the estimators.
PLANES = 7


def ricci(land: Landscape, x: Tensor, y: Tensor, *, scale: float = 1.0, **how: Any) -> Estimate:
    """Ric(x, y) = tr(S) h(x, y) - h(x, S y): the sum of <R(e, x) y, e> over an orthonormal frame.

    tr S is found as `mean_curvature` finds it (options and errors there), whose interval it carries, with the rounding
    of h and the third form; two products more.

    >>> f = lambda x: -torch.sqrt(4 - x @ x)  # a sphere of radius 2: Ric = (n - 1) / r^2 times the metric
    >>> x = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    >>> print(ricci(Landscape.from_function(f, torch.zeros(3, dtype=torch.float64)), x, x))
    0.5 (exact)
    """
    T = tangent_space(land, scale=scale)
    h, third = T.fundamental_forms(x, y)
    found = shape_trace(T, **how)
    lost = torch.finfo(T.land.dtype).eps * T.W * (abs(found.value * h) + abs(third))
    told = found.affine(h, -third)
    return judged_anew(replace(told, rounding=told.rounding + lost, cost=found.cost + T.hessian.cost(2)), how)


@final
class RicciOperator(SymmetricOperator):
    """Ric~ = tr(S) S~ - S~^2 in the symmetric frame: its eigenvalues are the Ricci curvatures, its trace is R.

    A product costs two with H. In coordinates the operator metric^-1 Ric is P Ric~ P^-1. `trace`: tr S, an Estimate;
    its value is used.
    """

    def __init__(self, shape: SymmetricOperator, trace: Estimate) -> None:
        self.n, self.dtype, self.device = shape.n, shape.dtype, shape.device
        self.shape_operator, self.trace = shape, trace

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        bent = self.shape_operator @ V
        return bent * self.trace.value - self.shape_operator @ bent

    def cost(self, k: int) -> Cost:
        return self.shape_operator.cost(k) + self.shape_operator.cost(k)


def ricci_operator(land: Landscape, *, scale: float = 1.0, **how: Any) -> RicciOperator:
    """`RicciOperator` at the landscape's point; options and cost as of `mean_curvature`.

    >>> f = lambda x: -torch.sqrt(4 - x @ x)
    >>> x = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64)
    >>> [round(value, 9) for value in (ricci_operator(Landscape.from_function(f, x)) @ x).tolist()]
    [0.5, 0.25, 0.0]
    """
    T = tangent_space(land, scale=scale)
    return RicciOperator(shape_operator(T.land, frame=T.frame), shape_trace(T, **how))


def sectional_curvatures(
    land: Landscape, planes: int = 100, *, scale: float = 1.0, seed: int = 0, confidence: float = 0.95, block: int = 16
) -> SectionalCurvatures:
    """Sectional curvatures of planes that are uniform among all: their distribution, and their mean R / (n (n - 1)).

    K(u, v) = (u^T S~ u)(v^T S~ v) - (u^T S~ v)^2 for u, v orthonormal in the symmetric frame. Two products a plane;
    memory: `block` vectors. Raises ArgumentError for n < 2 or fewer than two planes.

    >>> f = lambda x: -torch.sqrt(4 - x @ x)  # every plane of a sphere has 1 / r^2
    >>> found = sectional_curvatures(Landscape.from_function(f, torch.zeros(3, dtype=torch.float64)), 8)
    >>> round(found.mean.value, 12), found.n
    (0.25, 3)
    """
    started = time.perf_counter()
    if landscape(land).n < 2 or whole(planes, 0, "planes") < 2:
        raise ArgumentError(f"Random planes need n >= 2 and at least two of them, got n = {land.n}, planes={planes}.")
    Goal(confidence=confidence)  # refuses levels that are none
    T, seed = tangent_space(land, scale=scale), checked_seed(seed)
    op, cost, found = shape_operator(T.land, frame=T.frame), Cost(gradients=1), []
    draw: dict[str, Any] = {"seed": seed, "stream": PLANES, "dtype": T.land.dtype, "device": T.land.device}
    each = max(whole(block, 1, "block") // 2, 1)
    for first in range(0, planes, each):
        pairs = range(first, min(first + each, planes))
        frames = [torch.stack([gaussian(land.n, 2 * i + j, **draw) for j in (0, 1)]) for i in pairs]
        rows = torch.cat([orthonormal_columns(pair.T)[0].T for pair in frames])
        bent = (op @ rows.T.contiguous()).T
        u, v, Su, Sv = (part.double() for part in (rows[0::2], rows[1::2], bent[0::2], bent[1::2]))
        found.append((u * Su).sum(1) * (v * Sv).sum(1) - (u * Sv).sum(1) ** 2)
        cost = cost + op.cost(len(rows))
    samples = torch.cat(found).cpu()
    cost = replace(cost, seconds=time.perf_counter() - started)
    method = f"{planes} planes, uniform in the metric, seed {seed}"
    spread = float(samples.std()) / planes**0.5
    mean = Estimate(float(samples.mean()), spread, planes - 1, samples, cost, method, confidence=confidence)
    return SectionalCurvatures(samples, mean, mean.affine(land.n * (land.n - 1.0)), land.n, cost, method)


def sectional_along(land: Landscape, steps: Sequence[Tensor] | Tensor, *, scale: float = 1.0) -> SectionalCurvatures:
    """Sectional curvature of the plane that a step and the next one span, at each point between, of a training.

    `steps`: points theta_0, ..., theta_m of shape (n,), m >= 2: m - 1 curvatures. Where two steps are parallel, or one
    is zero, there is no plane: NaN, and a note. A gradient and two products a point.
    """
    points = [vector(landscape(land), point, "A point of steps") for point in steps]
    if len(points) < 3:
        raise ArgumentError(f"sectional_along needs at least three points (two steps), got {len(points)}.")
    values: list[float] = []
    cost = Cost()
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        T = tangent_space(land.at(here), scale=scale)
        x, y = (vector(T.land, b - a, "A step") for a, b in ((before, here), (here, after)))
        cost = cost + Cost(gradients=1) + T.hessian.cost(2)
        try:
            values.append(T.sectional_curvature(x, y))
        except ArgumentError:
            values.append(float("nan"))
    samples = torch.tensor(values, dtype=torch.float64)
    known = samples[~samples.isnan()]
    lost = len(samples) - len(known)
    notes = (f"At {lost} of {len(samples)} points two steps span no plane: NaN.",) if lost else ()
    mean = Estimate(float(known.mean()) if len(known) else float("nan"), 0.0, cost=cost, method="given planes")
    return SectionalCurvatures(samples, mean, None, land.n, cost, "planes of consecutive steps", notes)


def einstein_defect(
    land: Landscape,
    *,
    scale: float = 1.0,
    rtol: float = 0.05,
    confidence: float = 0.95,
    budget: float | None = None,
    seed: int = 0,
) -> Estimate:
    """|Ric - (R/n) metric|^2 = tr(Ric~^2) - R^2 / n, in the metric: 0 where Ric is the same in all directions.

    Ric~ is `ricci_operator`. All columns for few parameters, else shared probes until the half-width is `rtol` of the
    value; what the error of tr S may add is in the interval. Errors as of `egregium.squared_frobenius`.

    >>> f = lambda x: -torch.sqrt(4 - x @ x)  # a sphere is Einstein
    >>> x = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64)
    >>> abs(einstein_defect(Landscape.from_function(f, x)).value) < 1e-12
    True
    """
    goal = Goal(rtol, 0.0, confidence, budget, None)
    how: dict[str, Any] = {"budget": budget, "confidence": confidence, "seed": seed}
    op = ricci_operator(land, scale=scale, rtol=rtol / 10, **how)

    def defect(t: Tensor, t2: Tensor, F: Tensor) -> Tensor:
        return F - t2 / land.n

    first = op.trace.cost
    moments, cost, words, ended = trace_moments(op, defect, "auto", goal, seed=checked_seed(seed), spent=first)
    e = told(land, moments, defect, goal, first + cost, words, ended)
    off = op.trace.half_width()
    squares = max(op.trace.value**2 - float(moments.traces.mean()), 0.0)  # |S~|_F^2 = (tr S~)^2 - R
    moved = 2 * max(e.value, 0.0) ** 0.5 * off * squares**0.5 + off**2 * squares
    return judged_anew(replace(e, bias=e.bias + moved), {"rtol": rtol})

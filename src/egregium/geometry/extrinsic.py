"""How the graph lies in R^(n+1): principal curvatures and directions, mean and Gauss-Kronecker curvature."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from egregium.curvature import shape_operator
from egregium.errors import OutOfMemoryError
from egregium.geometry.arguments import landscape
from egregium.geometry.tangent import MOST_ROWS, TangentSpace, tangent_space
from egregium.landscape import Landscape
from egregium.measurement import eigenpairs, trace
from egregium.operators import dense_matrix
from egregium.operators.inner import dots
from egregium.results import Cost, Estimate, PrincipalCurvatures

#: Parameters up to which tr S takes all columns of S~: they have no cancellation at large gradients.
ALL_COLUMNS = 256
#: `rtol` of `egregium.trace` where it is not given.
DEFAULT_RTOL = 0.01


def principal_curvatures(
    land: Landscape, k: int = 3, *, scale: float = 1.0, tol: float = 1e-3, seed: int = 0, memory: Any = None
) -> PrincipalCurvatures:
    """The k largest and the k smallest principal curvatures, and their directions on the graph.

    Eigenvalues of S~ = P H P / W, those of the shape operator S = metric^-1 H / W; a direction P v has length 1 in the
    metric. Each value has the error bound of its residual. Cost: one gradient and as many products as eigenvalues of
    the Hessian take; memory: 2 k + 10 vectors and one batch's graph. Raises ArgumentError for k that does not fit.

    >>> f = lambda x: 1.5 * x[0] ** 2 - 0.5 * x[1] ** 2
    >>> found = principal_curvatures(Landscape.from_function(f, torch.zeros(2, dtype=torch.float64)), 1)
    >>> found.largest.values.tolist(), found.smallest.values.tolist()
    ([3.0], [-1.0])
    """
    T = tangent_space(land, scale=scale)
    op, P = shape_operator(T.land, frame=T.frame), T.inverse_root
    ends = [eigenpairs(op, k, largest=largest, tol=tol, seed=seed, memory=memory) for largest in (True, False)]
    high, low = (P @ pairs.vectors for pairs in ends)
    largest, smallest = (replace(pairs, vectors=pairs.vectors[:, :0]) for pairs in ends)
    return PrincipalCurvatures(replace(largest, cost=largest.cost + Cost(gradients=1)), smallest, high, low, land.n)


def shape_trace(T: TangentSpace, **how: Any) -> Estimate:
    """tr S = n times the mean curvature: `(tr H - beta g^T H g) / W`. Options as of `trace`."""
    if T.n <= ALL_COLUMNS:
        exact = trace(shape_operator(T.land, frame=T.frame), **(how | {"method": "exact"}))
        return replace(exact, method="all columns of the shape operator", cost=exact.cost + Cost(gradients=1))
    found = trace(T.land, **how)
    g = T.gradient.unsqueeze(0)
    p = float(dots(g, (T.hessian @ T.gradient).unsqueeze(0)))
    eps = torch.finfo(T.land.dtype).eps
    lost = eps * T.beta * abs(p) * math.sqrt(T.n) / T.W
    moved = found.affine(1 / T.W, -T.beta * p / T.W)
    cost = found.cost + T.hessian.cost(1) + Cost(gradients=1)
    return judged_anew(replace(moved, rounding=moved.rounding + lost, cost=cost), how)


def judged_anew(e: Estimate, how: Mapping[str, Any]) -> Estimate:
    """`e`, made of an estimate with options `how`, with the verdict that its own interval deserves."""
    asked = max(how.get("atol", 0.0), how.get("rtol", DEFAULT_RTOL) * abs(e.value))
    if e.exact or e.half_width() <= asked:
        return e
    note = f"The interval is wider than asked: what it is made of was found to rtol {how.get('rtol', DEFAULT_RTOL):g}."
    return replace(e, converged=False, notes=(*e.notes, note))


def mean_curvature(land: Landscape, *, scale: float = 1.0, **how: Any) -> Estimate:
    """tr S / n, the mean of the principal curvatures, along the normal (-g, 1) / W.

    Options (`rtol`, `confidence`, `budget`, `seed`, ...), cost and errors as of `egregium.trace`, and a gradient and a
    product more. `converged` is about this number's own interval: where tr H and g^T H g cancel it may be False.

    >>> f = lambda x: -torch.sqrt(4 - x @ x)  # a sphere of radius 2
    >>> print(mean_curvature(Landscape.from_function(f, torch.tensor([1.0, 0.5], dtype=torch.float64))))
    0.5 (exact)
    """
    return shape_trace(tangent_space(land, scale=scale), **how).affine(1 / land.n)


def gauss_kronecker_curvature(land: Landscape, *, scale: float = 1.0) -> float:
    """det S = det H / W^(n+2), the product of all principal curvatures; may underflow to 0 for n of some hundreds.

    n products and an (n x n) matrix: raises OutOfMemoryError above 5,000 parameters.

    >>> f = lambda x: -torch.sqrt(4 - x @ x)
    >>> round(gauss_kronecker_curvature(Landscape.from_function(f, torch.tensor([1.0, 0.5], dtype=torch.float64))), 12)
    0.25
    """
    if landscape(land).n > MOST_ROWS:
        raise OutOfMemoryError(
            f"The Gauss-Kronecker curvature of {land.n:,} parameters needs a matrix of as many rows; at most "
            f"{MOST_ROWS:,} are formed. principal_curvatures gives its outermost factors at any n."
        )
    T = tangent_space(land, scale=scale)
    sign, size = torch.linalg.slogdet(dense_matrix(T.hessian).double())
    return float(sign) * math.exp(float(size) - (T.n + 2) * math.log(T.W))

"""Eigenpairs, spectral density and nuclear norm: the numbers that Lanczos runs give."""

from dataclasses import replace
from typing import Any

from egregium.curvature import OperatorName
from egregium.estimators.density import spectral_density as density_of
from egregium.estimators.eigen import eigenpairs as eigenpairs_of
from egregium.estimators.nuclear import nuclear_norm as nuclear_norm_of
from egregium.landscape import Landscape
from egregium.measurement.memory import Memory
from egregium.measurement.precision import in_full_precision
from egregium.measurement.preparation import prepared
from egregium.measurement.subject import notes_of, symmetric_operator
from egregium.results import Eigenpairs, Estimate, SpectralDensity


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
    trace: Estimate | None = None,
    memory: Memory = None,
) -> Estimate:
    """|A|_*, the sum of the absolute eigenvalues; see `estimators.nuclear.nuclear_norm` for method, cost and errors.

    >>> import torch
    >>> print(nuclear_norm(torch.diag(torch.tensor([2.0, -3.0]))))
    5 (exact)
    """
    op = symmetric_operator(what, operator)
    room = prepared(op, memory, 1)
    estimate = nuclear_norm_of(op, probes=probes, steps=steps, confidence=confidence, seed=seed, trace=trace, room=room)
    return replace(estimate, cost=estimate.cost + room.cost, notes=(*estimate.notes, *notes_of(what)))

"""The spectral density by stochastic Lanczos quadrature; see `estimators.quadrature`."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from numbers import Real

import torch

from egregium.errors import ArgumentError
from egregium.estimators.goal import checked_confidence
from egregium.estimators.moments import ROUNDINGS
from egregium.estimators.probes import checked_seed
from egregium.estimators.quadrature import rule, runs
from egregium.operators import SymmetricOperator
from egregium.results import Cost, SpectralDensity
from egregium.stats import bootstrap_band

#: Points of the grid, and its margin beyond the outermost Ritz values, in units of sigma.
POINTS, MARGIN = 1025, 4.0
#: Lanczos runs and their products; runs below which there is no error.
PROBES, STEPS, FEWEST = 4, 32, 2
#: Points that resolve a Gaussian, and the most that a grid may have.
POINTS_A_WIDTH, MOST_POINTS = 3, 20_000


def spectral_density(
    op: SymmetricOperator,
    *,
    steps: int = STEPS,
    probes: int = PROBES,
    sigma: float | None = None,
    seed: int = 0,
    confidence: float = 0.95,
    goes_on: Callable[[int], bool] = lambda probe: True,
) -> SpectralDensity:
    """The density of eigenvalues, smoothed with a Gaussian of width `sigma` (default: 1 % of the spectrum's extent).

    `goes_on` is asked before each run from the third on, with its number; where it says no, those before stand.
    `probes` Lanczos runs of `steps` products each; standard error and band at `confidence` are over the probes
    (bootstrap, never narrower than Student's), and know nothing of the error of the rules: where `sigma` is narrower
    than their nodes are apart, more steps show other peaks. Memory: `steps` vectors.
    Raises ArgumentError for fewer than two probes or one step, a sigma or confidence out of range.

    >>> from egregium.operators import Dense
    >>> d = spectral_density(Dense(torch.eye(8, dtype=torch.float64)), sigma=0.1)
    >>> round(float(torch.trapezoid(d.density, d.grid)), 3)  # one peak of mass 1 at 1
    1.0
    """
    whole = isinstance(probes, int) and isinstance(steps, int) and (sigma is None or isinstance(sigma, Real))
    if not whole or probes < FEWEST or steps < 1 or (sigma is not None and not sigma > 0):
        raise ArgumentError(
            f"spectral_density needs probes >= 2, steps >= 1 and sigma > 0, got {probes!r}, {steps!r} and {sigma!r}."
        )
    checked_confidence(confidence)
    started, cost = time.perf_counter(), Cost()
    nodes = torch.zeros(probes, min(steps, op.n), dtype=torch.float64)
    weights = torch.zeros_like(nodes)
    done = 0
    for run in runs(op, steps, probes, seed):
        values, shares = rule(run)
        nodes[done, : len(values)], weights[done, : len(values)] = values, shares
        nodes[done, len(values) :] = values[-1]  # an exhausted Krylov space leaves nodes of weight 0
        cost, done = cost + run.cost, done + 1
        if FEWEST <= done < probes and not goes_on(done):
            break
    nodes, weights = nodes[:done], weights[:done]
    low, high = float(nodes.min()), float(nodes.max())
    width = sigma or 0.01 * max(high - low, 1e-3 * max(abs(low), abs(high)), 1e-12)
    points = max(POINTS, math.ceil(POINTS_A_WIDTH * (high - low) / width))
    if points > MOST_POINTS:
        least = POINTS_A_WIDTH * (high - low) / MOST_POINTS
        raise ArgumentError(
            f"sigma={width:.3g} is too narrow for a spectrum of width {high - low:.3g}; use {least:.2g}."
        )
    grid = torch.linspace(low - MARGIN * width, high + MARGIN * width, points, dtype=torch.float64)
    bumps = torch.exp(-(((grid - nodes.unsqueeze(2)) / width) ** 2) / 2) / (width * (2 * torch.pi) ** 0.5)
    each = (weights.unsqueeze(2) * bumps).sum(1)
    lower, upper = bootstrap_band(each, confidence, checked_seed(seed))
    return SpectralDensity(
        grid,
        each.mean(0),
        each.std(0) / done**0.5,
        nodes,
        weights,
        width,
        cost=replace(cost, seconds=time.perf_counter() - started),
        method=f"stochastic Lanczos quadrature, {done} probes of {steps} steps",
        lower=lower.clamp(min=0),
        upper=upper,
        confidence=confidence,
        n=op.n,
        rounding=ROUNDINGS * torch.finfo(op.dtype).eps,
    )

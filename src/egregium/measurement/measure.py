"""Everything at one point, from one set of products."""

import time
from dataclasses import replace
from typing import Any

from torch import Tensor

from egregium.curvature import OperatorName
from egregium.estimators import (
    PRODUCT_BLOCK,
    Goal,
    ProgressCallback,
    Statistic,
    gauss_statistic,
    square_statistic,
    trace_statistic,
)
from egregium.estimators.probes import checked_seed
from egregium.landscape import Landscape
from egregium.measurement.frame import curvature_moments
from egregium.measurement.memory import Memory
from egregium.measurement.moments import Method, judged
from egregium.measurement.precision import in_full_precision
from egregium.measurement.spectrum import measured_spectrum
from egregium.results import Estimate, Measurement, environment


@in_full_precision
def measure(
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
    extremes: bool = True,
    density: bool = False,
    block: int = PRODUCT_BLOCK,
    memory: Memory = None,
    data_error: bool = False,
    progress: ProgressCallback | None = None,
) -> Measurement:
    """Scalar curvature, its terms, trace, Frobenius norm, effective rank, mean curvature and extreme eigenvalues.

    All sampled numbers come from the probes that R needs, so their errors are correlated; R alone decides when to stop,
    and R alone gets a `data_error`. `extremes` adds about 30 to 120 products, `density` 128 more. Other arguments and
    errors as in `scalar_curvature`, whose number for the same arguments this one equals.

    >>> import torch
    >>> f = lambda x: 1.5 * x[0] ** 2 + 0.5 * x[1] ** 2
    >>> m = measure(Landscape.from_function(f, torch.zeros(2, dtype=torch.float64)))
    >>> m.scalar_curvature.value, m.trace.value, m.effective_rank.value  # 2 * 3 * 1, 3 + 1, 16 / 10
    (6.0, 4.0, 1.6)
    """
    goal = Goal(rtol, atol, confidence, budget, max_seconds)
    here = land.scaled(scale).fixed()
    fingerprint = here.fingerprint()  # first: nobody who pressed Ctrl-C should wait for another pass
    wanted: dict[str, Any] = {"turned": True, "data_error": data_error}
    found = curvature_moments(here, operator, method, goal, seed, block, memory, progress, **wanted)
    moments, turn = found.moments, found.turn
    assert turn is not None
    goes_on = found.ended not in ("time", "stopped")
    spectrum = measured_spectrum(
        found.second,
        goal,
        extremes=extremes and goes_on,
        density=density and goes_on,
        seed=seed,
        spent=found.spent,
        room=found.room,
        progress=progress,
    )
    total = found.spent + spectrum.cost

    def estimate(statistic: Statistic) -> Estimate:
        value = moments.estimate(statistic, method=found.words, confidence=goal.confidence, cost=found.cost)
        return judged(moments, value, goal, found.ended, asked=statistic is gauss_statistic)

    def of_hessian(statistic: Statistic) -> Estimate:
        return estimate(turn.of_hessian(statistic))

    terms = {name: estimate(statistic) for name, statistic in turn.terms().items()}
    terms["gradient"] = Estimate(
        turn.gradient_term, 0.0, cost=found.second.cost(1), method="one gradient and one product"
    )
    return Measurement(
        n=land.n,
        loss=found.frame.loss,
        gradient_norm=found.frame.gradient_norm,
        scalar_curvature=found.with_data_error(estimate(gauss_statistic), seed),
        trace=of_hessian(trace_statistic),
        squared_frobenius=of_hessian(square_statistic),
        frobenius_norm=of_hessian(lambda t, t2, F: F.clamp(min=0).sqrt()),
        effective_rank=of_hessian(_effective_rank),
        mean_curvature=estimate(lambda t, t2, F: t / land.n),
        terms=terms,
        largest=spectrum.largest,
        smallest=spectrum.smallest,
        density=spectrum.density,
        operator=operator,
        scale=float(scale),
        cost=replace(total, seconds=time.perf_counter() - goal.started),
        environment=environment(land.device, land.dtype, checked_seed(seed)),
        setting=land.setting,
        fingerprint=fingerprint,
    )


def _effective_rank(t: Tensor, t2: Tensor, F: Tensor) -> Tensor:
    """t^2 / F; 0 for the zero matrix."""
    return t2 / F.where(F != 0, F + 1)

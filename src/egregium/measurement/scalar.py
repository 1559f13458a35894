"""The scalar curvature of a landscape's graph."""

from egregium.curvature import OperatorName
from egregium.estimators import PRODUCT_BLOCK, Goal, ProgressCallback, gauss_statistic
from egregium.landscape import Landscape
from egregium.measurement.frame import curvature_moments
from egregium.measurement.memory import Memory
from egregium.measurement.moments import Method
from egregium.measurement.precision import in_full_precision
from egregium.measurement.subject import told
from egregium.results import Estimate


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
        method: "exact" (n products), "stochastic" (a deflating sketch and fresh probes, unbiased at a fixed number of
            probes, with a jackknife interval), or "auto", the cheaper of the two. "dual" (exact, for operator="ggn"):
            inner products of the gradients of all samples, O((N K)^2) a layer; as `dual_spectrum`, without its matrix.
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
    found = curvature_moments(here, operator, method, goal, seed, block, memory, progress, data_error=data_error)
    e = told(land, found.moments, gauss_statistic, goal, found.spent, found.words, found.ended)
    return found.with_data_error(e, seed)

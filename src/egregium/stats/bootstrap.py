"""The bootstrap band of means over few samples: percentiles of resampled means, widened for how few they are.

Plain percentiles are too narrow by `sqrt((k - 1) / k)` and take the normal's quantile where Student's is due; the
expanded percentile interval (T. Hesterberg, The American Statistician 69, 2015) takes the level
`Phi(-sqrt(k / (k - 1)) t_(k-1))` instead. With a handful of samples no resampled mean lies far enough out, so the band
is never narrower than Student's; what it adds is skewness.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import ndtr, stdtrit
from torch import Tensor

#: Resampled means, and columns of them that are sorted at once: 1 MB, whatever the size of the network.
RESAMPLES, COLUMNS = 1000, 128


def bootstrap_band(
    samples: Float[Tensor, "k m"], confidence: float, seed: int
) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
    """(lower, upper), pointwise at `confidence`, for the means of m columns over k >= 2 independent rows.

    >>> lower, upper = bootstrap_band(torch.tensor([[1.0, 1.0], [3.0, 1.0]]), 0.5, 0)
    >>> torch.stack([lower, upper]).round(decimals=9).tolist()  # 2 +/- t_1(0.75) = 2 +/- 1, and no spread
    [[1.0, 1.0], [3.0, 1.0]]
    """
    k = samples.shape[0]
    each = samples.double().cpu().numpy()
    student = float(stdtrit(k - 1, (1 + confidence) / 2))
    half = student * each.std(0, ddof=1) / math.sqrt(k)
    level = float(ndtr(-math.sqrt(k / (k - 1)) * student))
    shares = np.random.default_rng(seed).multinomial(k, [1 / k] * k, size=RESAMPLES) / k
    lower, upper = each.mean(0) - half, each.mean(0) + half
    for first in range(0, each.shape[1], COLUMNS):
        part = slice(first, first + COLUMNS)
        low, high = np.quantile(shares @ each[:, part], [level, 1 - level], axis=0)
        lower[part], upper[part] = np.minimum(lower[part], low), np.maximum(upper[part], high)
    return torch.from_numpy(lower), torch.from_numpy(upper)

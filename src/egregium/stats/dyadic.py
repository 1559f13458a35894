"""The interval of a mean over pairs that share members, as those of a factorial design do.

Pairs that share a cell are dependent and others are not, so with r_cd what pairs of the cells c and d add to the value
(less the mean of all pairs), the dyadic-robust variance (P. M. Aronow, C. Samii, V. A. Assenova, Political Analysis 23,
2015) is

    V = sum_c (sum_d r_cd)^2 - sum_(c < d) r_cd^2,   at least that of independent pairs, sum_(c < d) r_cd^2,

times m / (m - 1) for m groups that share no cell; Student's t with m - 1 degrees of freedom on Fisher's scale, artanh.
Where all pairs say the same, V = 0 tells nothing: a share of up to `q = 1 - (alpha / 2)^(1 / m)` of groups may be of a
kind that was not seen, and the interval is `v - q (v + 1)` to `v + q (1 - v)`: Clopper and Pearson's where v = 1.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit

from egregium.stats.ranking import Interval

#: A variance that is rounding: those of pairs that differ are above 1 / (number of pairs)^2.
ROUNDING = 1e-20


def share_interval(
    value: float, parts: Float[np.ndarray, "n n"], cells: np.ndarray, groups: float, confidence: float
) -> Interval:
    """The interval of a value in [-1, 1], the mean over pairs of n networks; parts (n, n), symmetric, add up to 0.

    `cells` (n,) are numbers from 0 on, `groups` is m. No bounds where m is 1. O(n^2).

    >>> agree = np.array([[0, 1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, -1.0], [0, 0, -1.0, 0]]) / 4
    >>> found = share_interval(0.0, agree, np.arange(4), 2, 0.5)  # tanh(t_1(0.75) sqrt(2 (1/2)^2 2/1)) = tanh(1)
    >>> round(found.high - math.tanh(1), 12)
    0.0
    """
    low, high = _bounds(value, _variance(parts, cells), groups, (1 - confidence) / 2)
    return Interval(value, low, high, len(cells))


def _variance(parts: Float[np.ndarray, "n n"], cells: np.ndarray) -> float:
    member = (cells == np.arange(cells.max() + 1)[:, None]).astype(np.float64)
    r = member @ parts @ member.T * 2  # both orders of a pair
    apart = float((r**2).sum()) / 2
    return max(float((r.sum(1) ** 2).sum()) - apart, apart)


def _bounds(value: float, variance: float, groups: float, tail: float) -> tuple[float, float]:
    if groups <= 1:
        return math.nan, math.nan
    if variance < ROUNDING:
        unseen = 1 - tail ** (1 / groups)
        return value - unseen * (value + 1), value + unseen * (1 - value)
    half = float(stdtrit(groups - 1, 1 - tail)) * math.sqrt(variance * groups / (groups - 1)) / (1 - value**2)
    return math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)

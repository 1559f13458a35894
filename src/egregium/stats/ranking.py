"""Rank correlations of a measure with what it should rank, and of what it says beyond a third.

x and y are NumPy arrays, one entry a network. Only their order counts, so infinities are welcome. NaN is a network
without that measure: it is left out of the statistic, and not in the `networks` that a result counts.

**Which partial correlation?** Let x and y be z and noise, each its own: x says nothing about y that z does not. Neither
coefficient is then zero in the population (E. L. Korn, The American Statistician 38, 1984, has their ranges). For
normal variables with tau_xz = tau_yz,

    tau_xz             0.2    0.4    0.5    0.6    0.7    0.8    0.9
    partial Kendall    0.022  0.077  0.111  0.147  0.184  0.221  0.257
    partial Spearman   0.004  0.010  0.012  0.011  0.009  0.005  0.001

and with tau_xz of 0.67 to 0.86 (200,000 draws) Kendall's is 0.21 and Spearman's 0.07 for an exponential z, 0.23 and
0.09 for noise that grows as e^z, 0.24 and 0.20 for a z in two clumps, 0.32 and 0.26 for a z that is read with noise of
a fifth of its deviation. So Spearman's is the one to ask whether a measure says more than the trace, and only a value
well above these says that it does.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import kendalltau, pearsonr, rankdata

from egregium.errors import ArgumentError

#: One number a network.
Measure = Float[np.ndarray, " n"]
#: A level a network for each hyper-parameter.
Settings = Mapping[str, Sequence[Hashable]]
#: Fewer networks have no order worth a number.
FEWEST = 3


@dataclass(frozen=True)
class Interval:
    """A value and its interval, from so many networks. NaN: there is no value, or nothing to tell its error from."""

    value: float
    low: float
    high: float
    networks: int


def kendall(x: Measure, y: Measure) -> float:
    """Kendall's tau-b, `sum s_ij t_ij / sqrt(sum s_ij^2 sum t_ij^2)` over pairs, s and t the signs of the differences.

    scipy's; O(n log n). NaN where x or y is constant. ArgumentError: other lengths, or fewer than 3 networks with both.
    M. G. Kendall, Biometrika 33, 1945.

    >>> round(kendall(np.array([1.0, 2.0, 3.0, 3.0]), np.array([1.0, 3.0, 2.0, 4.0])) * 30**0.5, 12)  # 3 / sqrt(5 * 6)
    3.0
    """
    kept = complete(x, y)
    return float(kendalltau(x[kept], y[kept]).statistic)


def partial_kendall(x: Measure, y: Measure, given: Measure) -> float:
    """Kendall's partial tau of x and y given z, `(t_xy - t_xz t_yz) / sqrt((1 - t_xz^2) (1 - t_yz^2))` of tau-b.

    Not zero where x and y are independent given z (see above). O(n log n). NaN where one is constant, or x or y has the
    order of z. ArgumentError: other lengths, or fewer than 3 networks with all three. M. G. Kendall, Biometrika 32,
    1942.

    >>> x, y, z = np.array([[1.0, 2, 3, 4], [1.0, 2, 4, 3], [2.0, 1, 3, 4]])
    >>> round(partial_kendall(x, y, z), 12)  # of 2/3, 2/3 and 1/3: (4/9) / sqrt(5/9 * 8/9)
    0.632455532034
    """
    kept = complete(x, y, given)
    x, y, z = x[kept], y[kept], given[kept]
    return float(partial(*(np.array(kendall(a, b)) for a, b in ((x, y), (x, z), (y, z)))))


def partial_spearman(x: Measure, y: Measure, given: Measure) -> float:
    """Spearman's partial correlation: Pearson's of what a line in the ranks of z leaves of the ranks of x and y.

    It is the formula of `partial_kendall` with Spearman's coefficients. O(n log n). NaN and ArgumentError as there.

    >>> x, y, z = np.array([[1.0, 2, 3, 4], [1.0, 2, 4, 3], [2.0, 1, 3, 4]])
    >>> round(partial_spearman(x, y, z), 12)  # of 4/5, 4/5 and 3/5: (8/25) / sqrt(9/25 * 16/25)
    0.666666666667
    """
    kept = complete(x, y, given)
    x, y, z = (rankdata(each[kept]) for each in (x, y, given))
    if min(np.ptp(each) for each in (x, y, z)) == 0:
        return float("nan")
    return float(partial(*(np.array(pearsonr(a, b).statistic) for a, b in ((x, y), (x, z), (y, z)))))


def partial(xy: np.ndarray, xz: np.ndarray, yz: np.ndarray) -> np.ndarray:
    """The partial correlation of x and y given z from the three correlations, entry by entry; NaN where z has all.

    >>> float(partial(np.array(0.5), np.array(0.0), np.array(0.0)))
    0.5
    """
    left = (1 - xz**2) * (1 - yz**2)
    left = np.where(left > 1e-12, left, np.nan)  # what rounding leaves of 1 - 1 is nothing to divide by
    return np.asarray((xy - xz * yz) / np.sqrt(left))


def complete(*measures: Measure) -> np.ndarray:
    """(n,) bool: the networks with all measures. ArgumentError: other lengths, or fewer than 3 of them.

    >>> complete(np.array([1.0, np.nan, 2.0, 3.0])).tolist()
    [True, False, True, True]
    """
    lengths = {len(each) for each in measures}
    if len(lengths) > 1:
        raise ArgumentError(f"One number a network is needed of each measure, got lengths {sorted(lengths)}.")
    kept: np.ndarray = ~np.isnan(np.stack(measures)).any(0)
    if kept.sum() < FEWEST:
        raise ArgumentError(
            f"Ranking needs at least {FEWEST} networks that have every measure, got {kept.sum()} of {len(kept)}."
        )
    return kept


def signs(x: Measure) -> Float[np.ndarray, "n n"]:
    """sign(x_i - x_j) of all pairs, also of infinities.

    >>> signs(np.array([1.0, np.inf, np.inf])).tolist()
    [[0.0, -1.0, -1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    return (x[:, None] > x).astype(np.float64) - (x[:, None] < x)

"""Statistics of a mean, its square and another mean, from paired samples; with errors, also where a mean is near 0."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from egregium.stats.jackknife import jackknife_stderr, leave_one_out_mean
from egregium.stats.ustatistics import pair_mean

#: A function of (t, t^2, F), linear in t and t^2, elementwise over arrays of any one shape.
Statistic = Callable[[Tensor, Tensor, Tensor], Tensor]

#: Points of the circle at which a statistic is looked at, and what its second derivative may hide between two of them.
_ANGLES = np.linspace(0, 2 * np.pi, 4097)
_BETWEEN = float(_ANGLES[1]) ** 2 / 8
_COS, _SIN = np.cos(_ANGLES), np.sin(_ANGLES)


@dataclass(frozen=True)
class Bend:
    """How a statistic of a squared mean moves with it: by `first z + second z^2 + other w`, for z standard errors of t
    (with what F moves along) and w of what is left of F.

    Its interval is the range over `z^2 + w^2 <= q^2`, the projection of the two means' confidence region (the profile
    likelihood's interval): it holds where the statistic is stationary, near t = 0 or where the errors of t^2 and F
    cancel, and where its error to first order says nothing. Beyond a vertex within the range, where no t can be, all of
    w counts whatever z is: else 92 % of the intervals of a traceless matrix cover.
    """

    first: float
    second: float
    other: float

    @property
    def stderr(self) -> float:
        """The standard error to first order."""
        return math.hypot(self.first, self.other)

    def sides(self, q: float) -> tuple[float, float]:
        """(below, above): how far the interval of q standard errors reaches from the unbiased value, at least 0.

        That value is less by `second` than the statistic of the mean.

        >>> [round(side, 4) for side in Bend(first=0.0, second=1.0, other=0.0).sides(2.0)]  # 0 to 4, less 1
        [0.0, 5.0]
        >>> [round(side, 4) for side in Bend(first=3.0, second=0.0, other=4.0).sides(1.0)]  # sqrt(3^2 + 4^2)
        [5.0, 5.0]
        """
        if not math.isfinite(q):
            return q, q
        z = q * _COS
        moved = self.first * z + self.second * z**2 + self.other * q * _SIN
        hidden = _BETWEEN * (abs(self.first) * q + 2 * abs(self.second) * q**2 + self.other * q)
        low, high = float(moved.min()), float(moved.max())
        if abs(self.first) < 2 * abs(self.second) * q:
            vertex = -self.first * self.first / (4 * self.second)  # not a power, which raises where this is infinite
            low, high = min(low, vertex - self.other * q), max(high, vertex + self.other * q)
        return max(hidden - low - self.second, 0.0), max(hidden + high + self.second, 0.0)


def moment_estimate(statistic: Statistic, t: Float[Tensor, " k"], F: Float[Tensor, " k"]) -> tuple[Tensor, float, Bend]:
    """(value, standard error, bend) of statistic(E t, (E t)^2, E F) from k samples of (t, F), k >= 3.

    t and F enter as means and t^2 as the mean over pairs, so a statistic linear in the three is unbiased. F's error is
    the jackknife's. The standard error has the second term of `Var(pair mean) = 4 t^2 s^2 / k + 2 s^4 / (k (k - 1))`
    (Hoeffding), s^2 the variance of a sample: the first is proportional to t, and vanishes where that is near 0.
    Intervals are `bend`'s.

    >>> import torch
    >>> t = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    >>> moment_estimate(lambda t, t2, F: t, t, t)[0].item()
    3.0
    """
    t, F = t.double(), F.double()
    k, mean, of_F = t.numel(), t.mean(), F.mean()
    value, here = statistic(mean, pair_mean(t), of_F), statistic(mean, mean**2, of_F)
    s = float(t.std()) / math.sqrt(k)
    up, down = (float(statistic(mean + d, (mean + d) ** 2, of_F) - here) for d in (s, -s))
    left_out = statistic(mean, mean**2, leave_one_out_mean(F)).expand(k)
    size, along = jackknife_stderr(left_out), _correlation(t, -left_out)
    bend = Bend((up - down) / 2 + along * size, (up + down) / 2, math.sqrt(1 - along**2) * size)
    return value, math.hypot(bend.stderr, math.sqrt(2 * k / (k - 1)) * bend.second), bend


def _correlation(x: Tensor, y: Tensor) -> float:
    """Pearson's, 0 where one of them does not vary."""
    dx, dy = x - x.mean(), y - y.mean()
    size = float(dx.norm() * dy.norm())
    return min(max(float(dx @ dy) / size, -1.0), 1.0) if size else 0.0

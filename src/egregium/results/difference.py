"""The difference of two numbers with its interval, and what it says in a word."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from egregium.results.estimate import Estimate, rounded
from egregium.stats.difference import Sides, difference_sides

#: What an interval of a difference says.
Verdict = Literal["larger", "smaller", "not distinguished"]


@dataclass(frozen=True)
class Difference:
    """How far a number at one point is from the same number at the first point.

    Attributes:
        value: the one less the first.
        below, above: how far the interval reaches from `value` on either side.
        confidence: its level.
        kind: "sampled" where probes are in it; "bounded" where its width is a bound, as of eigenvalues; "exact" where
            only rounding is in it.
        independent: whether the two came from different probe vectors; see `stats.difference`.
        ratio: (low, value, high) of the one over the first, where both intervals are positive: low and high are the
            outermost ratios of the two intervals, whatever the dependence.
    """

    value: float
    below: float
    above: float
    confidence: float
    kind: Literal["sampled", "bounded", "exact"]
    independent: bool
    ratio: tuple[float, float, float] | None = None

    def interval(self) -> tuple[float, float]:
        """(low, high) at `confidence`."""
        return self.value - self.below, self.value + self.above

    def half_width(self) -> float:
        """The longer side of the interval."""
        return max(self.below, self.above)

    @property
    def verdict(self) -> Verdict:
        """ "larger" or "smaller" where the interval lies on one side of 0; else "not distinguished"."""
        low, high = self.interval()
        return "larger" if low > 0 else "smaller" if high < 0 else "not distinguished"

    @property
    def times(self) -> str:
        """The ratio in words, "0.265 +/- 0.004 times"; "" where there is none."""
        if self.ratio is None:
            return ""
        low, value, high = self.ratio
        return f"{figures(value, max(value - low, high - value), 1e-3)} times"

    def over(self, unit: float) -> "Difference":
        """The difference in units of a positive number, as a share of the first point's value."""
        return replace(self, value=self.value / unit, below=self.below / unit, above=self.above / unit, ratio=None)

    def __str__(self) -> str:
        if self.kind == "exact":
            return str(Estimate(self.value, 0.0, rounding=self.half_width()))
        words = figures(self.value, self.half_width())
        return f"{words} ({100 * self.confidence:g} %)" if self.kind == "sampled" else words


def difference(b: Estimate, a: Estimate, *, independent: bool, bounded: bool = False, unit: float = 0.0) -> Difference:
    """b - a at the level of both. `bounded`: their widths are bounds and not the probes'.

    `unit`: rounding of the numbers, relative to them, where an estimate states none.

    >>> one, other = Estimate(16.5, 0.08, degrees=40), Estimate(4.38, 0.004, degrees=25)
    >>> print(difference(other, one, independent=True))
    -12.12 +/- 0.17 (95 %)
    >>> difference(other, one, independent=True).verdict, difference(one, one, independent=False).verdict
    ('smaller', 'not distinguished')
    """
    sides = [_sides(e, unit) for e in (b, a)]
    below, above = difference_sides(*sides, independent=independent)
    lows = [e.value - s.below for e, s in zip((b, a), sides, strict=True)]
    highs = [e.value + s.above for e, s in zip((b, a), sides, strict=True)]
    positive = min(lows) > 0 and math.isfinite(max(highs))
    return Difference(
        value=b.value - a.value,
        below=below,
        above=above,
        confidence=b.confidence,
        kind="bounded" if bounded else "exact" if a.exact and b.exact else "sampled",
        independent=independent,
        ratio=(lows[0] / highs[1], b.value / a.value, highs[0] / lows[1]) if positive else None,
    )


def _sides(e: Estimate, unit: float) -> Sides:
    """The sides of an estimate's interval, at least as wide as rounding makes them."""
    below, above = e.sides()
    stated, least = e.rounding + e.bias, unit * abs(e.value)
    more = max(least - stated, 0.0)
    return Sides(below + more, above + more, stated + more)


def figures(value: float, half: float, least: float = 1e-6) -> str:
    """As `rounded`; where the error is below `least` of the value, as many figures as that leaves, alone.

    >>> figures(0.3321371234, 1e-9), figures(0.3321371234, 1e-3)
    ('0.332137', '0.3321 +/- 0.0010')
    """
    digits = round(-math.log10(least))
    return rounded(value, half) if not half < least * abs(value) else f"{value + 0.0:.{digits}g}"

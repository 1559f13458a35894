"""A number with its error: what every estimator returns."""

import math
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.results.cost import Cost
from egregium.stats.jackknife import student_half_width, student_quantile
from egregium.stats.moments import Bend

#: Digits below which an exact method's number is printed with its rounding.
FEWEST_DIGITS = 3
#: Logarithm beyond which a side of an interval is unknown.
MOST = 700.0


def _no_samples() -> Tensor:
    return torch.empty(0, dtype=torch.float64)


@dataclass(frozen=True, eq=False, repr=False)
class Estimate:
    """An estimated number.

    Attributes:
        value: the estimate.
        stderr: its standard error; 0 where the number is exact up to rounding.
        degrees: degrees of freedom of stderr, for Student's t; infinite where exact.
        samples: the per-probe values behind it, one row a probe (columns: see `method`); empty where exact.
        cost: what it took.
        method: how it was obtained, in words.
        converged: whether the interval is as narrow as was asked.
        confidence: the level at which it was asked, and at which it prints.
        notes: what a reader of the number must know.
        rounding: what rounding may add to the error on either side, an absolute bound; part of every interval.
        bias: what an error that is not the probes' may add on either side, such as that of a quadrature; an estimate,
            part of every interval.
        tail: where not 0, the part of the value that is a mean of positive samples, negative where it is subtracted.
            Its interval is symmetric in the logarithm, since a few such are more often too small than too large.
        bend: where a squared mean is in the value, how it moves with that mean: its interval is longer on one side.
        data_stderr: what another sample of the data, of the same size, would change, as one standard error; None where
            it was not asked for (`data_error=True`). It is beside `stderr` and not in the interval.

    The error is that of the probes, for this model and these data; `data_stderr` alone speaks of other data.

    >>> print(Estimate(103.72, 0.44, degrees=30))
    103.7 +/- 0.9 (95 %)
    >>> print(Estimate(103.72, 0.44, degrees=30, data_stderr=5.31))
    103.7 +/- 0.9 (95 %), data stderr 5.3
    """

    value: float
    stderr: float
    degrees: float = math.inf
    samples: Float[Tensor, "..."] = field(default_factory=_no_samples, repr=False)
    cost: Cost = Cost()
    method: str = ""
    converged: bool = True
    confidence: float = 0.95
    notes: tuple[str, ...] = ()
    rounding: float = 0.0
    bias: float = 0.0
    tail: float = 0.0
    bend: Bend | None = None
    data_stderr: float | None = None

    @property
    def exact(self) -> bool:
        """Whether no sampling is in it: only rounding."""
        return self.stderr == 0 and math.isinf(self.degrees)

    def half_width(self, confidence: float | None = None) -> float:
        """Half the interval's width at `confidence` (default: the level asked for), the longer side."""
        return max(self.sides(confidence))

    def interval(self, confidence: float | None = None) -> tuple[float, float]:
        """The two-sided interval (low, high) at `confidence` in (0, 1), by Student's t; see `tail` and `bend`.

        >>> Estimate(2.0, 0.0).interval(0.95)
        (2.0, 2.0)
        >>> low, high = Estimate(2.0, 0.1, tail=2.0).interval(0.95)
        >>> abs(low * high / 4 - 1) < 1e-12  # 2 lies in the middle, as logarithms
        True
        """
        below, above = self.sides(confidence)
        return self.value - below, self.value + above

    def sides(self, confidence: float | None = None) -> tuple[float, float]:
        """(below, above): how far the interval at `confidence` reaches from the value, `rounding` and `bias` in it."""
        level = self.confidence if confidence is None else confidence
        half, size = student_half_width(self.stderr, level, self.degrees), abs(self.tail)
        sides = (half, half)
        if self.bend is not None:
            sides = self.bend.sides(student_quantile(level, self.degrees))
        elif size:
            above = size * math.expm1(half / size) if half / size < MOST else math.inf
            sides = (-size * math.expm1(-half / size), above)
        below, above = sides if self.tail >= 0 else sides[::-1]
        return below + self.rounding + self.bias, above + self.rounding + self.bias

    def affine(self, a: float, b: float = 0.0) -> "Estimate":
        """a times this number, plus b, both known exactly: value, samples, error and interval with it.

        >>> print(Estimate(103.7, 0.4).affine(-10.0, 7.0))
        -1030 +/- 8 (95 %)
        """
        bend = self.bend and Bend(a * self.bend.first, a * self.bend.second, abs(a) * self.bend.other)
        return replace(
            self,
            value=a * self.value + b,
            stderr=abs(a) * self.stderr,
            samples=a * self.samples + b,
            rounding=abs(a) * self.rounding,
            bias=abs(a) * self.bias,
            tail=a * self.tail,
            bend=bend,
            data_stderr=None if self.data_stderr is None else abs(a) * self.data_stderr,
        )

    def __repr__(self) -> str:
        return f"Estimate({self}, {self.cost})"

    def __str__(self) -> str:
        beside = "" if self.data_stderr is None else f", data stderr {self.data_stderr:.2g}"
        return self._probed() + beside

    def _probed(self) -> str:
        level = f"({100 * self.confidence:g} %)"
        if not math.isfinite(self.value):
            return f"{self.value:g}"
        if not self.exact:
            return f"{rounded(self.value, self.half_width())} {level}"
        digits = 6 if not self.rounding else min(math.floor(math.log10(max(abs(self.value) / self.rounding, 1.0))), 6)
        if digits < FEWEST_DIGITS:
            return f"{rounded(self.value, self.rounding)} (rounding)"
        return f"{self.value + 0.0:.{digits}g} (exact)"  # + 0.0: no -0


def rounded(value: float, half_width: float) -> str:
    """`value +/- half_width`, with as many digits as the error carries: one, or two where one would be coarse.

    >>> rounded(103.72, 0.9)
    '103.7 +/- 0.9'
    >>> rounded(12345.6, 130.0)
    '12350 +/- 130'
    >>> rounded(1.2345678e-7, 3e-10)
    '1.235e-07 +/- 3e-10'
    """
    if not (math.isfinite(value) and math.isfinite(half_width) and half_width > 0):
        return f"{value:.4g} +/- {half_width:.2g}"
    exponent = math.floor(math.log10(half_width))
    lead = half_width / 10**exponent
    exponent -= lead < 1.95 or lead > 9  # 0.19 and 0.094 need their second digit
    half = math.ceil(half_width / 10.0**exponent - 1e-9) * 10.0**exponent
    magnitude = math.floor(math.log10(abs(value))) if value else exponent
    if not -4 <= max(magnitude, exponent) < 7:
        digits = max(magnitude - exponent, 0)
        return f"{value:.{digits}e} +/- {half:.2g}"
    decimals = max(-exponent, 0)
    return f"{round(value, -exponent) + 0.0:.{decimals}f} +/- {half:.{decimals}f}"

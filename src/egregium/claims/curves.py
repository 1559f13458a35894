"""A number against the width of a network, with an error bar at each: whether it falls, and whether it levels off."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from egregium.results import Check, Series
from egregium.stats import mean_half_width

#: Level of every interval.
CONFIDENCE = 0.999


@dataclass(frozen=True, eq=False)
class Curve:
    """1/r at some widths, narrowest first, each for several networks that differ in their random initialisation."""

    name: str
    widths: tuple[int, ...]
    values: tuple[Float[Tensor, " k"], ...]

    def mean(self, width: int) -> float:
        """Over the networks of that width."""
        return float(self._of(width).mean())

    def half_width(self, width: int) -> float:
        """Of the mean's interval, by Student."""
        return mean_half_width(self._of(width), CONFIDENCE)

    def _of(self, width: int) -> Tensor:
        return self.values[self.widths.index(width)]

    def series(self) -> Series:
        """For a chart."""
        x, y = tuple(map(float, self.widths)), tuple(self.mean(w) for w in self.widths)
        return Series(self.name, x, y, tuple(self.half_width(w) for w in self.widths))

    def fall(self, wide: int, share: float) -> Check:
        """From the narrowest to a wide one 1/r falls, by this share of the lower value or more."""
        narrow, low = self.widths[0], self.mean(wide)
        tolerance = math.hypot(self.half_width(narrow), (1 + share) * self.half_width(wide))
        return Check(
            f"fall of 1/r from width {narrow} to {wide} ≥ {share:g} of where it ends",
            self.name,
            self.mean(narrow) - low,
            share * low,
            tolerance,
            f"both means' intervals over networks at {100 * CONFIDENCE:g} %; no fall at all must be excluded",
            "at least",
            resolves=share * low / 2,
        )

    def level(self, wide: int) -> Check:
        """From a wide one to the widest 1/r stays: a smooth function of a mean of w terms is c/w off its limit."""
        narrow, widest = self.widths[0], self.widths[-1]
        high, here, end = (self.mean(w) for w in (narrow, wide, widest))
        on = abs(high - end) * narrow / wide  # c from the narrowest
        error = math.hypot(self.half_width(wide), self.half_width(widest))
        return Check(
            f"1/r at width {widest:,} = 1/r at width {wide}",
            self.name,
            end,
            here,
            error + on,
            f"intervals at {100 * CONFIDENCE:g} % ({error:.2g}), and c/w of the narrower, c from width {narrow} "
            f"({on:.2g}); a power law through the first two would give {self._power_law(wide):.2g}",
            resolves=abs(here - self._power_law(wide)) / 2,
        )

    def short_of_limit(self) -> Check:
        """At the widest (tr H)^2 is not reached: what is missing is 1/r."""
        end = self.widths[-1]
        return Check(
            f"1 − 1/r at width {end:,}: R → (tr H)² as the width grows",
            self.name,
            1 - self.mean(end),
            1.0,
            self.half_width(end),
            f"interval over networks at {100 * CONFIDENCE:g} %",
            "differs from",
            resolves=self.mean(end) / 2,
            outside=True,
        )

    def _power_law(self, wide: int) -> float:
        """At the widest, if the fall from the narrowest to `wide` went on."""
        narrow, widest = self.widths[0], self.widths[-1]
        exponent = math.log(self.mean(wide) / self.mean(narrow)) / math.log(wide / narrow)
        return self.mean(wide) * math.pow(widest / wide, exponent)

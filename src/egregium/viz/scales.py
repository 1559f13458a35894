"""Where a linear axis would flatten most of what is on it, and the logarithmic one that does not."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, Locator, LogLocator, MaxNLocator, NullLocator

from egregium.results.charts import Scale
from egregium.viz.labels import TickFormatter, typeset

#: Largest magnitude over lower quartile from which values are steep: a parabola's is 16, a quartic's 256.
STEEP = 1000.0
#: Room at the ends of an axis, as a share of its length, and the smallest share of a value down to which the lower end
#: of its interval makes a logarithmic axis longer.
MARGIN, EDGE = 0.05, 0.1
#: Powers of ten of which a logarithmic axis keeps clear: those of floats end there.
FARTHEST = 305.0
#: Ticks of a logarithmic axis at the most.
MOST_TICKS = 5


def magnitudes(values: Iterable[float]) -> list[float]:
    """|x| of all that are finite and not 0, ascending."""
    return sorted(abs(x) for x in values if x and math.isfinite(x))


def steep(values: Iterable[float], ratio: float = STEEP) -> bool:
    """Whether a linear axis would hide the lower quarter of `values`.

    >>> steep([1.0, 2.0, 3.0, 900.0]), steep([1e-9, 1.0, 2.0, 3.0, 1e6])
    (False, True)
    """
    sizes = magnitudes(values)
    return bool(sizes) and sizes[-1] > ratio * quartile(sizes)


def quartile(sizes: Sequence[float]) -> float:
    """The lower quartile of sorted magnitudes."""
    return sizes[len(sizes) // 4]


def decade(size: float) -> float:
    """The power of ten at or below `size`."""
    return 10.0 ** math.floor(math.log10(size))


def round_ticks(most: int, *, whole: bool = False) -> MaxNLocator:
    """At most so many steps of 1, 2, 2.5 or 5 times a power of ten."""
    return MaxNLocator(most, steps=[1, 2, 2.5, 5, 10], integer=whole)


def symmetric_ticks(low: float, high: float) -> list[float]:
    """0 and at most three powers of ten on either side, between the decades of two magnitudes."""
    first, last = (math.floor(math.log10(size)) for size in (low, high))
    stride = max(math.ceil((last - first) / 3), 1)
    powers = [10.0**exponent for exponent in range(last, first, -stride)]
    return [-p for p in powers] + [0.0] + powers


def set_vertical_scale(ax: Axes, values: Iterable[float]) -> str:
    """Make the vertical axis fit for `values`, logarithmic where they are steep; what its label must add to say so."""
    known = [x for x in np.asarray(list(values), dtype=float).tolist() if math.isfinite(x)]
    ax.yaxis.set_major_formatter(TickFormatter())
    if not steep(known):
        ax.yaxis.set_major_locator(round_ticks(4))
        return ""
    if min(known) > 0:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(numticks=5))
        said = ", logarithmic axis"
    else:
        sizes = magnitudes(known)
        low = decade(quartile(sizes))
        ax.set_yscale("symlog", linthresh=low)
        ax.yaxis.set_major_locator(FixedLocator(symmetric_ticks(low, sizes[-1])))
        said = ", symmetric logarithmic axis"
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(TickFormatter())
    return said


def logarithmic_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within; 1, 2 and 5 times them, or round steps, where there are too few.

    >>> logarithmic_ticks(0.5, 2e4), logarithmic_ticks(0.8, 6.0), logarithmic_ticks(4.2, 4.4)
    ([1.0, 10.0, 100.0, 1000.0, 10000.0], [1.0, 2.0, 5.0], [4.2, 4.25, 4.3, 4.35, 4.4])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = [10.0**e for e in range(first, last + 1) if low <= 10.0**e <= high]
    if len(powers) > 2 or (powers and high > 100 * low):
        return powers[:: math.ceil(len(powers) / MOST_TICKS)]
    finer = [m * 10.0**e for e in range(first, last + 1) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    if len(finer) > 2:
        return finer
    return [float(f"{x:.12g}") for x in round_ticks(MOST_TICKS).tick_values(low, high) if low <= x <= high]


def set_axis(ax: Axes, which: Literal["x", "y"], values: np.ndarray, scale: Scale) -> None:
    """Make an axis fit for finite `values`, positive ones where it is logarithmic, with ticks at round numbers."""
    axis: Axis = getattr(ax, f"{which}axis")
    if not values.size:
        axis.set_ticks([])
        return
    low, high = float(values.min()), float(values.max())
    if scale == "log":
        first, last = math.log10(low), math.log10(high)
        room = MARGIN * (last - first) or MARGIN
        low, high = 10.0 ** max(first - room, -FARTHEST), 10.0 ** min(last + room, FARTHEST)
        locator: Locator = FixedLocator(logarithmic_ticks(low, high))
    else:
        room = MARGIN * (high - low) or MARGIN * abs(high) or 1.0
        low, high, locator = low - room, high + room, round_ticks(6)
    ax.set(**{f"{which}scale": scale, f"{which}lim": (low, high)})
    axis.set_major_locator(locator)
    ticks = locator.tick_values(low, high)
    powers = scale == "log" and all(math.isclose(decade(1.000001 * x), x) for x in ticks)
    far = powers and not 1e-3 <= min(ticks) <= max(ticks) <= 1e3
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(power) if far else TickFormatter())


def power(value: float, _: object = None) -> str:
    """The label of a power of ten among others.

    >>> power(1e-5), power(1.0)
    ('10⁻⁵', '10⁰')
    """
    return typeset(f"1e{round(math.log10(value)):+03d}")

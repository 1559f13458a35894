"""Where a linear axis would flatten most of what is on it, and the logarithmic one that does not."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator

from egregium.viz.labels import TickFormatter

#: Largest magnitude over lower quartile from which values are steep: a parabola's is 16, a quartic's 256.
STEEP = 1000.0


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

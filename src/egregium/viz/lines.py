"""A quantity along a line: its curve with intervals, and holes as hatched strips."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from egregium.results import Sheet
from egregium.viz.colours import HATCH, edges
from egregium.viz.palette import MUTED

#: Places up to which each is marked by a dot and its whiskers; more have a band.
FEW = 41
#: Dots of an adaptive grid are smaller: they only say where it looked.
DOT, SMALL_DOT = 4.0, 2.8


def draw_curve(ax: Axes, sheet: Sheet, colour: str, *, dashed: bool = False, label: str = "") -> None:
    """The values of `sheet` over its places, broken at holes, with the interval of each that has one."""
    a, values, half = (np.asarray(part, dtype=float) for part in (sheet.a, sheet.values, sheet.half_widths))
    measured, known = np.asarray(sheet.measured, dtype=bool), np.isfinite(values)
    y = np.where(known, values, np.nan)
    look: dict[str, Any] = {"linestyle": (0, (5, 2.5))} if dashed else {}
    ax.plot(a, y, color=colour, linewidth=1.4, label=label or None, **look)
    dots = measured & known if a.size <= FEW or not measured.all() else alone(known)
    ax.plot(a[dots], y[dots], "o", color=colour, markersize=DOT if measured.all() else SMALL_DOT)
    sure = known & np.isfinite(half) & (half > 0)
    if not sure.any():
        return
    if a.size <= FEW:
        ax.errorbar(a[sure], y[sure], half[sure], fmt="none", ecolor=colour, elinewidth=1.1, capsize=2)
        return
    low, high = (np.where(sure, y + side * half, np.nan) for side in (-1, 1))
    ax.fill_between(a, low, high, where=sure, color=colour, alpha=0.25, linewidth=0)


def hatch_holes(ax: Axes, sheet: Sheet) -> None:
    """A hatched strip over each place without a finite value, as wide as the place."""
    borders = edges(sheet.a)
    start: float | None = None
    for j, known in enumerate([*np.isfinite(np.asarray(sheet.values)).tolist(), True]):
        if not known and start is None:
            start = float(borders[j])
        elif known and start is not None:
            ax.axvspan(start, float(borders[j]), fill=False, hatch=HATCH, edgecolor=MUTED, linewidth=0, alpha=0.5)
            start = None


def known_values(sheet: Sheet) -> list[float]:
    """The finite values of a sheet, for its axis."""
    values = np.asarray(sheet.values, dtype=float)
    return [float(x) for x in values[np.isfinite(values)]]


def alone(known: np.ndarray) -> np.ndarray:
    """Which finite values have no neighbour to be joined to by a line."""
    beside = np.zeros_like(known)
    beside[1:] |= known[:-1]
    beside[:-1] |= known[1:]
    return np.asarray(known & ~beside)

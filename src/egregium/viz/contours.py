"""Contour lines whose labels are read on any colour."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from egregium.viz.colours import masked
from egregium.viz.labels import digits_between, tick
from egregium.viz.palette import HALO, INK, ON_CELLS
from egregium.viz.scales import round_ticks, steep

#: How many levels.
LEVELS = 8
#: The ratio from which they lie a constant factor apart: a valley would have none otherwise.
STEEP_LEVELS = 50.0


def levels(values: Any) -> list[float]:
    """Round numbers between the least and the largest finite value, a constant factor apart where they are steep."""
    known = masked(values).compressed()
    if not known.size or known.min() == known.max():
        return []
    low, high = float(known.min()), float(known.max())
    if low > 0 and steep(known.tolist(), STEEP_LEVELS):
        between = np.geomspace(low, high, LEVELS + 2)[1:-1]
        found = sorted({float(f"{x:.1g}") for x in between})
    else:
        found = [float(x) for x in round_ticks(LEVELS).tick_values(low, high)]
    return [x for x in found if low < x < high]


def draw_contours(ax: Axes, a: Any, b: Any, values: Any, *, on_cells: bool = False) -> None:
    """Contours of values[i, j] at (a[j], b[i]), labelled; nothing where a grid has no area or one value alone."""
    heights, at = masked(values), levels(values)
    if min(heights.shape) < 2 or not at:
        return
    colour = ON_CELLS if on_cells else INK
    lines = ax.contour(np.asarray(a), np.asarray(b), heights, levels=at, colors=colour, linewidths=0.8, alpha=0.75)
    digits = digits_between(at, least=3)
    for text in ax.clabel(lines, fontsize=7.5, fmt=lambda level: tick(level, digits=digits)) or ():
        text.set_alpha(1)
        if on_cells:
            text.set_bbox({"facecolor": HALO, "alpha": 0.8, "edgecolor": "none", "boxstyle": "round,pad=0.12"})

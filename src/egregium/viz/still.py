"""The same surface at rest, for print and for readers without JavaScript."""

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import FuncFormatter, MaxNLocator

from egregium.results import Slice, Trajectory
from egregium.viz.interpolation import Array
from egregium.viz.labels import short, tick
from egregium.viz.landscape import Surface, caption, surface
from egregium.viz.palette import INK, MUTED
from egregium.viz.picture import Picture, blank, style

#: Cells along a side: more make the file large and the picture no better.
MOST_CELLS = 24


def slice_surface_figure(plane: Slice, trajectory: Trajectory | None = None) -> Picture | None:
    """The loss over a plane as a surface, coloured by R where there is one, with checkpoints at their own losses.

    None where the slice is no plane, or has no finite loss.
    """
    drawn = surface(plane)
    if drawn is None:
        return None
    with style():
        figure = blank(4.4)
        ax: Any = figure.add_subplot(projection="3d", computed_zorder=False)
        ax.patch.set_alpha(0)
        _draw(ax, drawn)
        if trajectory is not None:
            xyz = (*np.asarray(trajectory.coordinates).T, _raised(drawn, trajectory.losses))
            ax.plot(*xyz, color="white", linewidth=2.8, zorder=2)
            ax.plot(*xyz, "o-", color=INK, linewidth=1.3, markersize=3, zorder=3)
        if plane.statistics != "re-estimated":  # else the model's own loss is not that of the surface
            centre = _raised(drawn, [plane.centre])
            ax.plot([0], [0], centre, "D", color=INK, markeredgecolor="white", markersize=6, zorder=4)
        _finish(ax, plane, drawn)
        bar = figure.colorbar(ScalarMappable(drawn.norm, drawn.shade), ax=ax, shrink=0.7, pad=0.12)
        bar.outline.set_visible(False)
        bar.ax.set_title("\n".join(drawn.key), fontsize=9.5, loc="left", color=INK)
        bar.ax.yaxis.set_major_formatter(FuncFormatter(tick))
    return Picture(figure, drawn.title, caption(plane, drawn, trajectory))


def _draw(ax: Any, drawn: Surface) -> None:
    a, b = (_thinned(len(x)) for x in (drawn.a, drawn.b))
    z, colour = _raised(drawn, drawn.heights[np.ix_(b, a)]), drawn.colours[np.ix_(b, a)]
    faces = drawn.shade(drawn.norm(np.ma.masked_invalid(_cells(colour))))
    faces[np.isnan(_cells(colour))] = (0.6, 0.64, 0.68, 1.0)
    faces[np.isnan(_cells(z))] = 0
    x, y = np.meshgrid(drawn.a[a], drawn.b[b])
    look: dict[str, Any] = {"rstride": 1, "cstride": 1, "linewidth": 0.12, "edgecolor": MUTED, "shade": False}
    ax.plot_surface(x, y, z, facecolors=faces, zorder=1, **look)


def _finish(ax: Any, plane: Slice, drawn: Surface) -> None:
    ax.set_xlabel(short(plane.axes[0]), labelpad=5)
    ax.set_ylabel(short(plane.axes[1]), labelpad=5)
    ax.set_zlabel(drawn.height)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(tick))
        axis.set_pane_color((0, 0, 0, 0))
    if drawn.logarithmic:
        ax.zaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.zaxis.set_major_formatter(FuncFormatter(_power))
    ax.view_init(elev=32, azim=-50)
    ax.set_box_aspect((1, 1, 0.65), zoom=0.9)


def _power(exponent: float, _: object) -> str:
    """The label of a height on a logarithmic axis."""
    with np.errstate(over="ignore"):  # a tick beyond the largest float
        return tick(float(np.float64(10.0) ** exponent))


def _raised(drawn: Surface, losses: Any) -> Array:
    """Losses as heights in the picture."""
    heights = np.asarray(losses, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log10(heights) if drawn.logarithmic else heights


def _thinned(size: int) -> list[int]:
    """Some of `size` places, the first and the last among them."""
    return sorted({round(x) for x in np.linspace(0, size - 1, min(size, MOST_CELLS + 1))})


def _cells(corners: Array) -> Array:
    """The mean of each cell's corners; NaN where one of them is."""
    return np.asarray((corners[:-1, :-1] + corners[1:, :-1] + corners[:-1, 1:] + corners[1:, 1:]) / 4)

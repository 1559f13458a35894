"""One estimate a row: its name and value in words, and below them the value with its interval on a common axis."""

from collections.abc import Collection

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from egregium.viz.labels import Number, estimate_label, half_width, short, tick
from egregium.viz.palette import INK, MUTED
from egregium.viz.picture import label_axes
from egregium.viz.scales import decade, magnitudes, symmetric_ticks

#: Height of a row in inches, and how far its words stand above its mark, in points.
ROW, LIFT = 0.46, 7.0
#: Half the height of a bar and of the mark at zero, in rows.
ZERO = 0.14
#: Ratio of magnitudes above which a linear axis would flatten the smaller to nothing.
WILD = 100.0


def draw_row(ax: Axes, y: float, name: str, estimate: Number, colour: str = INK, *, bar: bool = False) -> None:
    """Draw `estimate` at height y: a dot, or a bar from 0, with its interval; name to the left, value to the right."""
    ax.axhline(y, color=MUTED, linewidth=0.7, alpha=0.35, zorder=0)
    ax.plot([0, 0], [y - ZERO, y + ZERO], color=MUTED, linewidth=0.9, zorder=1)
    if bar:
        ax.barh(y, estimate.value, 2 * ZERO, color=colour)
    else:
        ax.plot(estimate.value, y, "o", color=colour, markersize=5.5)
    if half_width(estimate):
        ink, (low, high) = INK if bar else colour, estimate.interval()
        sides = [[estimate.value - low], [high - estimate.value]]
        ax.errorbar(estimate.value, y, xerr=sides, fmt="none", color=ink, ecolor=ink, capsize=3.5, elinewidth=1.4)
    for x, words, side in ((0.0, short(name), "left"), (1.0, estimate_label(estimate), "right")):
        ax.annotate(
            words,
            (x, y),
            xycoords=("axes fraction", "data"),
            xytext=(0, LIFT),
            textcoords="offset points",
            ha=side,
            va="bottom",
        )


def finish_rows(ax: Axes, count: int, label: str) -> None:
    """The first row on top, no vertical axis (the rows carry their names)."""
    label_axes(ax, label, "")
    ax.set_ylim(count - 0.6, -0.85)
    ax.yaxis.set_visible(False)
    if ax.get_xscale() == "linear":
        ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(tick))
    ax.use_sticky_edges = False  # zero may be the edge of every bar
    ax.margins(x=0.06)


def wild(estimates: Collection[Number]) -> bool:
    """Whether the magnitudes differ so much that a linear axis would hide some."""
    sizes = magnitudes(e.value for e in estimates)
    return bool(sizes) and sizes[-1] > WILD * sizes[0]


def logarithmic(ax: Axes, estimates: Collection[Number]) -> None:
    """A symmetric logarithmic axis, linear below the smallest magnitude, with at most three ticks a side."""
    sizes = magnitudes(e.value for e in estimates)
    ax.set_xscale("symlog", linthresh=decade(sizes[0]))
    ax.xaxis.set_major_locator(FixedLocator(symmetric_ticks(sizes[0], sizes[-1])))
    ax.xaxis.set_minor_locator(NullLocator())

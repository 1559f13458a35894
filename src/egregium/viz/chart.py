"""A chart that a document holds as data: series over common axes, told apart without colour too."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from egregium.results import Chart, Series
from egregium.viz.captions import counted
from egregium.viz.interpolation import Array
from egregium.viz.labels import short, wrapped
from egregium.viz.lines import alone
from egregium.viz.palette import BLUE, GREEN, INK, MUTED, PURPLE, VERMILLION
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.scales import EDGE, set_axis

#: In this order; seven marks and six colours come together again after 42 series only.
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, INK, MUTED)
MARKS = ("o", "s", "^", "D", "v", "P", "X")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.6)), (0, (7, 2, 1.5, 2)), (0, (2.5, 1.2)), (0, (10, 3)))
#: Points of a chart from which they are drawn smaller, and the sizes.
MANY, SIZE, SMALL = 200, 5.0, 2.4
#: Height of the axes with their ticks, and of a line of text, in inches.
PANEL, LINE = 2.45, 0.175
#: The legend's columns: width of the figure, of a character, and of a handle with its margins, in points.
PAGE, CHARACTER, HANDLE = 320.0, 5.8, 44.0


@dataclass(frozen=True)
class _Curve:
    """What of a series can be drawn: NaN where it cannot; the ends of its whiskers, NaN where there are none."""

    name: str
    line: bool
    x: Array
    y: Array
    low: Array
    high: Array
    infinite: int
    nonpositive: int

    @property
    def known(self) -> np.ndarray:
        return np.isfinite(self.y)


def chart_figure(chart: Chart) -> Picture:
    """The series of `chart`: what was measured as points with whiskers for its intervals, what was computed as lines.

    What is not finite, and what is 0 or below on a logarithmic axis, is left out; the caption counts it.
    """
    curves = [_curve(series, chart) for series in chart.series]
    x, y = _label(chart.x, chart.x_scale), _label(chart.y, chart.y_scale)
    names = [wrapped(c.name, 44, 88) for c in curves if c.name and c.known.any()] if len(curves) > 1 else []
    with style():
        figure = blank(PANEL + LINE * _lines([x, y, *names]))
        ax = figure.add_subplot()
        bottom = _scaled(ax, chart, curves)
        handles = _drawn(ax, curves, bottom)
        label_axes(ax, x, y, lift=1.04)
        if names:
            _legend(figure, handles, names)
        if not any(curve.known.any() for curve in curves):
            ax.text(0.5, 0.5, "no number that can be drawn", transform=ax.transAxes, ha="center", color=MUTED)
    return Picture(figure, short(chart.title, 200), _caption(chart, curves, bottom))


def _lines(texts: Sequence[str]) -> int:
    """How many lines of text there are."""
    return sum(text.count("\n") + 1 for text in texts if text)


def _curve(series: Series, chart: Chart) -> _Curve:
    x, y = np.asarray(series.x, dtype=float), np.asarray(series.y, dtype=float)
    half = np.asarray(series.half_widths, dtype=float) if series.half_widths else np.full(len(y), np.nan)
    finite = np.isfinite(x) & np.isfinite(y)
    positive = np.full(len(y), fill_value=True)
    for values, scale in ((x, chart.x_scale), (y, chart.y_scale)):
        positive &= (values > 0) | (scale == "linear")
    x, y = (np.where(finite & positive, values, np.nan) for values in (x, y))
    sure = np.isfinite(half) & (half > 0)
    low, high = (np.where(sure, y + side * half, np.nan) for side in (-1, 1))
    lost = int((~finite).sum()), int((finite & ~positive).sum())
    return _Curve(series.name, series.mark == "line", x, y, low, high, *lost)


def _scaled(ax: Axes, chart: Chart, curves: Sequence[_Curve]) -> float:
    """Make both axes fit; where the vertical one begins, down to which a whisker is drawn.

    A whisker that reaches far below its value does not stretch a logarithmic axis.
    """
    x = np.concatenate([curve.x for curve in curves] or [np.empty(0)])
    ends = [end for c in curves for end in (c.y, c.high, c.low if chart.y_scale == "linear" else _near(c))]
    y = np.concatenate(ends or [np.empty(0)])
    set_axis(ax, "x", x[np.isfinite(x)], chart.x_scale)
    set_axis(ax, "y", y[np.isfinite(y)], chart.y_scale)
    ax.grid(axis="y")
    return float(ax.get_ylim()[0])


def _near(curve: _Curve) -> Array:
    """Lower ends that a logarithmic axis shows whole."""
    with np.errstate(invalid="ignore"):
        return np.where(curve.low >= EDGE * curve.y, curve.low, np.nan)


def _drawn(ax: Axes, curves: Sequence[_Curve], bottom: float) -> list[Line2D]:
    """All curves, lines below points unless these are many; the handle of each that has a name in the legend."""
    lines, clouds = ([c for c in curves if c.line is kind] for kind in (True, False))
    many = sum(int(c.known.sum()) for c in clouds) > MANY
    cloud: dict[str, Any] = {"markersize": SMALL, "alpha": 0.6} if many else {"markersize": SIZE}
    handles = {}
    for i, curve in enumerate(lines):
        colour = INK if len(lines) == 1 and clouds else COLOURS[i % len(COLOURS)]
        handles[id(curve)] = _line(ax, curve, colour, DASHES[i % len(DASHES)], 5 if many else 2)
    for i, curve in enumerate(clouds):
        look: dict[str, Any] = {"color": COLOURS[i % len(COLOURS)], "marker": MARKS[i % len(MARKS)]}
        handles[id(curve)] = _points(ax, curve, bottom, look | cloud)
    return [handles[id(c)] for c in curves if c.name and c.known.any()]


def _line(ax: Axes, curve: _Curve, colour: str, dashes: Any, height: int) -> Line2D:
    """Broken where something is left out; a value without neighbours is a dot."""
    single = alone(curve.known)
    ax.plot(curve.x[single], curve.y[single], "o", color=colour, markersize=SMALL, zorder=height)
    sure = np.isfinite(curve.high)
    low, high = (np.where(sure, end, np.nan) for end in (curve.low, curve.high))
    ax.fill_between(curve.x, low, high, where=sure, color=colour, alpha=0.2, linewidth=0, zorder=1)
    (drawn,) = ax.plot(curve.x, curve.y, color=colour, linestyle=dashes, linewidth=1.3, zorder=height)
    return drawn


def _points(ax: Axes, curve: _Curve, bottom: float, look: dict[str, Any]) -> Line2D:
    sure = np.isfinite(curve.high)
    if sure.any():
        x, y, low, high = (part[sure] for part in (curve.x, curve.y, curve.low, curve.high))
        reach = [y - np.minimum(np.maximum(low, bottom), y), high - y]
        ax.errorbar(x, y, reach, fmt="none", ecolor=look["color"], elinewidth=1.1, capsize=2.2, zorder=3)
    (drawn,) = ax.plot(curve.x[curve.known], curve.y[curve.known], linestyle="none", zorder=4, **look)
    return drawn


def _legend(figure: Figure, handles: list[Line2D], names: list[str]) -> None:
    """Below the axes, in as many columns as names leave room for."""
    longest = max(len(line) for name in names for line in name.split("\n"))
    rows = math.ceil(len(names) / max(int(PAGE / (CHARACTER * longest + HANDLE)), 1))
    look: dict[str, Any] = {"frameon": False, "handlelength": 2.6, "borderpad": 0.2, "borderaxespad": 0.0}
    figure.legend(handles, names, loc="outside lower left", ncols=math.ceil(len(names) / rows), **look)


def _label(name: str, scale: str) -> str:
    return wrapped(name + (", logarithmic axis" if scale == "log" else ""), 50, 220)


def _caption(chart: Chart, curves: Sequence[_Curve], bottom: float) -> str:
    """The chart's own, then what the whiskers are, and what could not be drawn."""
    said = [f"{short(chart.caption, 5000).rstrip('.')}."] if chart.caption.strip() else []
    if any(np.isfinite(c.high).any() for c in curves) and "whisker" not in chart.caption.lower():
        said.append("Whiskers are the intervals, no wider than the mark where none is seen.")
    if any((c.low[np.isfinite(c.low)] < bottom).any() for c in curves):
        said.append("A whisker that ends at the lower edge goes on below it.")
    infinite, nonpositive = sum(c.infinite for c in curves), sum(c.nonpositive for c in curves)
    if infinite:
        said.append(f"{counted(infinite, 'number')} not finite and left out.")
    if nonpositive:
        said.append(f"{counted(nonpositive, 'number')} of 0 or below left out, which a logarithmic axis cannot show.")
    return " ".join(said)

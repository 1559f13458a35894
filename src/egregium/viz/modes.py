"""A path of low loss between two points, beside the straight line."""

import math
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from egregium.results import ModePath, QuantityName, Sheet, Slice
from egregium.viz.captions import sentence, sheet_clause, slice_clauses
from egregium.viz.labels import typeset
from egregium.viz.lines import draw_curve, hatch_holes, known_values
from egregium.viz.palette import BLUE, MUTED, VERMILLION
from egregium.viz.picture import Picture, blank, style
from egregium.viz.slices import finish_panel, label_coordinate

#: Heights of the panel of the loss and of the others, in inches.
LOSS, OTHER = 2.3, 1.5
#: How far an arrow stands from its place, as a share of the axis: two at one place are both seen.
ASIDE = 0.01


class Curve(NamedTuple):
    """A slice and how it is drawn."""

    slice: Slice
    colour: str
    dashed: bool
    name: str
    barrier: float


def mode_path_figure(modes: ModePath) -> Picture:
    """The loss along the straight line and along the trained path with the barrier of each; below, R along both."""
    curves = _curves(modes)
    names = _quantities(curves)
    heights = [LOSS if name == "loss" else OTHER for name in names] or [LOSS]
    with style():
        figure = blank(0.8 + sum(heights))
        panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for ax, name in zip(panels, names, strict=False):
            shown = [curve for curve in curves if name in curve.slice.sheets]
            for curve in shown:
                draw_curve(ax, curve.slice.sheets[name], curve.colour, dashed=curve.dashed)
                hatch_holes(ax, curve.slice.sheets[name])
            finish_panel(ax, name, [x for curve in shown for x in known_values(curve.slice.sheets[name])])
            if name == "loss":
                for row, curve in enumerate(reversed(shown)):
                    _mark_barrier(ax, curve.slice.sheets[name], curve.colour, aside=ASIDE * (-1) ** row)
                    _name_curve(ax, curve, row)
        label_coordinate(panels[-1], "t, from the first point (0) to the second (1)")
    return Picture(figure, "From one point to the other", _caption(modes, names))


def _curves(modes: ModePath) -> list[Curve]:
    """The straight line and the path; one of them where they are the same."""
    straight = Curve(modes.straight, VERMILLION, True, "straight line", modes.straight_barrier)
    if modes.kind == "linear":
        return [straight]
    return [straight, Curve(modes.path, BLUE, False, f"{modes.kind} path", modes.barrier)]


def _quantities(curves: list[Curve]) -> list[QuantityName]:
    """All that is known along a curve, the loss and R first."""
    known: list[QuantityName] = list(dict.fromkeys(name for curve in curves for name in curve.slice.sheets))
    first: list[QuantityName] = [name for name in ("loss", "scalar_curvature") if name in known]
    return [*first, *(name for name in known if name not in first)]


def highest(sheet: Sheet) -> tuple[float, float, float] | None:
    """(t, loss, chord) where the loss stands highest above the chord of its ends; None where an end is a hole."""
    t, f = np.asarray(sheet.a, dtype=float), np.asarray(sheet.values, dtype=float)
    if t.size < 2 or t[0] == t[-1] or not (math.isfinite(f[0]) and math.isfinite(f[-1])):
        return None
    chord = f[0] + (f[-1] - f[0]) * (t - t[0]) / (t[-1] - t[0])
    above = np.where(np.isfinite(f), f - chord, -np.inf)
    j = int(above.argmax())
    return float(t[j]), float(f[j]), float(chord[j])


def _mark_barrier(ax: Axes, sheet: Sheet, colour: str, aside: float) -> None:
    """The chord between the ends, and a double arrow from it to the highest place above it."""
    at = highest(sheet)
    if at is None:
        return
    t, f = np.asarray(sheet.a, dtype=float), np.asarray(sheet.values, dtype=float)
    ax.plot([t[0], t[-1]], [f[0], f[-1]], color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    place, top, foot = at
    place += aside * (t[-1] - t[0])
    if top > foot:
        arrow = {"arrowstyle": "<->", "color": colour, "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (place, top), xytext=(place, foot), arrowprops=arrow)


def _name_curve(ax: Axes, curve: Curve, row: int) -> None:
    """The name of a curve and its barrier, in its colour and with its dashes, above the right corner of the axes."""
    barrier = typeset(f"{curve.barrier:.3g}") if math.isfinite(curve.barrier) else "unknown"
    words = f"{'╌╌' if curve.dashed else '━━'} {curve.name}: barrier {barrier}"
    place = (0, 3 + 12 * row)
    ax.annotate(words, (1, 1), place, "axes fraction", "offset points", ha="right", va="bottom", color=curve.colour)


def _caption(modes: ModePath, names: list[QuantityName]) -> str:
    parts = ["Model, data, both ends and the paths are fixed"]
    for curve in _curves(modes):
        sheets = [(name, curve.slice.sheets[name]) for name in names if name in curve.slice.sheets]
        clauses = [sheet_clause(name, sheet, "", curve.slice.confidence) for name, sheet in sheets]
        parts.append(f"along the {curve.name} " + ", ".join(clauses))
    parts.append("a barrier is the most that the loss stands above the dotted chord at these places")
    return sentence([*parts, *slice_clauses(modes.path)])

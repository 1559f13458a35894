"""R and the loss at the points of a session, in order."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from egregium.results import Session
from egregium.viz.captions import counted
from egregium.viz.labels import fixed_and_sampled, short, wrapped
from egregium.viz.palette import BLUE, VERMILLION
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.scales import set_vertical_scale

#: Fewer points are no course.
FEWEST = 3
#: Names on the axis at the most, and how long.
MOST_NAMES, LONGEST = 6, 14


def training_figure(session: Session) -> Picture | None:
    """R with its interval and the loss over the points of a session in their order; None for fewer than three."""
    measurements = list(session.measurements.values())
    if len(measurements) < FEWEST:
        return None
    curvatures = [m.scalar_curvature for m in measurements]
    at = np.arange(1, len(measurements) + 1)
    with style():
        figure = blank(4.0)
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[1.5, 1.0])
        _draw(top, at, [e.value for e in curvatures], VERMILLION)
        sides = [e.interval() for e in curvatures]
        _draw_whiskers(top, at, [e.value for e in curvatures], sides)
        said = set_vertical_scale(top, [e.value for e in curvatures])
        label_axes(top, "", wrapped(f"R = (tr S̃)² − |S̃|²_F, f² / θ⁴ where |g| is small{said}", 54))
        _draw(bottom, at, [m.loss for m in measurements], BLUE)
        said = set_vertical_scale(bottom, [m.loss for m in measurements])
        label_axes(bottom, "point, in the order of the session", f"loss f, units of the loss{said}")
        _name_points(bottom, list(session.measurements))
    return Picture(figure, "Scalar curvature R and loss, from point to point", _caption(session))


def _draw(ax: Axes, at: np.ndarray, values: Sequence[float], colour: str) -> None:
    known = np.where(np.isfinite(values), values, np.nan)
    ax.plot(at, known, "o-", color=colour, markersize=4.5, linewidth=1.2)
    ax.grid(axis="y")


def _draw_whiskers(ax: Axes, at: np.ndarray, values: Sequence[float], sides: Sequence[tuple[float, float]]) -> None:
    reach = np.array([(value - low, high - value) for value, (low, high) in zip(values, sides, strict=True)])
    sure = np.isfinite(reach).all(1) & (reach > 0).any(1)
    if sure.any():
        y = np.asarray(values)[sure]
        ax.errorbar(at[sure], y, reach[sure].T, fmt="none", ecolor=VERMILLION, elinewidth=1.3, capsize=2.2)


def _name_points(ax: Axes, names: Sequence[str]) -> None:
    """The points' names, some of them where there are many, the first and the last always."""
    shown = np.unique(np.linspace(0, len(names) - 1, min(len(names), MOST_NAMES)).round().astype(int))
    words = [short(names[j], LONGEST) for j in shown]
    ax.set_xticks(shown + 1, words)
    if sum(map(len, words)) > 48:
        ax.tick_params(axis="x", labelrotation=25)
        for text in ax.get_xticklabels():
            text.set_horizontalalignment("right")


def _caption(session: Session) -> str:
    measurements = session.measurements.values()
    caption = fixed_and_sampled([m.scalar_curvature for m in measurements], "the whiskers")
    holes = sum(not np.isfinite([m.loss, m.scalar_curvature.value]).all() for m in measurements)
    missing = f"; {counted(holes, 'point')} without a finite value left out" if holes else ""
    return caption.removesuffix(".") + missing + "."

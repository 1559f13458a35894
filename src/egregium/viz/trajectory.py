"""Checkpoints projected on a plane, and how far the plane is from them."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from egregium.results import Sheet, Trajectory
from egregium.viz.captions import counted, sentence, sheet_clause, slice_clauses
from egregium.viz.colours import ONE_SIGN
from egregium.viz.contours import draw_contours
from egregium.viz.interpolation import between
from egregium.viz.labels import TickFormatter, short, wrapped
from egregium.viz.palette import BLUE, INK, MUTED, VERMILLION
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.scales import round_ticks, set_vertical_scale

#: Checkpoints up to which each has its name on the axis.
FEW_NAMES = 5
#: Share of the width beside either border in which a name is written inwards.
ENDS = 0.2
#: Area of a checkpoint in the plane, and what the furthest from it has in addition, in square points.
AREA, MORE = 22.0, 70.0


def trajectory_figure(trajectory: Trajectory) -> Picture:
    """The plane's loss with the projected checkpoints; below, their own losses beside the plane's, and the distances.

    A checkpoint's loss is not the plane's at its projection: both are drawn, with the distance between the two points.
    """
    with style():
        figure = blank(7.2)
        top, middle, bottom = figure.subplots(3, 1, height_ratios=[4.2, 1.3, 0.9])
        _draw_map(top, trajectory)
        _draw_losses(middle, trajectory)
        _draw_distances(bottom, trajectory)
    return Picture(figure, "Training, projected on a plane", _caption(trajectory))


def _draw_map(ax: Axes, t: Trajectory) -> None:
    """Contours of the plane's loss, and the checkpoints coloured and sized by their distance from the plane."""
    sheet, at = _loss(t), np.asarray(t.coordinates, dtype=float)
    colours, shares = _by_distance(t)
    if sheet is not None:
        draw_contours(ax, sheet.a, sheet.b, sheet.values)
    ax.plot(at[:, 0], at[:, 1], color=MUTED, linewidth=1.1, zorder=3)
    known = np.isfinite(at).all(1)
    ax.scatter(at[known, 0], at[known, 1], AREA + MORE * shares[known], colours[known], edgecolors=INK, zorder=4)
    _name_ends(ax, t.names, at)
    axes = t.plane.axes if t.plane is not None else ("first direction", "second direction")
    x, y = (wrapped(_with_share(name, share)) for name, share in zip(axes, t.explained, strict=False))
    label_axes(ax, x, y)
    ax.margins(0.08)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(round_ticks(7))
        axis.set_major_formatter(TickFormatter())


def _with_share(axis: str, share: float) -> str:
    """An axis with its share of the squared distances, where its name does not have it."""
    told = math.isnan(share) or "%)" in axis
    return axis if told else f"{axis}, {100 * share:.3g} % of the squared distances"


def _by_distance(t: Trajectory) -> tuple[np.ndarray, np.ndarray]:
    """Of each checkpoint: a colour, and the share of the greatest distance from the plane that is its own."""
    apart = np.nan_to_num(np.asarray(t.apart, dtype=float), posinf=0.0)
    shares = apart / (float(apart.max(initial=0.0)) or 1.0)
    colours = np.asarray(colormaps[ONE_SIGN](shares))
    colours[~np.isfinite(np.asarray(t.apart, dtype=float))] = 0  # unknown: a hollow circle
    return colours, shares


def _name_ends(ax: Axes, names: tuple[str, ...], at: np.ndarray) -> None:
    """The names of the first and the last checkpoint, on the side that the line does not come from."""
    last = len(names) - 1
    for j, beside in {0: min(1, last), last: max(last - 1, 0)}.items() if names else ():
        if not np.isfinite(at[j]).all():
            continue
        away = np.nan_to_num(at[j] - at[beside])
        left, right = ax.get_xlim()
        place = (float(at[j, 0]) - left) / (right - left)
        rightwards = place < ENDS if place < ENDS or place > 1 - ENDS else bool(away[0] > 0)
        ax.annotate(
            short(names[j], 24),
            (float(at[j, 0]), float(at[j, 1])),
            xytext=(8 if rightwards else -8, 7 if away[1] >= 0 else -7),
            textcoords="offset points",
            ha="left" if rightwards else "right",
            va="bottom" if away[1] >= 0 else "top",
            fontweight="bold",
            zorder=5,
        )


def _draw_losses(ax: Axes, t: Trajectory) -> None:
    """f at the checkpoints, and the plane's loss at their projections."""
    own, there = np.asarray(t.losses, dtype=float), plane_losses(t)
    order = np.arange(1, own.size + 1)
    ax.plot(order, np.where(np.isfinite(own), own, np.nan), "o-", color=BLUE, markersize=4, linewidth=1.3)
    ax.plot(order, there, "s--", color=VERMILLION, markersize=3.5, linewidth=1.1, markerfacecolor="none")
    said = set_vertical_scale(ax, [*own.tolist(), *there.tolist()])
    label_axes(ax, "", f"loss f{said}", lift=1.06)
    ends = [("━● of the checkpoints", BLUE), ("╌□ of the plane, at their projections", VERMILLION)]
    for row, (words, colour) in enumerate(ends[: 2 if np.isfinite(there).any() else 1]):
        place = (0, 3 + 12 * row)
        ax.annotate(words, (1, 1), place, "axes fraction", "offset points", ha="right", va="bottom", color=colour)
    ax.grid(axis="y")
    ax.tick_params(labelbottom=False)
    ax.set_xlim(0.4, own.size + 0.6)
    ax.xaxis.set_major_locator(round_ticks(6, whole=True))


def _draw_distances(ax: Axes, t: Trajectory) -> None:
    """How far each checkpoint is from the plane."""
    apart = np.asarray(t.apart, dtype=float)
    order = np.arange(1, apart.size + 1)
    colours, _ = _by_distance(t)
    ax.bar(order, np.where(np.isfinite(apart), apart, 0.0), 0.5, color=colours, edgecolor=INK, linewidth=0.6)
    label_axes(ax, "checkpoint, in order", "distance from the plane, θ", lift=1.08)
    ax.yaxis.set_major_locator(round_ticks(3))
    ax.yaxis.set_major_formatter(TickFormatter())
    ax.set_xlim(0.4, apart.size + 0.6)
    ax.set_ylim(0, 1.08 * float(apart[np.isfinite(apart)].max(initial=0.0)) or 1.0)
    ax.xaxis.set_major_locator(round_ticks(6, whole=True))
    if len(t.names) <= FEW_NAMES:
        ax.set_xticks(order, [short(name, 11) for name in t.names])


def plane_losses(t: Trajectory) -> np.ndarray:
    """The plane's loss at each projection, between its places; NaN where the plane does not reach or has a hole."""
    sheet = _loss(t)
    at = np.asarray(t.coordinates, dtype=float)
    if sheet is None or min(sheet.values.shape) < 2:
        return np.full(len(at), np.nan)
    return np.array([between(sheet.values, sheet.a, sheet.b, [x], [y])[0, 0] for x, y in at])


def _loss(t: Trajectory) -> Sheet | None:
    return None if t.plane is None else t.plane.sheets.get("loss")


def _caption(t: Trajectory) -> str:
    sheet, there = _loss(t), plane_losses(t)
    parts = ["Model, data, the plane and the checkpoints are fixed, and nothing of the checkpoints is random"]
    parts.append(
        "circles are their nearest points of the plane, with the size and colour of their distance from it, as the bars"
    )
    if t.plane is not None and sheet is not None:
        parts.append(sheet_clause("loss", sheet, "contours", t.plane.confidence))
        parts.append("below, a checkpoint's own loss beside the plane's at its projection, which is another point")
        missing = int((~np.isfinite(there)).sum())
        if missing:
            parts.append(f"{counted(missing, 'projection')} outside of the grid or beside a hole")
    lost, unknown = (int((~np.isfinite(np.asarray(part, dtype=float))).sum()) for part in (t.losses, t.apart))
    parts.append(f"{counted(lost, 'checkpoint')} without a finite loss left out below" if lost else "")
    parts.append(f"{counted(unknown, 'distance')} unknown, their circles hollow" if unknown else "")
    return sentence([*parts, *(slice_clauses(t.plane) if t.plane is not None else [])])

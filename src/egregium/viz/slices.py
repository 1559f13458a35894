"""Slices of a landscape: quantities along a line or path, and over a plane."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from egregium.results import QUANTITIES, QuantityName, Sheet, Slice
from egregium.viz.captions import slice_caption
from egregium.viz.colours import colour_bar, draw_cells, with_widest
from egregium.viz.contours import draw_contours
from egregium.viz.labels import TickFormatter, wrapped
from egregium.viz.lines import draw_curve, hatch_holes, known_values
from egregium.viz.palette import BLUE, GREEN, HALO, INK, MUTED, ON_CELLS, PURPLE, VERMILLION
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.scales import round_ticks, set_vertical_scale

#: One colour for each quantity, the same in every picture.
COLOURS: Mapping[QuantityName, str] = {
    "loss": BLUE,
    "scalar_curvature": VERMILLION,
    "gradient_norm": GREEN,
    "accuracy": PURPLE,
    "mean_curvature": VERMILLION,
    "largest_eigenvalue": GREEN,
}
#: Short names with units for colour bars, which are narrow.
SYMBOLS: Mapping[QuantityName, str] = {
    "loss": "loss f",
    "scalar_curvature": "R\nf² / θ⁴",
    "gradient_norm": "|g|\nf / θ",
    "accuracy": "accuracy",
    "mean_curvature": "tr S̃ / n\nf / θ²",
    "largest_eigenvalue": "λ max\nf / θ²",
}
#: Height of a panel in inches, and how far above it its name stands.
PANEL, LIFT = 1.45, 1.05
#: Ratio of the sides up to which a plane is drawn to scale.
OBLONG = 3.0


def slice_figures(slice: Slice) -> list[Picture]:
    """The pictures of a slice: stacked panels of a line or path; of a plane R under contours of the loss, and the rest.

    A plane without R or without a loss has the other alone, and every further quantity a picture of its own.
    """
    if not slice.sheets:
        return []
    if slice.kind != "plane":
        return [_stack(slice)]
    first: QuantityName | None = next((name for name in ("scalar_curvature", "loss") if name in slice.sheets), None)
    rest = [name for name in slice.sheets if name not in ("loss", "scalar_curvature")]
    return [_plane(slice, name) for name in [*([first] if first else []), *rest]]


def _stack(of: Slice) -> Picture:
    """One panel a quantity over the shared coordinate."""
    with style():
        figure = blank(0.6 + PANEL * len(of.sheets))
        panels = figure.subplots(len(of.sheets), 1, sharex=True, squeeze=False)[:, 0]
        for ax, (name, sheet) in zip(panels, of.sheets.items(), strict=True):
            centre = of.kind == "line" and _within(sheet)
            if centre:
                ax.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
            draw_curve(ax, sheet, COLOURS[name])
            hatch_holes(ax, sheet)
            if name == "loss" and centre and np.isfinite(of.centre):
                ax.plot(0, of.centre, "D", color=INK, markersize=4.5, zorder=5)
            finish_panel(ax, name, known_values(sheet))
        label_coordinate(panels[-1], of.axes[0])
    line = of.kind == "line"
    caption = slice_caption(of, [(name, "") for name in of.sheets], "the dashed line marks the centre" if line else "")
    return Picture(figure, f"The landscape along a {of.kind}", caption)


def _plane(of: Slice, name: QuantityName) -> Picture:
    """One quantity as colour, the loss as contours above R and above itself."""
    sheet, loss = of.sheets[name], of.sheets.get("loss")
    above = loss is not None and name in ("loss", "scalar_curvature")
    with style():
        figure = blank(4.6 if above else 3.8)
        ax = figure.add_subplot()
        mesh = draw_cells(ax, sheet.a, sheet.b, sheet.values)
        if above and loss is not None:
            draw_contours(ax, loss.a, loss.b, loss.values, on_cells=True)
        _mark_measured(ax, sheet)
        ax.plot(0, 0, "o", color=ON_CELLS, markersize=6, markeredgecolor=HALO, zorder=4)
        if known_values(sheet):
            colour_bar(figure, mesh, ax, with_widest(SYMBOLS[name], sheet.half_widths))
        _frame(ax, of)
    shown: list[tuple[QuantityName, str]] = [(name, "colour")]
    if above and name != "loss":
        shown.append(("loss", "contours"))
    title = f"{QUANTITIES[name][0]} over a plane"
    return Picture(figure, title[0].upper() + title[1:], slice_caption(of, shown, "the dot is the centre"))


def finish_panel(ax: Axes, name: QuantityName, values: list[float]) -> None:
    """Name the vertical axis with its unit, on a scale that fits `values`."""
    quantity, unit = QUANTITIES[name]
    said = set_vertical_scale(ax, values)
    label_axes(ax, "", wrapped(f"{quantity}, {unit}{said}"), lift=LIFT)
    ax.grid(axis="y")
    if not values:
        ax.set_yticks([])


def label_coordinate(ax: Axes, label: str) -> None:
    """Name the coordinate of stacked panels, under the lowest."""
    ax.set_xlabel(wrapped(label), loc="left")
    ax.xaxis.set_major_locator(round_ticks(7))
    ax.xaxis.set_major_formatter(TickFormatter())


def _mark_measured(ax: Axes, sheet: Sheet) -> None:
    """Tiny dots at the places where an adaptive grid looked."""
    looked = np.asarray(sheet.measured, dtype=bool)
    if looked.all():
        return
    a, b = np.meshgrid(np.asarray(sheet.a, dtype=float), np.asarray(sheet.b, dtype=float))
    ax.plot(a[looked], b[looked], "o", color=HALO, markersize=1.8, markeredgecolor=ON_CELLS, markeredgewidth=0.35)


def _frame(ax: Axes, of: Slice) -> None:
    """Names of both axes; to scale where that is not too oblong."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    wide, tall = (right - left) * of.lengths[0], (high - low) * of.lengths[-1]
    if wide < OBLONG * tall and tall < OBLONG * wide:
        ax.set_aspect(of.lengths[-1] / of.lengths[0])
    label_axes(ax, wrapped(of.axes[0]), wrapped(of.axes[-1]))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(round_ticks(7))
        axis.set_major_formatter(TickFormatter())


def _within(sheet: Sheet) -> bool:
    """Whether the centre lies between the places."""
    return bool(sheet.a.numel()) and float(sheet.a.min()) <= 0 <= float(sheet.a.max())

"""Points side by side, and by what share of the first point's value each number differs there."""

import math
import re

from egregium.results import Comparison, Difference
from egregium.viz.curvature import curvatures_figure
from egregium.viz.labels import short
from egregium.viz.palette import MUTED, VERMILLION
from egregium.viz.picture import Picture, blank, style
from egregium.viz.rows import ROW, draw_row, finish_rows, logarithmic, wild

#: Groups of quantities that are drawn; the terms of R stand in the table.
DRAWN = ("curvature", "spectrum")
#: A lowered letter that a picture cannot set.
FROBENIUS = re.compile(r"\|([HG])\|_F")


def points_figure(comparison: Comparison) -> Picture:
    """R at each point with its interval at the comparison's level; a symlog axis where magnitudes differ wildly."""
    return curvatures_figure(comparison.quantities[0].values)


def differences_figure(comparison: Comparison, name: str) -> Picture | None:
    """What each number at `name` differs by from the first point's, in % of its size there; None where there is none.

    Coloured where the interval of the difference lies on one side of 0, grey where it holds 0.
    """
    shares = _shares(comparison, name)
    if not shares:
        return None
    many = wild(list(shares.values()))
    with style():
        figure = blank(0.8 + ROW * len(shares))
        ax = figure.add_subplot()
        if many:
            logarithmic(ax, shares.values())
        for y, (quantity, share) in enumerate(shares.items()):
            draw_row(ax, y, quantity, share, MUTED if share.verdict == "not distinguished" else VERMILLION)
        label = f"difference in % of the value at {short(comparison.first, 24)}"
        finish_rows(ax, len(shares), label + (", symmetric logarithmic axis" if many else ""))
    caption = (
        "Each number less that of the first point, as a share of its size there; the whiskers are the "
        f"{100 * comparison.confidence:g} % interval of the difference, no wider than the mark where none is seen. "
        "Grey: the interval holds 0."
    )
    return Picture(figure, "What differs, and by how much", caption)


def _shares(comparison: Comparison, name: str) -> dict[str, Difference]:
    """By quantity, the difference in % of the first point's value; without those that vanish there."""
    shares = {}
    for quantity in comparison.quantities:
        found = quantity.differences.get(name)
        if found is None or quantity.group not in DRAWN:
            continue
        size = abs(quantity.values[comparison.first].value)
        if size > 0 and math.isfinite(found.value / size):
            shares[FROBENIUS.sub("Frobenius norm of \\1", quantity.name)] = found.over(size / 100)
    return shares

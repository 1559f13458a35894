"""A measure of a study's networks against a gap, a dot a network."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from egregium.results import Network, Study
from egregium.results.studied import GAPS, in_words, main_group, members, ranked
from egregium.viz.dots import (
    MANY,
    axis_name,
    can_be_drawn,
    column,
    draw_dots,
    half_widths,
    left_out,
    legend,
    levels,
    look,
    of_whom,
    scale_of,
    with_whiskers,
)
from egregium.viz.labels import short, typeset
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.scales import set_axis


def scatter_figure(study: Study, measure: str, gap: str) -> Picture | None:
    """A measure against a gap, a dot a network that counts; None where there are none.

    Architectures are told apart by colour and shape, two optimisers by filled and hollow marks.
    """
    group = main_group(study)
    everyone = members(study, group)
    shown = [one for one in everyone if can_be_drawn(one, measure, gap)]
    if not shown:
        return None
    x, y = column(shown, measure), column(shown, gap)
    scale = scale_of(x)
    with style():
        figure = blank(3.1)
        ax = figure.add_subplot()
        set_axis(ax, "x", with_whiskers(x, half_widths(shown, measure), scale), scale)
        set_axis(ax, "y", y, "linear")
        ax.grid(axis="y")
        handles = _clouds(ax, shown, measure, gap)
        label_axes(ax, axis_name(measure, study, scale), GAPS.get(gap, gap), lift=1.04)
        legend(figure, handles)
    name = "R" if measure == "scalar_curvature" else short(in_words(measure), 60)
    said = [of_whom(study, group, shown, measure), _ranks(study, measure, gap), left_out(study, everyone, shown)]
    return Picture(figure, f"{name} and the {GAPS.get(gap, gap)}, a dot a network", " ".join(filter(None, said)))


def _clouds(ax: Axes, shown: Sequence[Network], measure: str, gap: str) -> dict[str, Line2D]:
    """The dots of each architecture and optimiser; what its marks look like, by what it is called."""
    optimisers = levels(shown, "optimiser")
    apart = optimisers if len(optimisers) == 2 else [None]
    handles = {}
    for i, kind in enumerate(levels(shown, "architecture")):
        for optimiser in apart:
            some = [one for one in shown if _is(one, kind, optimiser)]
            if some:
                mark = look(i, hollow=optimiser is not None and optimiser == apart[-1], many=len(shown) > MANY)
                x, y, half = column(some, measure), column(some, gap), half_widths(some, measure)
                words = ", ".join(short(str(part), 24) for part in (kind, optimiser) if part is not None)
                handles[words] = draw_dots(ax, x, y, half, "x", mark)
    return handles


def _is(network: Network, kind: object, optimiser: object) -> bool:
    setting = network.setting
    return setting.get("architecture", "") == kind and optimiser in (None, setting.get("optimiser", ""))


def _ranks(study: Study, measure: str, gap: str) -> str:
    known = [each.tau for each in ranked(study, gap, main_group(study)) if each.measure == measure]
    return f"Kendall’s tau is {typeset(str(known[0]))}." if known and math.isfinite(known[0].value) else ""

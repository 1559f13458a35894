"""R and the gaps along one hyper-parameter of a study at a time."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from egregium.results import Network, Study
from egregium.results.studied import GAPS, in_words, main_group, members
from egregium.viz.dots import (
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
from egregium.viz.labels import short, typeset, wrapped
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.scales import set_axis

#: What is drawn, from the top, and the height of each in inches.
PANELS, PANEL = ("scalar_curvature", *GAPS), 1.3
#: Levels beyond which it is no picture, and those that are written out at the most.
MOST_LEVELS, MOST_WRITTEN = 24, 8
#: How far architectures stand apart at a level.
APART = 0.16

Level = tuple[Any, ...]


def sweep_figures(study: Study) -> list[Picture]:
    """R and the gaps against the level of each sweep beside the main one, every seed a dot."""
    others = [name for name in study.sweeps if members(study, name) != members(study, main_group(study))]
    return [picture for name in others if (picture := _sweep(study, name)) is not None]


def _sweep(study: Study, name: str) -> Picture | None:
    everyone = members(study, name)
    varied = sorted(_varied(everyone), key=lambda one: in_words(one) != in_words(name))
    places = _places(everyone, varied)
    shown = [one for one in everyone if any(can_be_drawn(one, panel) for panel in PANELS)]
    panels = [panel for panel in PANELS if any(can_be_drawn(one, panel) for one in shown)]
    if not panels or not 1 < len(places) <= MOST_LEVELS:
        return None
    with style():
        figure = blank(0.8 + PANEL * len(panels))
        axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        handles: dict[str, Line2D] = {}
        for ax, panel in zip(axes, panels, strict=True):
            at = {id(one): places[_level(one, varied)] for one in shown if can_be_drawn(one, panel)}
            handles |= _panel(ax, study, panel, shown, at)
        _name_levels(axes[-1], list(places), " and ".join(map(in_words, varied)))
        legend(figure, handles)
    words = [of_whom(study, name, shown, PANELS[0]), left_out(study, everyone, shown)]
    return Picture(figure, f"R and the gaps by {short(in_words(name), 40)}", " ".join(filter(None, words)))


def _varied(networks: Sequence[Network]) -> list[str]:
    """Hyper-parameters of which an architecture has several levels."""
    names = list(
        dict.fromkeys(name for one in networks for name in one.setting if name not in ("seed", "architecture"))
    )
    kinds = [
        [one for one in networks if one.setting.get("architecture", "") == k] for k in levels(networks, "architecture")
    ]
    return [name for name in names if any(len(levels(some, name)) > 1 for some in kinds)]


def _level(network: Network, varied: Sequence[str]) -> Level:
    return tuple(network.setting.get(name, "") for name in varied)


def _places(networks: Sequence[Network], varied: Sequence[str]) -> dict[Level, int]:
    """Where each level stands: numbers in their order, words as they come."""
    found = list(dict.fromkeys(_level(one, varied) for one in networks))
    if all(isinstance(part, (int, float)) for level in found for part in level):
        found.sort()
    return {level: i for i, level in enumerate(found)}


def _panel(ax: Axes, study: Study, name: str, shown: Sequence[Network], at: dict[int, int]) -> dict[str, Line2D]:
    """One number along the levels, architectures side by side."""
    known = [one for one in shown if id(one) in at]
    values = column(known, name)
    scale = scale_of(values)
    set_axis(ax, "y", with_whiskers(values, half_widths(known, name), scale), scale)
    ax.grid(axis="y")
    kinds, handles = levels(shown, "architecture"), {}
    for i, kind in enumerate(kinds):
        some = [one for one in known if one.setting.get("architecture", "") == kind]
        if some:
            x = np.array([at[id(one)] + APART * (i - (len(kinds) - 1) / 2) for one in some])
            words = short(str(kind), 24)
            handles[words] = draw_dots(ax, x, column(some, name), half_widths(some, name), "y", look(i))
    label_axes(ax, "", axis_name(name, study, scale), lift=1.06)
    return handles


def _name_levels(ax: Axes, known: Sequence[Level], name: str) -> None:
    written = range(0, len(known), math.ceil(len(known) / MOST_WRITTEN))
    words = [wrapped(", ".join(_written(part) for part in known[i]), 14, 40) for i in written]
    ax.set_xticks(list(written), words)
    ax.set_xlim(-0.5, len(known) - 0.5)
    ax.set_xlabel(short(name, 60), loc="left")


def _written(level: object) -> str:
    return typeset(f"{level:g}") if isinstance(level, float) else short(str(level), 20)

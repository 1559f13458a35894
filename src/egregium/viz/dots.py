"""Networks of a study as dots: their numbers, their marks, their whiskers, and what a caption says of them."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from egregium.results import Network, Study
from egregium.results.charts import Scale
from egregium.results.studied import GAPS, LEFT_OUT, group_in_words, in_words
from egregium.viz.captions import counted
from egregium.viz.chart import COLOURS, MARKS
from egregium.viz.labels import lowered, short
from egregium.viz.scales import EDGE

#: Size of a dot, and of one among many.
DOT, SMALL, MANY = 5.0, 4.2, 60
#: Share of an axis that a mark covers, of which nothing of a whisker is drawn: hollow marks stay hollow.
COVERED = {"x": 0.009, "y": 0.035}


def can_be_drawn(network: Network, *names: str) -> bool:
    """Whether a network counts and has these numbers."""
    return network.status == "trained" and all(math.isfinite(network.numbers.get(name, math.nan)) for name in names)


def column(networks: Sequence[Network], name: str) -> np.ndarray:
    """One number of each."""
    return np.array([network.numbers[name] for network in networks], dtype=float)


def half_widths(networks: Sequence[Network], name: str) -> np.ndarray:
    """Of the intervals of one number of each."""
    return np.array([network.half_widths.get(name, math.nan) for network in networks], dtype=float)


def levels(networks: Sequence[Network], name: str) -> list[Any]:
    """The levels of a hyper-parameter, in order of appearance."""
    return list(dict.fromkeys(network.setting.get(name, "") for network in networks))


def scale_of(values: np.ndarray) -> Scale:
    """Logarithmic where all are positive and more than a decade apart."""
    return "log" if values.min() > 0 and values.max() > 10 * values.min() else "linear"


def axis_name(name: str, study: Study, scale: Scale) -> str:
    """What stands beside an axis."""
    meaning = lowered(study.measures.get(name, ""))
    words = GAPS.get(name) or in_words(name)
    both = f"{words}, {meaning}" if meaning and not meaning.endswith("|_F") else words
    return short(both, 60) + (", logarithmic axis" if scale == "log" else "")


def look(i: int, *, hollow: bool = False, many: bool = False) -> dict[str, Any]:
    """The mark of the i-th kind, told from others without its colour too."""
    colour = COLOURS[i % len(COLOURS)]
    return {
        "linestyle": "none",
        "color": colour,
        "marker": MARKS[i % len(MARKS)],
        "markersize": SMALL if many else DOT,
        "markerfacecolor": "none" if hollow else colour,
        "zorder": 4,
    }


def with_whiskers(values: np.ndarray, half: np.ndarray, scale: Scale) -> np.ndarray:
    """What an axis must show: the numbers, and ends of their intervals that do not stretch it to 0."""
    low, high = values - half, values + half
    ends = np.concatenate([low[low > EDGE * values] if scale == "log" else low, high])
    return np.concatenate([values, ends[np.isfinite(ends)]])


def draw_dots(
    ax: Axes, x: np.ndarray, y: np.ndarray, half: np.ndarray, way: Literal["x", "y"], mark: dict[str, Any]
) -> Line2D:
    """Dots, and along one axis their whiskers, outside of the marks; none goes beyond the axes."""
    values, across = (x, y) if way == "x" else (y, x)
    covered, look = COVERED[way], {"color": mark["color"], "linewidth": 0.9, "zorder": 2}
    at, low, high = (_share(ax, end, way) for end in (values, values - half, values + half))
    draw, place = (ax.hlines, ax.get_yaxis_transform()) if way == "x" else (ax.vlines, ax.get_xaxis_transform())
    for end, side in ((low, -1), (high, 1)):
        seen = side * (end - at) > covered
        if seen.any():
            draw(across[seen], at[seen] + side * covered, end[seen], transform=place, **look)
    (drawn,) = ax.plot(x, y, **mark)
    return drawn


def _share(ax: Axes, values: np.ndarray, way: str) -> np.ndarray:
    """Where numbers lie on an axis, from 0 to 1."""
    ends = ax.get_xlim() if way == "x" else ax.get_ylim()
    known = np.where(np.isfinite(values), np.clip(values, *ends), np.nan)
    if (ax.get_xscale() if way == "x" else ax.get_yscale()) == "log":
        known, ends = np.log(known), (math.log(ends[0]), math.log(ends[1]))
    return np.asarray((known - ends[0]) / (ends[1] - ends[0]))


def legend(figure: Figure, handles: dict[str, Line2D]) -> None:
    """Below the axes, where there is more than one kind."""
    if len(handles) > 1:
        longest = max(map(len, handles))
        columns = min(max(int(52 / (longest + 4)), 1), len(handles), 4)
        place: dict[str, Any] = {"loc": "outside lower left", "ncols": columns, "borderaxespad": 0.0}
        figure.legend(list(handles.values()), list(handles), frameon=False, borderpad=0.2, handletextpad=0.2, **place)


def of_whom(study: Study, group: str, shown: Sequence[Network], sampled: str) -> str:
    """Which networks are drawn, what is fixed, and what of their numbers was sampled."""
    said = (
        f"{counted(len(shown), 'network')} of {short(group_in_words(study, group), 60)}; data and the common loss are "
        "fixed, settings and seeds differ"
    )
    if any(one.half_widths.get(sampled, 0.0) > 0 for one in shown):
        name = "R" if sampled == "scalar_curvature" else in_words(sampled)
        said += (
            f". {name} was sampled with random probes: whiskers are its {100 * study.confidence:g} % intervals, no "
            "wider than the mark where none is seen"
        )
    return f"{said}."


def left_out(study: Study, everyone: Sequence[Network], shown: Sequence[Network]) -> str:
    """How many of a group are not drawn, and why."""
    said = [
        f"{count:,} {word}"
        for status, word in LEFT_OUT.items()
        if (count := sum(one.status == status for one in everyone))
    ]
    if odd := sum(one.status == "trained" for one in everyone) - len(shown):
        said.append(f"{odd:,} without a finite number")
    words = [f"Left out: {', '.join(said)}."] if said else []
    if missing := study.planned - len(study.networks):
        words.append(f"Of the whole plan {missing:,} {'is' if missing == 1 else 'are'} still to be trained.")
    return " ".join(words)

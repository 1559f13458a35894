"""How measures rank the generalisation gap: each with its intervals in a row, and by hyper-parameter in cells."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from egregium.results import Between, Ranking, Study
from egregium.results.studied import GAPS, group_in_words, in_words, main_group, ranked
from egregium.viz.labels import lowered, short, typeset, wrapped
from egregium.viz.palette import BLUE, INK, MUTED, ON_CELLS
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.scales import round_ticks

#: The measure that the library is about.
R = "scalar_curvature"
#: Height of a row in inches; how far its words stand above its mark, in points; in rows, how far Psi stands below it,
#: and how far the mark at zero reaches beyond both.
ROW, LIFT, BELOW, ZERO = 0.46, 6.0, 0.24, 0.12
#: Characters that fit beside a printed interval.
MOST = 38
#: Rows of cells: height in inches, characters of a line of a name, and the share of the width that names take.
CELL, LINE, NAME = 0.36, 16, 0.31
#: Columns beyond which a cell has room for one decimal only.
ROOMY = 7
#: Psi of -1, 0 and 1: blue and vermillion, light enough for black numbers on them.
SHADES = LinearSegmentedColormap.from_list("psi", ["#4a9bcb", "#d3e6f2", "#f9dfcf", "#e6864a"])


def tau_figure(study: Study, gap: str) -> Picture | None:
    """Kendall's tau of every measure with a gap, the largest on top, and Psi below it; None where nothing is ranked."""
    group = main_group(study)
    rows = ranked(study, gap, group)
    if not rows:
        return None
    within = any(each.granulated is not None for each in rows)
    with style():
        figure = blank(1.05 + ROW * len(rows))
        ax = figure.add_subplot()
        for y, each in enumerate(rows):
            _row(ax, y, each, _named(each.measure, study))
        label_axes(ax, f"rank correlation with the {GAPS.get(gap, gap)}", "")
        ax.set_ylim(len(rows) - 0.45, -0.9)
        ax.set_xlim(*_reach(rows))
        ax.yaxis.set_visible(False)
        ax.xaxis.set_major_locator(round_ticks(6))
        ax.xaxis.set_major_formatter(lambda x, _: typeset(f"{x:.2g}"))
        if within:
            _legend(figure, ax)
    title = f"How each measure ranks the {GAPS.get(gap, gap)}"
    return Picture(figure, title, _tau_caption(study, group, rows, within))


def _row(ax: Axes, y: int, each: Ranking, name: str) -> None:
    """Name and tau in words, below them tau as a disc and Psi as a diamond, with their intervals; R stands out."""
    colour, weight = (BLUE, "bold") if each.measure == R else (INK, "normal")
    if each.measure == R:
        ax.axhspan(y - 0.62, y + 0.36, color=BLUE, alpha=0.1, linewidth=0)
    ax.plot([0, 0], [y - ZERO, y + BELOW + ZERO], color=MUTED, linewidth=0.9, zorder=1)
    _mark(ax, y, each.tau, colour, "o")
    if each.granulated is not None:
        _mark(ax, y + BELOW, each.granulated, colour if each.measure == R else MUTED, "D")
    for x, words, side in ((0.0, name, "left"), (1.0, _printed(each.tau), "right")):
        ax.annotate(
            words,
            (x, y),
            (3 if side == "left" else -3, LIFT),
            ("axes fraction", "data"),
            "offset points",
            ha=side,
            va="bottom",
            color=colour,
            fontweight=weight,
        )


def _mark(ax: Axes, y: float, found: Between, colour: str, mark: str) -> None:
    if not math.isfinite(found.value):
        return
    hollow = mark == "D"
    if math.isfinite(found.high - found.low):
        ax.plot([found.low, found.high], [y, y], color=colour, linewidth=0.9 if hollow else 1.5, solid_capstyle="butt")
    face = "none" if hollow else colour
    ax.plot(found.value, y, mark, color=colour, markerfacecolor=face, markersize=4.2 if hollow else 6)


def _legend(figure: Figure, ax: Axes) -> None:
    (tau,) = ax.plot([], [], "o-", color=INK, markersize=6, linewidth=1.5)
    (psi,) = ax.plot([], [], "D-", color=MUTED, markerfacecolor="none", markersize=4.2, linewidth=0.9)
    names = ["Kendall’s tau", "Psi, within hyper-parameters"]
    figure.legend([tau, psi], names, loc="outside lower left", ncols=2, frameon=False, borderpad=0.2, borderaxespad=0)


def _reach(rows: Sequence[Ranking]) -> tuple[float, float]:
    """All intervals and 0, with room at the ends."""
    found = [one for each in rows for one in (each.tau, each.granulated) if one is not None]
    ends = [end for one in found for end in (one.value, one.low, one.high) if math.isfinite(end)]
    low, high = min([*ends, -0.05]), max([*ends, 0.05])
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _named(measure: str, study: Study) -> str:
    """A measure's name, and what it is where there is room."""
    name, meaning = in_words(measure), study.measures.get(measure, "")
    both = f"{name}, {lowered(meaning)}" if meaning else name
    return short(both if len(both) <= MOST and not meaning.endswith("|_F") else name, MOST)


def _printed(found: Between) -> str:
    if not math.isfinite(found.value):
        return "not known"
    return typeset(str(found)) if math.isfinite(found.high - found.low) else f"{found.value:.2f}"


def _tau_caption(study: Study, group: str, rows: Sequence[Ranking], within: bool) -> str:
    said = [
        f"{_networks(rows)} of {short(group_in_words(study, group), 60)}. Discs: Kendall’s tau of measure and gap, 1 "
        "where the larger measure always has the larger gap"
    ]
    if within:
        said.append("diamonds: Psi, the mean over hyper-parameters of tau among networks that differ in one alone")
    said.append(
        f"lines: {100 * study.confidence:g} % intervals. Data and the common loss are fixed; settings were drawn with "
        "replacement, all seeds of a setting together"
    )
    what = {each.measure: study.measures.get(each.measure, "") for each in rows}
    unsaid = [name for name, meaning in what.items() if lowered(meaning) not in _named(name, study)]
    meanings = [f"{short(in_words(name), 60)}: {what[name]}" for name in unsaid]
    return "; ".join(said) + "." + (f" {_capital('; '.join(meanings))}." if meanings else "")


def _networks(rows: Sequence[Ranking]) -> str:
    """How many, where measures may have been had of different ones."""
    counts = sorted({each.networks for each in rows})
    return f"{counts[0]:,} networks" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,} networks"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def granulated_figure(study: Study, gap: str) -> Picture | None:
    """Tau among networks that differ in one hyper-parameter alone, a cell each; None where no two networks do."""
    group = main_group(study)
    rows = ranked(study, gap, group)
    names = list(dict.fromkeys(name for each in rows for name in each.by))
    if not names:
        return None
    left = (NAME * (len(names) + 1.3) + 0.5) / (1 - NAME)  # in cells, half a cell of it before the first
    with style():
        figure = blank(1.0 + CELL * len(rows))
        ax = figure.add_subplot()
        for y, each in enumerate(rows):
            look: dict[str, Any] = {"color": BLUE, "fontweight": "bold"} if each.measure == R else {"color": INK}
            name = wrapped(in_words(each.measure), LINE, 2 * LINE)
            ax.text(-left, y, name, ha="left", va="center", linespacing=1.0, **look)
            for x, found in _cells(each, names):
                _cell(ax, (x, y), found, 2 if len(names) < ROOMY else 1)
        for x, name in [*enumerate(map(in_words, names)), (len(names) + 0.3, "mean, Psi")]:
            ax.text(x + 0.05, -0.65, short(name, 18), ha="left", va="bottom", rotation=40, rotation_mode="anchor")
        ax.set_xlim(-left, len(names) + 0.8)
        ax.set_ylim(len(rows) - 0.45, -2.7)
        ax.set_axis_off()
    caption = (
        f"Kendall’s tau of measure and {GAPS.get(gap, gap)} among networks of "
        f"{short(group_in_words(study, group), 60)} that differ in one hyper-parameter alone, averaged; on the right "
        "Psi, the mean of the row. Vermillion: the larger measure has the larger gap, blue: the smaller. Without "
        f"colour: the {100 * study.confidence:g} % interval holds 0. The order is that of tau over all."
    )
    return Picture(figure, f"The {GAPS.get(gap, gap)} within each hyper-parameter", caption)


def _cells(each: Ranking, names: Sequence[str]) -> list[tuple[float, Between | None]]:
    return [*((float(x), each.by.get(name)) for x, name in enumerate(names)), (len(names) + 0.3, each.granulated)]


def _cell(ax: Axes, place: tuple[float, float], found: Between | None, decimals: int) -> None:
    """Coloured where it can be told from 0; its number in any case."""
    x, y = place
    if found is None or not math.isfinite(found.value):
        ax.text(x, y, "–", ha="center", va="center", color=MUTED, fontsize=8.5)
        return
    told = found.low > 0 or found.high < 0
    if told:
        shade = to_hex(SHADES((1 + max(min(found.value, 1.0), -1.0)) / 2))
        ax.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=shade, linewidth=0))
    value = typeset(f"{round(found.value, decimals) + 0.0:.{decimals}f}")
    ax.text(x, y, value, ha="center", va="center", color=ON_CELLS if told else MUTED, fontsize=8.5)

"""How a number differs from one mini-batch to the next."""

import math

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from egregium.results import Estimate
from egregium.viz.captions import counted, sentence
from egregium.viz.labels import estimate_label, short
from egregium.viz.palette import BLUE, VERMILLION
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.scales import round_ticks, set_vertical_scale

#: Mini-batches up to which each has its whiskers; more have a band.
FEW = 80
#: Bars of the histogram at the most.
MOST_BINS = 20


def batches_figure(
    values: Float[Tensor, " k"], half_widths: Float[Tensor, " k"], whole: Estimate, name: str
) -> Picture:
    """The number of each mini-batch with its interval, sorted, beside their histogram; that of all data as a band."""
    each, half = np.asarray(values.double()), np.asarray(half_widths.double())
    finite = np.isfinite(each)
    order = np.argsort(each[finite])
    sorted_values, widths = each[finite][order], half[finite][order]
    with style():
        figure = blank(3.4)
        ax, beside = figure.subplots(1, 2, sharey=True, width_ratios=[4, 1])
        _draw_strip(ax, sorted_values, widths)
        for panel in (ax, beside):
            _draw_whole(panel, whole)
        said = set_vertical_scale(ax, [*sorted_values.tolist(), whole.value])
        if sorted_values.size:
            bins = _bins(sorted_values, logarithmic=ax.get_yscale() == "log")
            beside.hist(sorted_values, bins, orientation="horizontal", color=BLUE, alpha=0.45)
        label_axes(ax, "mini-batch, in order of its value", short(name, 40) + said)
        label_axes(beside, "batches", "")
        beside.tick_params(labelleft=False)
        ax.set_xlim(0, sorted_values.size + 1)
        for panel in (ax, beside):
            panel.xaxis.set_major_locator(round_ticks(5 if panel is ax else 2, whole=True))
        words = f"all data {estimate_label(whole)}"
        ax.annotate(words, (1, 1), (0, 18), "axes fraction", "offset points", ha="right", va="bottom", color=VERMILLION)
    title = f"{short(name, 40)} of single mini-batches"
    return Picture(figure, title[:1].upper() + title[1:], _caption(each, half, whole))


def _draw_strip(ax: Axes, values: np.ndarray, half: np.ndarray) -> None:
    at = np.arange(1, values.size + 1)
    ax.plot(at, values, "o", color=BLUE, markersize=4 if values.size <= FEW else 2)
    sure = np.isfinite(half) & (half > 0)
    if sure.any() and values.size <= FEW:
        ax.errorbar(at[sure], values[sure], half[sure], fmt="none", ecolor=BLUE, elinewidth=1.0, capsize=2)
    elif sure.any():
        ax.fill_between(at, values - half, values + half, where=sure, color=BLUE, alpha=0.25, linewidth=0)
    ax.grid(axis="y")


def _draw_whole(ax: Axes, whole: Estimate) -> None:
    low, high = whole.interval()
    if math.isfinite(low) and math.isfinite(high):
        ax.axhspan(low, high, color=VERMILLION, alpha=0.25, linewidth=0)
    if math.isfinite(whole.value):
        ax.axhline(whole.value, color=VERMILLION, linewidth=1.4)


def _bins(values: np.ndarray, *, logarithmic: bool) -> np.ndarray:
    """Equal steps of the axis that is drawn."""
    count = min(max(len(np.histogram_bin_edges(values, "auto")) - 1, 1), MOST_BINS)
    if logarithmic and values[0] < values[-1]:
        return np.asarray(np.geomspace(values[0], values[-1], count + 1))
    return np.histogram_bin_edges(values, count)


def _caption(values: np.ndarray, half: np.ndarray, whole: Estimate) -> str:
    finite = np.isfinite(values)
    lost = int((~finite).sum())
    unsure = int((finite & ~np.isfinite(half)).sum())
    level = f"{100 * whole.confidence:g} %"
    sampled = f"random probes were sampled, the whiskers and the band are {level} intervals over them"
    exact = whole.stderr == 0 and not half.any()  # NaN counts as unknown
    return sentence(
        [
            f"Model, parameters and the division into {counted(values.size, 'mini-batch')} are fixed",
            "nothing was sampled" if exact else sampled,
            "the line is the value of all data together",
            f"{counted(lost, 'batch')} without a finite value left out" if lost else "",
            f"{counted(unsure, 'batch')} without an interval" if unsure else "",
        ]
    )

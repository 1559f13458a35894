"""The principal curvatures at both ends, and the sectional curvatures of random planes."""

import math

import numpy as np
from matplotlib.axes import Axes

from egregium.results import Eigenpairs, Portrait, SectionalCurvatures
from egregium.viz.captions import counted, sentence
from egregium.viz.labels import TickFormatter, estimate_label, typeset
from egregium.viz.palette import BLUE, MUTED, VERMILLION
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.scales import round_ticks, set_vertical_scale
from egregium.viz.spectrum import BELOW_ONE, draw_density

#: Bars of the histogram at the most.
MOST_BINS = 40


def principal_figure(portrait: Portrait) -> Picture:
    """Principal curvatures at both ends with bounds; below, a histogram of sectional curvatures with their mean."""
    with style():
        figure = blank(4.6)
        top, bottom = figure.subplots(2, 1)
        _draw_ends(top, portrait)
        _draw_planes(bottom, portrait.sectional)
    return Picture(figure, "Principal and sectional curvatures", _caption(portrait))


def principal_density_figure(portrait: Portrait) -> Picture | None:
    """How all n principal curvatures are distributed, on a logarithmic axis with its band; None where it is not known.

    As the spectrum of a matrix: the axis reaches down to where one single curvature is seen.
    """
    density = portrait.density
    if density is None:
        return None
    one = 1 / (portrait.n * density.sigma * math.sqrt(2 * math.pi))
    with style():
        figure = blank(3.3)
        ax = figure.add_subplot()
        draw_density(ax, density, BELOW_ONE * one)
        ax.axhline(one, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        label_axes(ax, "principal curvature κ, f / θ²", "density, share of the curvatures per unit of κ", lift=1.06)
        ax.grid(axis="y")
        ax.xaxis.set_major_locator(round_ticks(5))
        ax.xaxis.set_major_formatter(TickFormatter())
    caption = (
        f"Model, data and parameters are fixed; {density.nodes.shape[0]} random start vectors were sampled and the "
        f"band is the bootstrap's at {100 * density.confidence:g} % over them, with every principal curvature smoothed "
        f"to a Gaussian of width {typeset(f'{density.sigma:.2g}')}, whose height for one alone is the dashed line."
    )
    return Picture(figure, "All principal curvatures", caption)


def _draw_ends(ax: Axes, portrait: Portrait) -> None:
    """A stem for each known principal curvature, in descending order, with its bounds and a gap between the ends."""
    largest, smallest = portrait.principal.largest, portrait.principal.smallest
    count, below = largest.values.numel(), smallest.values.numel()
    whole = count + below >= portrait.principal.n
    start = count + (0 if whole else 1)
    _stems(ax, np.arange(count), largest, BLUE)
    _stems(ax, start + np.arange(below)[::-1], smallest, VERMILLION)
    ax.axhline(0, color=MUTED, linewidth=0.9, zorder=0)
    names = [str(j + 1) for j in range(count)] + ([] if whole else ["…"])
    names += [f"{portrait.principal.n - j:,}" for j in reversed(range(below))]
    shown = range(0, len(names), max(math.ceil(len(names) / 9), 1))
    ax.set_xticks(list(shown), [names[j] for j in shown])
    said = set_vertical_scale(ax, [*largest.values.tolist(), *smallest.values.tolist()])
    label_axes(ax, "principal curvature, number in descending order", f"κ, f / θ²{said}")
    ax.grid(axis="y")


def _stems(ax: Axes, at: np.ndarray, pairs: Eigenpairs, colour: str) -> None:
    values, bounds = np.asarray(pairs.values, dtype=float), np.asarray(pairs.bounds, dtype=float)
    ax.vlines(at, 0, values, color=colour, linewidth=1.0, alpha=0.6)
    ax.plot(at, values, "o", color=colour, markersize=5)
    known = np.isfinite(bounds) & (bounds > 0)
    if known.any():
        ax.errorbar(at[known], values[known], bounds[known], fmt="none", ecolor=colour, elinewidth=1.4, capsize=2.5)


def _draw_planes(ax: Axes, sectional: SectionalCurvatures) -> None:
    """How the planes' sectional curvatures are distributed, with the mean and its interval."""
    known = _known(sectional)
    if known.size:
        bins = min(len(np.histogram_bin_edges(known, "auto")) - 1, MOST_BINS)
        ax.hist(known, bins, color=MUTED, alpha=0.55)
    low, high = sectional.mean.interval()
    if math.isfinite(low) and math.isfinite(high):
        ax.axvspan(low, high, color=BLUE, alpha=0.25, linewidth=0)
    if math.isfinite(sectional.mean.value):
        ax.axvline(sectional.mean.value, color=BLUE, linewidth=1.5)
    words = f"mean {estimate_label(sectional.mean)}"
    ax.annotate(words, (1, 1.03), xycoords="axes fraction", ha="right", va="bottom", color=BLUE)
    label_axes(ax, "sectional curvature K, f² / θ⁴ where |g| is small", "planes")
    ax.xaxis.set_major_locator(round_ticks(5))
    ax.xaxis.set_major_formatter(TickFormatter())
    ax.yaxis.set_major_locator(round_ticks(4, whole=True))
    ax.grid(axis="y")


def _known(sectional: SectionalCurvatures) -> np.ndarray:
    values = np.asarray(sectional.samples, dtype=float)
    return np.asarray(values[np.isfinite(values)])


def _caption(portrait: Portrait) -> str:
    sectional = portrait.sectional
    lost = sectional.samples.numel() - _known(sectional).size
    return sentence(
        [
            "Model, data and parameters are fixed",
            "each whisker holds a principal curvature, nothing was sampled for it but the start of an iteration",
            f"below, {counted(_known(sectional).size, 'plane')} sampled at random, the line is their mean with its "
            f"{100 * sectional.mean.confidence:g} % interval",
            f"{counted(lost, 'plane')} without a finite curvature left out" if lost else "",
        ]
    )

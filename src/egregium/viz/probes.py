"""How the estimate of R came about, probe by probe."""

import torch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from egregium.results import Estimate, Measurement
from egregium.viz.labels import estimate_label, tick
from egregium.viz.palette import BLUE, MUTED
from egregium.viz.picture import Picture, blank, label_axes, style
from egregium.viz.running import FEWEST, contributions, running_curvature

#: Dots beyond these are thinned: a picture, not the data.
MOST_DOTS = 400


def probes_figure(measurement: Measurement) -> Picture | None:
    """Each probe's contribution to R, and the running estimate with its narrowing interval.

    None where R is exact, or has fewer than three probes.
    """
    estimate = measurement.scalar_curvature
    samples = estimate.samples.double()
    if estimate.stderr == 0 or samples.ndim != 2 or samples.shape[0] < FEWEST:
        return None
    k = samples.shape[0]
    each, run = contributions(samples), running_curvature(estimate)
    dots = torch.linspace(0, k - 1, min(k, MOST_DOTS)).round().long()
    with style():
        figure = blank(3.3)
        ax = figure.add_subplot()
        ax.plot(dots + 1, each[dots], "o", color=MUTED, markersize=3, alpha=0.6, markeredgewidth=0)
        ax.fill_between(run.probes, run.lows, run.highs, color=BLUE, alpha=0.25, linewidth=0)
        ax.plot(run.probes, run.values, color=BLUE, linewidth=1.5)
        label_axes(ax, "probes", "R = (tr S̃)² − |S̃|²_F")
        ax.grid(axis="y")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.yaxis.set_major_formatter(FuncFormatter(tick))
        ax.xaxis.set_major_formatter(FuncFormatter(tick))
        ax.annotate(estimate_label(estimate), (1, 1.03), xycoords="axes fraction", ha="right", va="bottom", color=BLUE)
    return Picture(figure, "How the estimate of R came about", _caption(estimate, k))


def _caption(estimate: Estimate, k: int) -> str:
    thinned = f" ({MOST_DOTS} of them shown)" if k > MOST_DOTS else ""
    return (
        "Model, data, parameters and the deflated directions are fixed; each dot is what one random probe contributes"
        f"{thinned}, the line the estimate from the probes so far, the band its {100 * estimate.confidence:g} % "
        "interval."
    )

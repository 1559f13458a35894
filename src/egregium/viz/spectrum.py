"""The spectral density with its error, and the extreme eigenvalues."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from egregium.results import Eigenpairs, Measurement, SpectralDensity
from egregium.viz.labels import tick, typeset
from egregium.viz.palette import BLUE, MUTED, VERMILLION
from egregium.viz.picture import Picture, blank, label_axes, style

#: The axis begins this far below the height of one single eigenvalue.
BELOW_ONE = 0.05
#: Room above the highest peak, as a factor: the extreme eigenvalues are marked there.
HEADROOM = 12.0


def spectrum_figure(measurement: Measurement) -> Picture | None:
    """The spectral density on a logarithmic axis with its band, the extreme eigenvalues marked.

    The band is of +/- 2 stderr in documents of older versions. The axis reaches down to where one single eigenvalue is
    seen, so the delta at 0 does not hide the rest. None where the measurement has no density.
    """
    density = measurement.density
    if density is None:
        return None
    letter = "H" if measurement.operator == "hessian" else "G"
    one = 1 / (measurement.n * density.sigma * math.sqrt(2 * math.pi))
    floor = BELOW_ONE * one
    with style():
        figure = blank(3.3)
        ax = figure.add_subplot()
        draw_density(ax, density, floor)
        ax.axhline(one, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        _mark_extremes(ax, measurement.largest, measurement.smallest)
        share = "density, share of the eigenvalues per unit of λ"
        label_axes(ax, f"eigenvalue λ of {letter}, in units of f / θ²", share, lift=1.06)
        ax.grid(axis="y")
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.xaxis.set_major_formatter(FuncFormatter(tick))
    return Picture(figure, f"Spectrum of {letter}", _caption(density, measurement))


def draw_density(ax: Axes, density: SpectralDensity, floor: float) -> None:
    """The density with its band on a logarithmic axis that begins at `floor`."""
    grid, value, error = (np.asarray(x, dtype=float) for x in (density.grid, density.density, density.stderr))
    ax.set_yscale("log")
    if density.lower is None or density.upper is None:
        edges = [value - 2 * error, value + 2 * error]
    else:
        edges = [np.asarray(edge, dtype=float) for edge in (density.lower, density.upper)]
    low, high = (np.maximum(edge, floor) for edge in edges)
    ax.fill_between(grid, low, high, color=BLUE, alpha=0.25, linewidth=0)
    ax.plot(grid, np.maximum(value, floor), color=BLUE, linewidth=1.3)
    ax.set_ylim(floor, HEADROOM * float(high.max()))
    ax.yaxis.set_major_locator(LogLocator(numticks=6))
    ax.yaxis.set_major_formatter(FuncFormatter(tick))
    ax.yaxis.minorticks_off()


def _mark_extremes(ax: Axes, largest: Eigenpairs | None, smallest: Eigenpairs | None) -> None:
    """A triangle at the top with its residual as the interval, and the value beside it."""
    top = ax.get_ylim()[1]
    for name, pairs, side, shift in (("smallest", smallest, "left", 7), ("largest", largest, "right", -7)):
        if pairs is None or not pairs.values.numel():
            continue
        value, residual = float(pairs.values[0]), float(pairs.residuals[0])
        ax.errorbar(value, top, xerr=residual, fmt="v", color=VERMILLION, markersize=6, clip_on=False, zorder=4)
        ax.annotate(
            f"{name} {typeset(f'{value:.4g}')}",
            (value, top),
            xytext=(shift, 0),
            textcoords="offset points",
            ha=side,
            va="top",
        )


def _caption(density: SpectralDensity, measurement: Measurement) -> str:
    probes = density.nodes.shape[0]
    old = density.lower is None
    band = "±2 standard errors" if old else f"the bootstrap's at {100 * density.confidence:g} % (never below Student's)"
    marks = "" if measurement.largest is None else "; triangles mark the extreme eigenvalues"
    return (
        f"Model, data and parameters are fixed; {probes} random start vectors were sampled and the band is {band} "
        f"over them, with every eigenvalue smoothed to a Gaussian of width {typeset(f'{density.sigma:.2g}')}, "
        f"whose height for one single eigenvalue is the dashed line{marks}."
    )

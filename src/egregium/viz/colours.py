"""Numbers as colours that a colour-blind reader can follow: their scale, its bar, and cells with holes as holes."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap, LogNorm, Normalize, SymLogNorm, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, Locator, LogLocator, MaxNLocator

from egregium.viz.labels import TickFormatter, typeset
from egregium.viz.palette import INK, MUTED
from egregium.viz.scales import decade, magnitudes, quartile, steep, symmetric_ticks

#: Colour maps: of one sign, and of both.
ONE_SIGN, BOTH_SIGNS = "cividis", "PuOr"
#: Cells beyond these are drawn as one image: a page would be slow with so many shapes.
MOST_CELLS = 500
#: Colours differ less than places do: the ratio from which they are logarithmic.
STEEP_COLOURS = 100.0
#: How a hole is drawn.
HATCH = "////"


def masked(values: Any) -> Any:
    """As a numpy array whose NaNs and infinities are masked."""
    return np.ma.masked_invalid(np.asarray(values, dtype=float))


def colour_scale(values: Any) -> tuple[Colormap, Normalize]:
    """Colours with white at 0 where values change sign; logarithmic where they are so steep that most would be one."""
    known = masked(values).compressed()
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    signed = low < 0 < high
    colours = colormaps[BOTH_SIGNS].reversed() if signed else colormaps[ONE_SIGN]
    most = max(-low, high)
    if steep(known.tolist(), STEEP_COLOURS):
        if low > 0:
            return colours, LogNorm(low, high)
        below = decade(quartile(magnitudes(known.tolist())))
        return colours, SymLogNorm(below, vmin=-most if signed else low, vmax=most if signed else high)
    if signed:
        return colours, TwoSlopeNorm(0.0, -most, most)
    apart = abs(low) / 2 or 0.5
    return colours, Normalize(low, high) if high > low else Normalize(low - apart, low + apart)


def colour_bar(figure: Figure, of: ScalarMappable, ax: Axes, title: str) -> None:
    """A bar beside `ax` with `title` above it."""
    bar = figure.colorbar(of, ax=ax, shrink=0.75, pad=0.1 if hasattr(ax, "zaxis") else 0.02)
    bar.outline.set_visible(False)
    # no title: the layout has no room for a title's width
    bar.ax.annotate(title, (0, 1), (0, 5), "axes fraction", "offset points", ha="left", va="bottom", color=INK)
    if (places := _bar_ticks(of.norm)) is not None:
        bar.ax.yaxis.set_major_locator(places)
    bar.ax.minorticks_off()
    bar.ax.yaxis.set_major_formatter(TickFormatter())


def _bar_ticks(norm: Any) -> Locator | None:
    """Few ticks on a logarithmic bar; None where matplotlib's are well."""
    if isinstance(norm, SymLogNorm):
        low, high = (abs(float(end or 0.0)) for end in (norm.vmin, norm.vmax))
        return FixedLocator(symmetric_ticks(norm.linthresh, max(low, high)))
    return LogLocator(numticks=7) if isinstance(norm, LogNorm) else None


def ticks(norm: Normalize) -> list[float]:
    """Round numbers within the scale, few enough to stand beside a bar."""
    places = _bar_ticks(norm) or MaxNLocator(6)
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 0.0)
    return [float(x) for x in places.tick_values(low, high) if low <= x <= high]


def with_widest(name: str, half_widths: Any) -> str:
    """`name` with the widest interval below it: smaller differences of colour are noise.

    >>> with_widest("R", [0.1, 0.25, float("nan")]), with_widest("loss", [0.0])
    ('R\\n± 0.25', 'loss')
    """
    known = masked(half_widths).compressed()
    return f"{name}\n± {typeset(f'{known.max():.2g}')}" if known.size and known.max() > 0 else name


def edges(places: Any) -> np.ndarray:
    """The borders of cells around ascending places; a single one is given the width 1.

    >>> edges([0.0, 1.0, 3.0])
    array([-0.5,  0.5,  2. ,  4. ])
    """
    at = np.asarray(places, dtype=float)
    if at.size < 2:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middle = (at[1:] + at[:-1]) / 2
    return np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])


def draw_cells(ax: Axes, a: Any, b: Any, values: Any) -> QuadMesh:
    """A cell of colour around each place (a[j], b[i]); those without a finite value are hatched."""
    cells, across, up = masked(values), edges(a), edges(b)
    colours, norm = colour_scale(values)
    many = cells.size > MOST_CELLS
    if cells.count() < cells.size:
        size = (float(across[-1] - across[0]), float(up[-1] - up[0]))
        place = (float(across[0]), float(up[0]))
        ax.add_patch(Rectangle(place, *size, fill=False, hatch=HATCH, edgecolor=MUTED, linewidth=0, zorder=0))
    mesh = ax.pcolormesh(across, up, cells, cmap=colours, norm=norm, rasterized=many)
    ax.set_xlim(float(across[0]), float(across[-1]))
    ax.set_ylim(float(up[0]), float(up[-1]))
    return mesh

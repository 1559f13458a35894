"""A figure with its title and caption, and the style in which figures are drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from egregium.viz.palette import INK, MUTED

#: Width in inches: 1:1 on a telephone, two abreast on a desk.
WIDTH = 4.6

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.w_pad": 0.02,
    "font.size": 9.5,
    "grid.alpha": 0.3,
    "grid.color": MUTED,
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",  # text stays text: small, selectable, in the page's font
    "svg.hashsalt": "egregium",
    "text.color": INK,
    "text.parse_math": False,  # a point may be called "$5"
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure, what it shows, and one sentence saying what is fixed in it and what was sampled."""

    figure: Figure
    title: str
    caption: str


@contextmanager
def style() -> Iterator[None]:
    """The style of all pictures, whatever the caller's rcParams; they are as before afterwards."""
    with matplotlib.style.context(["default", STYLE]):
        yield


def blank(height: float) -> Figure:
    """An empty figure, `height` inches high, with a transparent background."""
    figure = Figure((WIDTH, height), layout="constrained")
    figure.patch.set_alpha(0)
    return figure


def label_axes(ax: Axes, x: str, y: str, lift: float = 1.03) -> None:
    """Name both axes, the vertical one above its top (at `lift` of its height) and horizontally, to be read at ease."""
    ax.patch.set_alpha(0)
    ax.set_xlabel(x, loc="left")
    ax.set_ylabel(y, rotation=0, ha="left", va="bottom")
    ax.yaxis.set_label_coords(0, lift)
    ax.add_artist(_Room(ax.yaxis.label))


class _Room(Artist):
    """Nothing to see: the layout keeps clear what a label covers, of whose height matplotlib counts a half."""

    def __init__(self, text: Text) -> None:
        super().__init__()
        self._label = text
        self.set_clip_on(False)

    def get_tightbbox(self, renderer: RendererBase | None = None) -> Bbox:
        return self._label.get_window_extent(renderer)

"""A figure in other colours for a while: what a page does to an SVG by CSS."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.colors import to_rgb, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

#: Where each kind of artist has its colours.
PROPERTIES: tuple[tuple[type[Artist], tuple[str, ...]], ...] = (
    (Line2D, ("color", "markerfacecolor", "markeredgecolor")),
    (Text, ("color",)),
    (Patch, ("facecolor", "edgecolor")),
    (Collection, ("facecolor", "edgecolor")),
)


@contextmanager
def recoloured(figure: Figure, colours: Mapping[str, str]) -> Iterator[None]:
    """`figure` with each of `colours` replaced, opacities kept; as it was afterwards."""
    figure.draw_without_rendering()  # ticks are made at the first drawing
    undo: list[Callable[[], Any]] = []
    try:
        if colours:
            for artist in _artists(figure):
                for kind, names in PROPERTIES:
                    if isinstance(artist, kind):
                        undo += [step for name in names if (step := _replace(artist, name, colours)) is not None]
        yield
    finally:
        for step in reversed(undo):
            step()


def _artists(figure: Figure) -> list[Artist]:
    """All that is drawn; arrows and boxes of texts are no children of theirs."""
    found = figure.findobj()
    texts = [artist for artist in found if isinstance(artist, Text)]
    parts = [part for text in texts for part in (getattr(text, "arrow_patch", None), text.get_bbox_patch())]
    return [*found, *(part for part in parts if part is not None)]


def _replace(artist: Any, name: str, colours: Mapping[str, str]) -> Callable[[], Any] | None:
    """Replace one property; what puts it back, None where nothing changed."""
    if name == "facecolor" and isinstance(artist, Collection) and artist.get_array() is not None:
        return None  # its colours are numbers
    before = getattr(artist, f"get_{name}")()
    if isinstance(before, str) and before in ("none", "face", "auto"):
        return None
    rows = to_rgba_array(before)
    after = rows.copy()
    for old, new in colours.items():
        same = np.abs(rows[:, :3] - to_rgb(old)).max(axis=1, initial=0) < 1e-3
        after[same, :3] = to_rgb(new)
    if np.array_equal(after, rows):
        return None
    change = getattr(artist, f"set_{name}")
    change(after if isinstance(artist, Collection) else tuple(after[0]))
    return lambda: change(before)

"""Hand-made slices to draw."""

from typing import Any, Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from egregium.results import Cost, Environment, QuantityName, Sheet, Slice
from egregium.viz import Picture, svg

NAN, INF = float("nan"), float("inf")
ENVIRONMENT = Environment("", "", "", "", "", "", "cpu", "", "float64", 1, 1, 0)


def sheet(a: object, b: object, values: object, half: object = None, measured: object = None) -> Sheet:
    """Exact, and measured everywhere, where nothing else is said."""
    v = torch.as_tensor(values, dtype=torch.float64)
    widths = torch.zeros_like(v) if half is None else torch.as_tensor(half, dtype=torch.float64)
    looked = torch.ones_like(v, dtype=torch.bool) if measured is None else torch.as_tensor(measured)
    places: list[Tensor] = [torch.as_tensor(x, dtype=torch.float64) for x in (a, b)]
    return Sheet(places[0], places[1], v, widths, looked)


def made(kind: Literal["line", "plane", "path"], sheets: dict[QuantityName, Sheet], **other: object) -> Slice:
    """A slice with two axes, or one, whose directions are of length 1 and orthogonal."""
    axes = ("along $a$ <first> (θ)", "along b (θ)")[: 2 if kind == "plane" else 1]
    about: dict[str, Any] = {"axes": axes, "lengths": (1.0,) * len(axes), "cosine": 0.0, "centre": 1.0}
    about |= {"statistics": "", "confidence": 0.9, "n": 10, "scale": 1.0, "cost": Cost()} | other
    return Slice(kind=kind, sheets=sheets, environment=ENVIRONMENT, **about)


def words(figure: Figure) -> list[str]:
    """All that is written in a figure by hand: annotations and names of axes."""
    found = [text.get_text() for ax in figure.axes for text in ax.texts]
    return found + [name for ax in figure.axes for name in (ax.get_xlabel(), ax.get_ylabel())]


def drawn(picture: Picture | None) -> Picture:
    """A picture that is there, and that a page can show."""
    assert picture is not None
    assert svg(picture).startswith("<svg")
    return picture


def marks(picture: Picture, marker: str) -> list[Line2D]:
    """Those that are on the axes and not in a legend alone."""
    found = [line for ax in picture.figure.axes for line in ax.lines if line.get_marker() == marker]
    return [line for line in found if len(np.atleast_1d(line.get_xdata()))]

"""A plane's loss as a surface to be turned: the data and layout that plotly draws, as plain values for JSON."""

import math
from html import escape
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from egregium.results import Slice, Trajectory
from egregium.viz.colours import ticks
from egregium.viz.interpolation import Array
from egregium.viz.labels import short, tick, typeset
from egregium.viz.landscape import Surface, measured_places, nearest, surface

#: The page's colours, which its script looks up: they change between light and dark.
INK, MUTED, RULE, PAPER = "var(--ink)", "var(--muted)", "var(--rule)", "var(--paper)"
MARK = "var(--picture-vermillion)"  # seen on every colour of the surface
#: Surfaces whose colour is not known.
GREY = "#9aa3ad"
#: Steps of the colour scale, and significant digits of what is drawn.
STEPS, DIGITS = 17, 9
#: Where one looks from, and at.
EYE = {"x": 1.0, "y": -1.15, "z": 1.25}
CENTRE = {"x": 0, "y": 0, "z": -0.27}


def surface_spec(plane: Slice, trajectory: Trajectory | None = None) -> dict[str, Any] | None:
    """`{"data": ..., "layout": ..., "places": ...}`; None where there is no surface to draw.

    "near" of a surface holds, for each of its places, which of "places" says what R is nearby: a sentence each.
    Colours "var(--name)" are the page's.
    """
    drawn = surface(plane)
    if drawn is None:
        return None
    known = measured_places(drawn.by) if drawn.by is not None else []
    data = [*_surfaces(drawn, known)]
    if trajectory is not None:
        data.append(_checkpoints(trajectory))
    if plane.statistics != "re-estimated":  # else the model's own loss is not that of the surface
        data.append(_centre(plane))
    return {"data": data, "layout": _layout(plane, drawn), "places": [_said(place) for place in known]}


def _surfaces(drawn: Surface, known: list[tuple[float, float, float, float]]) -> list[dict[str, Any]]:
    """The surface, in two where the colours of a part are unknown: cells with four known corners, and the rest."""
    unknown = np.isfinite(drawn.heights) & np.isnan(drawn.colours)
    parts = [_surface(drawn, np.where(unknown, np.nan, drawn.heights), known)]
    if unknown.any():
        grey = _surface(drawn, np.where(_touching(unknown), drawn.heights, np.nan), known)
        grey |= {"colorscale": [[0, GREY], [1, GREY]], "showscale": False}
        del grey["surfacecolor"]
        parts.append(grey)
    return parts


def _surface(drawn: Surface, heights: Array, known: list[tuple[float, float, float, float]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "surface",
        "x": _plain(_tidy(drawn.a)),
        "y": _plain(_tidy(drawn.b)),
        "z": _plain(heights),
        "surfacecolor": _plain(np.ma.filled(drawn.norm(np.ma.masked_invalid(drawn.colours)), np.nan)),
        "cmin": 0.0,
        "cmax": 1.0,
        "colorscale": [[i / (STEPS - 1), to_hex(drawn.shade(i / (STEPS - 1)))] for i in range(STEPS)],
        "colorbar": _bar(drawn),
        "lighting": {"ambient": 0.85, "diffuse": 0.3, "specular": 0.04, "roughness": 0.9},
        "contours": {"z": {"highlightcolor": MUTED}},
        "hoverinfo": "text",  # a template would take the text of the place with a and b exchanged
    }
    if known:
        found["near"] = nearest(known, drawn.a, drawn.b).tolist()
    return found


def _bar(drawn: Surface) -> dict[str, Any]:
    """Colours are places on a scale from 0 to 1, whatever its shape; the ticks say what they stand for."""
    places = ticks(drawn.norm)
    return {
        "title": {"text": "<br>".join(drawn.key)},
        "thickness": 12,
        "len": 0.6,
        "outlinewidth": 0,
        "tickvals": _plain([float(drawn.norm(x)) for x in places]),
        "ticktext": [tick(x) for x in places],
    }


def _touching(unknown: Any) -> Any:
    """Corners of the cells that have an unknown corner."""
    cells = unknown[:-1, :-1] | unknown[1:, :-1] | unknown[:-1, 1:] | unknown[1:, 1:]
    padded = np.pad(cells, 1)
    return padded[:-1, :-1] | padded[1:, :-1] | padded[:-1, 1:] | padded[1:, 1:]


def _checkpoints(trajectory: Trajectory) -> dict[str, Any]:
    """At their own losses, not the plane's."""
    rows = zip(trajectory.names, trajectory.losses.tolist(), trajectory.apart.tolist(), strict=True)
    text = [
        f"{escape(short(name))}<br>" + typeset(f"loss {loss:.5g}<br>{far:.3g} off the plane")
        for name, loss, far in rows
    ]
    return {
        "type": "scatter3d",
        "mode": "lines+markers",
        "x": _plain(trajectory.coordinates[:, 0]),
        "y": _plain(trajectory.coordinates[:, 1]),
        "z": _plain(trajectory.losses),
        "text": text,
        "hoverinfo": "text",
        "line": {"color": MARK, "width": 6},
        "marker": {"color": MARK, "size": 4.5, "line": {"color": PAPER, "width": 1}},
        "showlegend": False,
    }


def _centre(plane: Slice) -> dict[str, Any]:
    return {
        "type": "scatter3d",
        "mode": "markers",
        "x": [0],
        "y": [0],
        "z": _plain([plane.centre]),
        "hoverinfo": "text",
        "text": [typeset(f"the centre<br>loss {plane.centre:.5g}")],
        "marker": {"color": MARK, "size": 7, "symbol": "diamond", "line": {"color": PAPER, "width": 1}},
        "showlegend": False,
    }


def _layout(plane: Slice, drawn: Surface) -> dict[str, Any]:
    axis = {"gridcolor": RULE, "zerolinecolor": RULE, "color": MUTED, "showbackground": False, "nticks": 6}
    axis |= {"showspikes": False}
    titles = dict(zip(("xaxis", "yaxis", "zaxis"), (*plane.axes, drawn.height), strict=True))
    axes = {name: axis | {"title": {"text": _drawable(title), "font": {"size": 12}}} for name, title in titles.items()}
    if drawn.logarithmic:
        axes["zaxis"] |= {"type": "log", "dtick": 1, "exponentformat": "power"}
    return {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": INK, "size": 12, "family": "system-ui, sans-serif"},
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": MUTED, "font": {"color": INK}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": INK},
        "uirevision": "kept",  # the camera stays where it is when the colours change
        "scene": axes
        | {
            "aspectmode": "manual",
            "aspectratio": {"x": 1.2, "y": 1.2, "z": 0.8},
            "camera": {"eye": EYE, "center": CENTRE},
        },
    }


def _said(place: tuple[float, float, float, float]) -> str:
    a, b, value, half = place
    error = " exactly" if half == 0 else f" ± {half:.2g}" if math.isfinite(half) else ", without an interval,"
    return typeset(f"R {value:.4g}{error} at {a:.3g}, {b:.3g}")


def _drawable(title: str) -> str:
    """A title in which plotly sees no markup."""
    return short(title, 40).replace("<", "‹").replace(">", "›").replace("&", "＆")


def _tidy(places: Array) -> Array:
    """Coordinates without what rounding left of a 0."""
    return np.where(np.abs(places) < 1e-12 * np.abs(places).max(initial=0.0), 0.0, places)


def _plain(values: Any) -> Any:
    """Numbers and lists of them, None for what is not finite."""
    array = np.asarray(values, dtype=float)
    if array.ndim > 1:
        return [_plain(row) for row in array]
    return [float(f"{x:.{DIGITS}g}") if math.isfinite(x) else None for x in array.tolist()]

"""Surfaces to be turned, with what stands in their place where nothing runs."""

import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from egregium.report.collection import Collection
from egregium.report.typeset import typeset
from egregium.results import Slice, Trajectory
from egregium.viz import belongs, slice_surface_figure, surface_spec, svg

#: Surfaces of a page: each holds a context of the graphics card, of which a browser gives out about 16.
MOST_SURFACES = 4


@dataclass(frozen=True)
class Relief:
    """A surface: its data for the script, and the same as a drawing."""

    key: str
    title: Markup
    name: str
    data: Markup
    drawing: Markup
    caption: Markup


def reliefs(found: Collection, asked: Slice | None = None) -> list[Relief]:
    """The first planes of the collection, with the trajectories that were projected on them; `asked` before all."""
    planes = [(name, plane) for name, plane in found.of(Slice) if plane.kind == "plane"]
    planes.sort(key=lambda one: one[1] is not asked)
    trajectories = found.of(Trajectory)
    for name, trajectory in trajectories:  # a trajectory brings its plane
        if trajectory.plane is not None and not any(belongs(trajectory, plane) for _, plane in planes):
            planes.append((name, trajectory.plane))
    drawn: list[Relief] = []
    for name, plane in planes:
        fitting = next((t for _, t in trajectories if belongs(t, plane)), None)
        relief = _relief(f"surface-{len(drawn) + 1}", name if len(found.documents) > 1 else "", plane, fitting)
        drawn += [relief] if relief is not None else []
    return drawn[:MOST_SURFACES]


def data(value: Any) -> Markup:
    """JSON that stands between script tags: no character of it ends the element or begins a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)  # U+2028 and the like are escaped by default
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _relief(key: str, name: str, plane: Slice, trajectory: Trajectory | None) -> Relief | None:
    spec, still = surface_spec(plane, trajectory), slice_surface_figure(plane, trajectory)
    if spec is None or still is None:
        return None
    drawing = Markup(svg(still, f"{key}-still"))
    return Relief(key, typeset(still.title), name, data(spec), drawing, typeset(still.caption))

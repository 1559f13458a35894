"""The pictures of a page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from egregium.report.collection import Collection, alone
from egregium.report.typeset import typeset
from egregium.results import BatchCurvatures, BlockTable, ModePath, Portrait, Session, Slice, Trajectory
from egregium.viz import (
    Picture,
    batches_figure,
    block_figures,
    curvature_figure,
    mode_path_figure,
    plane_figure,
    principal_density_figure,
    principal_figure,
    probes_figure,
    slice_figures,
    spectrum_figure,
    surface_figure,
    svg,
    terms_figure,
    training_figure,
    trajectory_figure,
)

Drawn = Picture | Iterable[Picture] | None


def _of_batches(found: BatchCurvatures) -> Picture:
    return batches_figure(found.values, found.half_widths, found.whole, "scalar curvature R")


#: Points, and other documents, with pictures of their own; more would make the page heavy.
MOST_POINTS = 8
#: What is drawn of documents that are no sessions; surfaces to be turned stand elsewhere.
PICTURES: dict[type, tuple[Callable[[Any], Drawn], ...]] = {
    BatchCurvatures: (_of_batches,),
    BlockTable: (block_figures,),
    ModePath: (mode_path_figure,),
    Portrait: (principal_figure, principal_density_figure, plane_figure, surface_figure),
    Slice: (slice_figures,),
    Trajectory: (trajectory_figure,),
}


@dataclass(frozen=True)
class Plate:
    """A picture as it stands in the page; `point` is empty where it shows all points."""

    title: Markup
    point: str
    drawing: Markup
    caption: Markup


def plates(found: Session | Collection) -> list[Plate]:
    """R and its terms at all points, spectrum and probes of the first eight, and what there is of other documents."""
    found = alone(found) if isinstance(found, Session) else found
    drawn = [*(_of_points(found.session) if found.session is not None else ()), *_of_others(found)]
    return [plate(picture, point, f"picture-{i}") for i, (point, picture) in enumerate(drawn, 1)]


def _of_points(session: Session) -> list[tuple[str, Picture]]:
    drawn = [("", curvature_figure(session)), ("", terms_figure(session))]
    if (training := training_figure(session)) is not None:
        drawn.append(("", training))
    for name, m in list(session.measurements.items())[:MOST_POINTS]:
        point = name if len(session.measurements) > 1 else ""
        drawn += [(point, picture) for picture in (spectrum_figure(m), probes_figure(m)) if picture is not None]
    return drawn


def _of_others(found: Collection) -> list[tuple[str, Picture]]:
    known = [each for each in found.documents if type(each.result) in PICTURES]
    named = len(found.documents) > 1
    return [
        (each.name if named else "", picture)
        for each in known[:MOST_POINTS]
        for draw in PICTURES[type(each.result)]
        for picture in _pictures(draw(each.result))
    ]


def _pictures(drawn: Drawn) -> list[Picture]:
    if drawn is None:
        return []
    return [drawn] if isinstance(drawn, Picture) else list(drawn)


def plate(picture: Picture, point: str, key: str) -> Plate:
    """A picture for the page; all ids in it begin with `key`."""
    return Plate(typeset(picture.title), point, Markup(svg(picture, key)), typeset(picture.caption))

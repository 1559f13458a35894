"""The pictures of a page."""

from dataclasses import dataclass

from markupsafe import Markup

from egregium.report.typeset import typeset
from egregium.results import Session
from egregium.viz import Picture, curvature_figure, probes_figure, spectrum_figure, svg, terms_figure

#: Points with pictures of their own; more would make the page heavy.
MOST_POINTS = 8


@dataclass(frozen=True)
class Plate:
    """A picture as it stands in the page; `point` is empty where it shows all points."""

    title: Markup
    point: str
    drawing: Markup
    caption: Markup


def plates(session: Session) -> list[Plate]:
    """R and its terms at all points, then spectrum and probes of the first eight, where there are any."""
    drawn = [("", curvature_figure(session)), ("", terms_figure(session))]
    for name, m in list(session.measurements.items())[:MOST_POINTS]:
        point = name if len(session.measurements) > 1 else ""
        drawn += [(point, picture) for picture in (spectrum_figure(m), probes_figure(m)) if picture is not None]
    return [_plate(picture, point, f"picture-{i}") for i, (point, picture) in enumerate(drawn, 1)]


def _plate(picture: Picture, point: str, key: str) -> Plate:
    return Plate(typeset(picture.title), point, Markup(svg(picture, key)), typeset(picture.caption))

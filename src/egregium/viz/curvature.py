"""R at each point of a session."""

from collections.abc import Mapping

from egregium.results import Estimate, Session
from egregium.viz.labels import fixed_and_sampled
from egregium.viz.palette import BLUE
from egregium.viz.picture import Picture, blank, style
from egregium.viz.rows import ROW, draw_row, finish_rows, logarithmic, wild


def curvature_figure(session: Session) -> Picture:
    """R = (tr S~)^2 - |S~|_F^2 at each named point with its interval; a symlog axis where magnitudes differ wildly."""
    return curvatures_figure({name: m.scalar_curvature for name, m in session.measurements.items()})


def curvatures_figure(points: Mapping[str, Estimate]) -> Picture:
    """The same of these estimates of R by name, in order."""
    many = wild(points.values())
    with style():
        figure = blank(0.8 + ROW * len(points))
        ax = figure.add_subplot()
        if many:
            logarithmic(ax, points.values())
        for y, (name, estimate) in enumerate(points.items()):
            draw_row(ax, y, name, estimate, BLUE)
        finish_rows(ax, len(points), "R = (tr S̃)² − |S̃|²_F" + (", symmetric logarithmic axis" if many else ""))
    return Picture(figure, "Scalar curvature R at each point", fixed_and_sampled(points.values(), "the whiskers"))

"""What each of R's four terms contributes."""

from egregium.results import TERMS, Estimate, Measurement, Session
from egregium.results.measurement import TermName
from egregium.viz.labels import fixed_and_sampled, short
from egregium.viz.palette import INK, TERM_COLOURS
from egregium.viz.picture import Picture, blank, style
from egregium.viz.rows import ROW, draw_row, finish_rows

#: Ratio of the panels' extents up to which they share an axis.
COMPARABLE = 10.0
#: Half the distance between panels, in inches.
APART = 0.1


def terms_figure(session: Session) -> Picture:
    """One panel a point: R's four terms as bars from 0 with their intervals, and R, their sum.

    The panels share an axis where their extents differ by less than a factor of ten.
    """
    points = session.measurements
    extents = [max(abs(e.value) for e in _shown(m).values()) for m in points.values()]
    shared = max(extents) <= COMPARABLE * min(extents)
    with style():
        figure = blank((0.85 + ROW * (len(TERMS) + 1)) * len(points))
        figure.set_layout_engine("constrained", h_pad=APART)
        panels = figure.subplots(len(points), 1, sharex=shared, squeeze=False)[:, 0]
        for ax, (name, measurement) in zip(panels, points.items(), strict=True):
            for y, (label, estimate) in enumerate(_shown(measurement).items()):
                draw_row(ax, y, label, estimate, _colour(label), bar=True)
            finish_rows(ax, len(TERMS) + 1, "contribution to R, in the units of R")
            ax.tick_params(labelbottom=True)
            if len(points) > 1:
                ax.set_title(short(name), loc="left", fontweight="bold", fontsize="medium")
    all_terms = [e for m in points.values() for e in m.terms.values()]
    caption = fixed_and_sampled(all_terms, "the whiskers")
    if len(points) > 1 and not shared:
        caption = f"{caption.removesuffix('.')}; each panel has an axis of its own."
    return Picture(figure, "What R is made of", caption)


def _shown(measurement: Measurement) -> dict[str, Estimate]:
    """The rows of a panel, by label."""
    terms = {label: measurement.terms[name] for name, label in TERMS.items()}
    return terms | {"their sum, R": measurement.scalar_curvature}


def _colour(label: str) -> str:
    names: dict[str, TermName] = {text: name for name, text in TERMS.items()}
    return TERM_COLOURS[names[label]] if label in names else INK

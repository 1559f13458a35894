"""What a reader must know before believing the numbers of a page."""

from collections.abc import Iterator
from typing import Any

from egregium.report.collection import Collection
from egregium.report.typeset import typeset
from egregium.report.words import Caution, warnings
from egregium.results import ClaimResult, Estimate, Measurement, Session, Study


def cautions(found: Collection) -> list[Caution]:
    """Everything not converged, and every note, of points and of other documents; a claim's notes stand with it."""
    of_points = warnings(found.session) if found.session is not None else []
    others = (each for each in found.documents if not isinstance(each.result, (Measurement, Session, ClaimResult)))
    return of_points + [
        Caution(each.name, typeset(text)) for each in others for text in dict.fromkeys(_notes(each.result))
    ]


def _notes(result: Any) -> Iterator[str]:
    yield from getattr(result, "notes", ())
    if isinstance(result, Study):
        yield from _of_study(result)
    estimate = getattr(result, "scalar_curvature", None)
    if isinstance(estimate, Estimate):
        if not estimate.converged:
            yield f"R has not converged: {estimate} is a wider interval than was asked for."
        yield from estimate.notes
    if getattr(result, "converged", True) is False:
        yield "R of some blocks is less precise than was asked for."
    for part in ("plane", "path", "straight"):
        inside = getattr(result, part, None)
        if inside is not None:
            yield from _notes(inside)


def _of_study(study: Study) -> Iterator[str]:
    """What more networks, or the same code for all, may change."""
    if (missing := study.planned - len(study.networks)) > 0:
        yield (
            f"{missing:,} of {study.planned:,} networks {'is' if missing == 1 else 'are'} still to be trained, and "
            "what was found may change with them: the same command goes on."
        )
    if len(codes := {network.code for network in study.networks}) > 1:
        yield f"The networks are of {len(codes)} versions of the code, which may have trained or measured differently."

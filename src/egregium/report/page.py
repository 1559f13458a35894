"""Documents as one HTML page: no network, our own scripts alone, everything the documents contain."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from egregium.errors import DocumentError
from egregium.report.cautions import cautions
from egregium.report.claims import statements, verdicts
from egregium.report.collection import Collection, Found, alone
from egregium.report.document import all_embedded
from egregium.report.method import facts
from egregium.report.others import facts_of_others, others, tables
from egregium.report.pictures import MOST_POINTS, plates
from egregium.report.scripts import policy, scripts
from egregium.report.study import lede, studies, study_cards
from egregium.report.summary import cards
from egregium.report.surfaces import reliefs
from egregium.report.table import in_full, side_by_side
from egregium.report.templates import templates
from egregium.report.words import change
from egregium.results import Session, Slice, Study


def page(found: Session | Collection, *, live: Slice | None = None) -> str:
    """One self-contained HTML page of a session, or of all documents of a collection; the same text for the same.

    R with its interval at each point in the first lines, warnings, surfaces to turn, pictures, all numbers, how they
    were computed, the formulas, and the documents themselves as links. Numbers and pictures are there without scripts.
    `live`: the plane of the collection that the program which serves the page answers for; it works nowhere else.
    Raises ArgumentError for a session without measurements.
    """
    found = alone(found) if isinstance(found, Session) else found
    try:
        return _rendered(found, live)
    except Exception as error:  # a number that a picture cannot show, an edited document: the others are shown
        kept = [each for each in found.documents if _can_be_shown(found, each)]
        if not kept or len(kept) == len(found.documents):
            raise DocumentError(f"The page cannot be made: {type(error).__name__}: {error}.") from error
        return _rendered(found.only(kept), live)


def _can_be_shown(found: Collection, document: Found) -> bool:
    try:
        _rendered(found.only([document]), live=None)
    except Exception:
        return False
    return True


def _rendered(found: Collection, live: Slice | None) -> str:
    drawn = reliefs(found, live)
    running = scripts(interactive=bool(drawn), live=live is not None)
    return (
        templates()
        .get_template("page.html.jinja")
        .render(
            found=found,
            created=_date(found.created),
            reliefs=drawn,
            scripts=running,
            policy=policy(running, live is not None),
            live=live is not None,
            plates=plates(found),
            documents=list(zip(found.documents, all_embedded([each.result for each in found.documents]), strict=True)),
            version=version("egregium"),
            **_claims(found),
            **_studies(found),
            **_points(found),
            **_others(found),
        )
    )


def _points(found: Collection) -> dict[str, Any]:
    """What the page says of its points; nothing where there are none."""
    session = found.session
    known = session.measurements if session is not None else {}
    one_run = len({id(source) for source in found.sources.values()}) == 1
    return {
        "points": list(known),
        "change": change(session) if session is not None and one_run else None,
        "remarks": session.remarks if session is not None else (),
        "groups": side_by_side(session) if session is not None else [],
        "precise": [(name, in_full(m)) for name, m in known.items()],
        "facts": facts(session, found.sources) if session is not None else [],
        "undrawn": max(len(known) - MOST_POINTS, 0),
    }


def _claims(found: Collection) -> dict[str, Any]:
    shown = statements(found)
    return {"statements": shown, "verdicts": verdicts(shown)}


def _studies(found: Collection) -> dict[str, Any]:
    alone = all(isinstance(each.result, Study) for each in found.documents)
    return {"studies": studies(found), "lede": lede(found), "only_studies": alone}


def _others(found: Collection) -> dict[str, Any]:
    known = cautions(found)
    return {
        "warnings": known,
        "cards": [*cards(found, known), *study_cards(found)],
        "tables": tables(found),
        "others": others(found),
        "other_facts": facts_of_others(found),
    }


def _date(created: str) -> str:
    """An ISO 8601 time to the minute, in UTC where it has a zone; unchanged where it is none."""
    try:
        time = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{time:%Y-%m-%d, %H:%M}" if time.tzinfo is None else f"{time.astimezone(UTC):%Y-%m-%d, %H:%M} UTC"

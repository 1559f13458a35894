"""A session as one HTML page: no network, no script, everything the document contains."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from egregium.errors import ArgumentError
from egregium.report.document import embedded
from egregium.report.method import facts
from egregium.report.pictures import MOST_POINTS, plates
from egregium.report.table import Precise, in_full, side_by_side
from egregium.report.typeset import typeset
from egregium.report.words import Caution, change, dominance, sign, warnings
from egregium.results import Measurement, Session


@dataclass(frozen=True)
class Point:
    """One point of the session as the summary shows it."""

    name: str
    value: Markup
    error: Markup
    certainty: str
    sign: Markup
    dominance: Markup
    warnings: tuple[Caution, ...]
    precise: tuple[Precise, ...]


def page(session: Session) -> str:
    """One self-contained HTML page of everything in `session`; the same text for the same session.

    R with its interval at each point in the first lines, warnings, pictures, all numbers side by side, how they were
    computed, the formulas, and the document itself as a link. Raises ArgumentError for a session without measurements.
    """
    if not session.measurements:
        raise ArgumentError("page needs a session with at least one measurement, got none. Measure a point first.")
    found = warnings(session)
    return (
        _templates()
        .get_template("page.html.jinja")
        .render(
            session=session,
            created=_date(session.created),
            points=[_point(name, m, found) for name, m in session.measurements.items()],
            change=change(session),
            warnings=found,
            plates=plates(session),
            undrawn=max(len(session.measurements) - MOST_POINTS, 0),
            groups=side_by_side(session),
            facts=facts(session),
            document=embedded(session),
            version=version("egregium"),
        )
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("egregium.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _point(name: str, m: Measurement, found: list[Caution]) -> Point:
    curvature = m.scalar_curvature
    value, _, error = str(curvature).rpartition(" (")[0].partition(" +/- ")
    sampled = f"{100 * curvature.confidence:g} % interval from {len(curvature.samples)} probes"
    return Point(
        name=name,
        value=typeset(value),
        error=typeset(f"+/- {error}") if error else Markup(""),
        certainty=sampled if error else "exact up to rounding",
        sign=typeset(sign(curvature)),
        dominance=typeset(dominance(m)),
        warnings=tuple(warning for warning in found if warning.point == name),
        precise=tuple(in_full(m)),
    )


def _date(created: str) -> str:
    """An ISO 8601 time to the minute, in UTC where it has a zone; unchanged where it is none."""
    try:
        time = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{time:%Y-%m-%d, %H:%M}" if time.tzinfo is None else f"{time.astimezone(UTC):%Y-%m-%d, %H:%M} UTC"

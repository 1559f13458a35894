"""A comparison as one HTML page: no network, no script, everything its document contains."""

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version

from markupsafe import Markup, escape

from egregium.report.method import Fact
from egregium.report.pictures import Plate
from egregium.report.table import HEADINGS
from egregium.report.templates import templates
from egregium.report.typeset import typeset
from egregium.results import Compared, Comparison, Difference, Fingerprint, Measurement
from egregium.results.document import text
from egregium.viz import Picture, differences_figure, points_figure, svg

#: Points whose differences are drawn; more would make the page heavy.
MOST_DRAWN = 6
#: Rows that tell what a point was, which are no estimates.
PLAIN = ("loss", "gradient norm")


@dataclass(frozen=True)
class Cell:
    """A point's value, and beside it the difference to the first; Markup("") where there is none."""

    value: Markup
    difference: Markup
    verdict: str
    times: Markup


@dataclass(frozen=True)
class Line:
    """One quantity at all points."""

    name: Markup
    meaning: Markup
    cells: tuple[Cell, ...]
    strong: bool


@dataclass(frozen=True)
class Group:
    """Lines under one heading."""

    heading: Markup
    lines: tuple[Line, ...]


def comparison_page(comparison: Comparison) -> str:
    """One self-contained HTML page of a comparison; the same text for the same comparison.

    What the differences of R say in the first line, cautions, pictures, all numbers side by side with their differences
    to the first point, what was measured and how, and the document itself as a link.
    """
    return (
        templates()
        .get_template("comparison.html.jinja")
        .render(
            comparison=comparison,
            created=_date(comparison.created),
            verdict=comparison.verdict(Markup, typeset),
            plates=_plates(comparison),
            undrawn=max(len(comparison.others) - MOST_DRAWN, 0),
            groups=_groups(comparison),
            facts=_facts(comparison),
            href=_document(comparison),
            level=f"{100 * comparison.confidence:g}\N{NO-BREAK SPACE}%",
            version=version("egregium"),
        )
    )


def _plates(comparison: Comparison) -> list[Plate]:
    """R at all points, then what differs at each of the first few others."""
    drawn: list[tuple[str, Picture | None]] = [("", points_figure(comparison))]
    many = len(comparison.others) > 1
    drawn += [(name if many else "", differences_figure(comparison, name)) for name in comparison.others[:MOST_DRAWN]]
    return [
        Plate(typeset(picture.title), point, Markup(svg(picture, f"picture-{i}")), typeset(picture.caption))
        for i, (point, picture) in enumerate(drawn, 1)
        if picture is not None
    ]


def _groups(comparison: Comparison) -> list[Group]:
    groups: dict[str, list[Line]] = {"point": _plain(comparison)}
    for i, quantity in enumerate(comparison.quantities):
        cells = tuple(_cell(quantity, name) for name in comparison.points)
        line = Line(typeset(quantity.name), typeset(quantity.meaning), cells, strong=i == 0)
        groups.setdefault(quantity.group, []).append(line)
    return [Group(typeset(HEADINGS.get(group, group)), tuple(lines)) for group, lines in groups.items()]


def _plain(comparison: Comparison) -> list[Line]:
    """Number of parameters, loss and gradient norm, which have no interval."""
    tables = [{row.name: row.value for row in m.rows()} for m in comparison.points.values()]
    sizes = tuple(_alone(f"{m.n:,}") for m in comparison.points.values())
    lines = [Line(Markup("parameters"), Markup(""), sizes, strong=False)]
    return lines + [
        Line(typeset(name), Markup(""), tuple(_alone(table.get(name, "")) for table in tables), strong=False)
        for name in PLAIN
    ]


def _alone(value: str) -> Cell:
    return Cell(typeset(value), Markup(""), "", Markup(""))


def _cell(quantity: Compared, name: str) -> Cell:
    found = quantity.differences.get(name)
    value = typeset(quantity.shown(name))
    if found is None:
        return Cell(value, Markup(""), "", Markup(""))
    return Cell(value, typeset(_without_level(found)), found.verdict, typeset(found.times))


def _without_level(found: Difference) -> str:
    """The level is said once, in the caption of the table."""
    return str(found).removesuffix(f" ({100 * found.confidence:g} %)")


def _facts(comparison: Comparison) -> list[Fact]:
    """What was measured at each point and how; a single cell where it is the same at all."""
    columns = [_fact(m) for m in comparison.points.values()]
    commands = tuple(Markup("<code>{}</code>").format(comparison.commands.get(name, "")) for name in comparison.points)
    rows = [(name, tuple(column[name] for column in columns)) for name in columns[0]]
    if any(comparison.commands.values()):
        rows.insert(0, ("Measured with", commands))
    return [Fact(escape(name), cells[:1] if len(set(cells)) == 1 else cells) for name, cells in rows]


def _fact(m: Measurement) -> dict[str, Markup]:
    known = m.fingerprint
    machine = m.environment
    facts = {
        "Data": (known.data or "a plain function") if known else "not known",
        "Samples": _samples(known) if known and known.data else "–",
        "Point": known.point if known else "not known",
        "Model": known.model if known else "not known",
        "Probes for R": f"{len(m.scalar_curvature.samples)}" if m.scalar_curvature.stderr else "none: exact",
        "Seed": str(machine.seed),
        "Precision": machine.dtype,
        "Versions": f"egregium {machine.egregium}, torch {machine.torch}",
    }
    settings = "; ".join(f"{row.name}: {row.value}" for row in m.setting)
    return {name: escape(value) for name, value in (facts | {"Setting": settings or "–"}).items()}


def _samples(known: Fingerprint) -> str:
    return f"{known.samples:,} in {known.batches:,} {'batch' if known.batches == 1 else 'batches'}"


def _date(created: str) -> str:
    """An ISO 8601 time to the minute, in UTC; unchanged where it is none."""
    try:
        return f"{datetime.fromisoformat(created).astimezone(UTC):%Y-%m-%d, %H:%M} UTC"
    except ValueError:
        return created


def _document(comparison: Comparison) -> str:
    """A data: URI of the document, without densities: `egregium.load` reads it."""
    points = {name: replace(m, density=None) for name, m in comparison.points.items()}
    whole = json.dumps(json.loads(text(replace(comparison, points=points))), separators=(",", ":"))
    return "data:application/json;base64," + b64encode(whole.encode()).decode()

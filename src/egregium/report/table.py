"""Tables of a session with its points side by side."""

from dataclasses import dataclass, replace

from markupsafe import Markup

from egregium.report.typeset import typeset
from egregium.report.words import named_estimates
from egregium.results import Measurement, Row, Session

#: Headings of the groups of `Measurement.rows()`.
HEADINGS = {
    "point": "The point",
    "curvature": "Curvature",
    "spectrum": "Spectrum",
    "terms": "Terms of R",
    "cost": "Cost",
}


@dataclass(frozen=True)
class Line:
    """One quantity: its name, what it means, and a cell for each point (None where it was not measured there).

    `meaning` is that of all points; `notes` has one for each point where they differ.
    """

    name: Markup
    meaning: Markup
    cells: tuple[Markup | None, ...]
    notes: tuple[Markup, ...]
    strong: bool


@dataclass(frozen=True)
class Group:
    """Lines under one heading."""

    heading: Markup
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Precise:
    """An estimate with all its digits: value, standard error, degrees of freedom, interval, probes, goal."""

    name: Markup
    value: Markup
    stderr: Markup
    degrees: str
    low: Markup
    high: Markup
    probes: str
    converged: bool


def side_by_side(session: Session) -> list[Group]:
    """The rows of all measurements, matched by group and name, in their order."""
    tables = [{(row.group, row.name): row for row in m.rows()} for m in session.measurements.values()]
    keys = list(dict.fromkeys(key for table in tables for key in table))
    groups: dict[str, list[Line]] = {}
    for key in keys:
        groups.setdefault(key[0], []).append(_line([table.get(key) for table in tables]))
    return [
        Group(typeset(HEADINGS.get(group, group.capitalize())), _without_common_meaning(lines))
        for group, lines in groups.items()
    ]


def in_full(measurement: Measurement) -> list[Precise]:
    """Every estimate of a measurement with ten digits."""
    lines = []
    for name, estimate in named_estimates(measurement):
        low, high = estimate.interval()
        numbers = [typeset(f"{x:.10g}") for x in (estimate.value, low, high)]
        exact = estimate.stderr == 0
        lines.append(
            Precise(
                name=typeset(name),
                value=numbers[0],
                stderr=typeset(f"{estimate.stderr:.3g}"),
                degrees="" if exact else f"{estimate.degrees:g}",
                low=numbers[1],
                high=numbers[2],
                probes="" if exact else f"{len(estimate.samples)}",
                converged=estimate.converged,
            )
        )
    return lines


def _without_common_meaning(lines: list[Line]) -> tuple[Line, ...]:
    """The lines, without a meaning that all repeat: the heading has it."""
    common = len(lines) > 1 and len({line.meaning for line in lines}) == 1
    return tuple(replace(line, meaning=Markup("")) if common else line for line in lines)


def _line(rows: list[Row | None]) -> Line:
    present = [row for row in rows if row is not None]
    meanings = {row.meaning for row in present}
    one = len(meanings) == 1
    return Line(
        name=typeset(present[0].name),
        meaning=typeset(present[0].meaning) if one else Markup(""),
        cells=tuple(None if row is None else typeset(row.value) for row in rows),
        notes=() if one else tuple(Markup("") if row is None else typeset(row.meaning) for row in rows),
        strong=present[0].strong,
    )

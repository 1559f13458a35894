"""Tables of documents that are no sessions: their rows, and how they were computed."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from markupsafe import Markup, escape

from egregium.report.collection import Collection, Found
from egregium.report.method import Fact, machine, same_or_each
from egregium.report.typeset import typeset
from egregium.results import Environment, Measurement, ModePath, Row, Session, Trajectory

#: What a document may say of how it came about, by name; and what of it was typed.
ABOUT = {"Target": "target", "Command": "command", "Created": "created", "Preset": "preset"}
CODE = ("Target", "Command")


@dataclass(frozen=True)
class Table:
    """The rows of one document: name, value, meaning."""

    name: str
    rows: tuple[tuple[Markup, Markup, Markup], ...]


def others(found: Collection) -> list[Found]:
    """Documents whose numbers do not stand among the points."""
    return [each for each in found.documents if not isinstance(each.result, (Measurement, Session))]


def tables(found: Collection) -> list[Table]:
    """A table for each of them that has rows."""
    made = [Table(each.name, tuple(_rows(each.result))) for each in others(found)]
    return [table for table in made if table.rows]


def facts_of_others(found: Collection) -> list[Fact]:
    """The exact command, cost, seed, versions and machine of each of them."""
    return same_or_each([_about(each.result) for each in others(found)])


@singledispatch
def _rows(result: Any) -> list[tuple[Markup, Markup, Markup]]:
    rows = result.rows() if hasattr(result, "rows") else []
    return [_row(row) for row in rows]


@_rows.register
def _(path: ModePath) -> list[tuple[Markup, Markup, Markup]]:
    along, straight = (
        [
            Row(f"{row.name}, {name}", row.value, row.meaning)
            for row in ran.rows()[1:]
            if row.group == "slice" and row.name != "running statistics"
        ]
        for name, ran in (("path", path.path), ("straight line", path.straight))
    )
    meaning = "max of f(t) − ((1 − t) f(0) + t f(1))"
    barriers = [
        Row("barrier of the path", f"{path.barrier:.6g}", meaning),
        Row("barrier of the straight line", f"{path.straight_barrier:.6g}", meaning),
    ]
    return [_row(row) for row in (*barriers, *along, *straight, Row("cost", str(path.cost), ""))]


@_rows.register
def _(trajectory: Trajectory) -> list[tuple[Markup, Markup, Markup]]:
    places = zip(trajectory.names, trajectory.losses.tolist(), trajectory.apart.tolist(), strict=True)
    return [
        (escape(name), typeset(f"{loss:.6g}"), typeset(f"loss; {far:.3g} away from the plane"))
        for name, loss, far in places
    ]


def _row(row: Row) -> tuple[Markup, Markup, Markup]:
    return typeset(row.name), typeset(row.value), typeset(row.meaning)


def _about(result: Any) -> dict[str, Markup]:
    plane = result.path if isinstance(result, ModePath) else result.plane if isinstance(result, Trajectory) else result
    known: dict[str, Markup] = {}
    for name, attribute in ABOUT.items():
        if text := getattr(result, attribute, "") or getattr(plane, attribute, ""):
            known[name] = Markup("<code>{}</code>").format(text) if name in CODE else escape(text)
    if (cost := getattr(result, "cost", None)) is not None:
        known["Cost"] = typeset(str(cost))
    if (confidence := getattr(plane, "confidence", None)) is not None:
        known["Confidence"] = typeset(f"{100 * confidence:g} %")
    where = getattr(plane, "environment", None)
    return known | (machine(where) if isinstance(where, Environment) else {})

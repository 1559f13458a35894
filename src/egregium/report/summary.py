"""What one reads in ten seconds: a card for each point, portrait, slice, path and table."""

import math
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from markupsafe import Markup

from egregium.report.collection import Collection
from egregium.report.typeset import typeset
from egregium.report.words import Caution, dominance, sign
from egregium.results import BlockTable, Estimate, Measurement, ModePath, Portrait, Slice


@dataclass(frozen=True)
class Card:
    """One number with its interval, and what to make of it."""

    name: str
    quantity: Markup
    value: Markup
    error: Markup
    certainty: Markup
    says: Markup
    quiet: Markup
    warnings: tuple[Caution, ...] = ()


def cards(found: Collection, warnings: list[Caution]) -> list[Card]:
    """Points first, then every other document that has a number of its own: slices only where there is no point."""
    points = found.session.measurements.items() if found.session is not None else ()
    drawn = (Measurement, Slice) if found.session is not None else (Measurement,)
    others = [(each.name, each.result) for each in found.documents if not isinstance(each.result, drawn)]
    made = []
    for name, result in (*points, *others):
        if (text := _card(result)) is not None:
            own = tuple(warning for warning in warnings if warning.point == name)
            quantity, value, error, certainty, says, quiet = (typeset(part) for part in text)
            made.append(Card(name, quantity, value, error, certainty, says, quiet, own))
    return made


@singledispatch
def _card(result: Any) -> tuple[str, str, str, str, str, str] | None:
    """Quantity, value, error, certainty, what it says, what else there is to know; None where there is no number."""
    return None


@_card.register
def _(m: Measurement) -> tuple[str, str, str, str, str, str]:
    return "R", *_estimate(m.scalar_curvature), dominance(m), sign(m.scalar_curvature)


@_card.register
def _(portrait: Portrait) -> tuple[str, str, str, str, str, str]:
    mean = f"A random plane has sectional curvature {portrait.sectional.mean}."
    return "R", *_estimate(portrait.scalar_curvature), mean, sign(portrait.scalar_curvature)


@_card.register
def _(table: BlockTable) -> tuple[str, str, str, str, str, str]:
    letter = "H" if table.operator == "hessian" else "G"
    largest = max(table.blocks, key=lambda name: abs(table.blocks[name].scalar_curvature.value), default="")
    says = f"Of the blocks, {largest} has the largest |R|." if largest else "There are no blocks."
    return f"share off {len(table.blocks)} blocks", *_estimate(table.off_blocks), says, f"Of |{letter}|²_F."


@_card.register
def _(ran: Slice) -> tuple[str, str, str, str, str, str]:
    rows = [row for row in ran.rows() if row.group == "slice"][1:]
    ranges = "; ".join(f"{row.name} {row.value}" for row in rows if row.name != "running statistics")
    what = {"plane": "a plane", "line": "a line", "path": "a path"}[ran.kind]
    return "f", f"{ran.centre:.6g}", "", f"at the centre of {what}", f"{ranges[:1].upper()}{ranges[1:]}.", ""


@_card.register
def _(path: ModePath) -> tuple[str, str, str, str, str, str]:
    beside = f"The straight line has a barrier of {path.straight_barrier:.4g}."
    return "barrier", f"{path.barrier:.4g}", "", f"of the {path.kind} path", beside, ""


def _estimate(estimate: Estimate) -> tuple[str, str, str]:
    value, _, error = str(estimate).rpartition(" (")[0].partition(" +/- ")
    error = error.partition(" (")[0]
    if not error:
        return value, "", "exact up to rounding"
    probes = len(estimate.samples)
    sampled = f"{100 * estimate.confidence:g} % interval" + (f" from {probes} probes" if probes else "")
    return value, f"+/- {error}", sampled if math.isfinite(estimate.half_width()) else "no finite interval"

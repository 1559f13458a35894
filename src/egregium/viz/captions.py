"""What a caption says of a slice: what is fixed, what was sampled, and what is missing."""

import math
from collections.abc import Iterable

import torch

from egregium.results import QUANTITIES, QuantityName, Sheet, Slice
from egregium.viz.labels import short, typeset


def slice_caption(of: Slice, shown: Iterable[tuple[QuantityName, str]], *marks: str) -> str:
    """One sentence about the `shown` quantities, each with what draws it; `marks` say what else is drawn."""
    parts = [f"Model, data and the {of.kind} are fixed"]
    parts += [sheet_clause(name, of.sheets[name], drawn, of.confidence) for name, drawn in shown]
    return sentence([*parts, *marks, *slice_clauses(of)])


def sheet_clause(name: QuantityName, sheet: Sheet, drawn: str, confidence: float) -> str:
    """How one quantity was found, at how many places, how well, and where it is missing."""
    what = f"{QUANTITIES[name][0]}{f' ({drawn})' if drawn else ''}"
    parts = [f"{what} {_found(sheet, confidence)}"]
    finite = torch.isfinite(sheet.values)
    unsure = int((finite & ~torch.isfinite(sheet.half_widths)).sum())
    if unsure and not math.isnan(sheet.widest):
        parts.append(f"{counted(unsure)} without an interval")
    if sheet.holes:
        parts.append(f"{counted(sheet.holes)} not finite and {'left out' if drawn == 'contours' else 'hatched'}")
    if sheet.unknown:
        parts.append(f"{counted(sheet.unknown)} not looked at yet")
    elif not bool(sheet.measured.all()):
        share = float(sheet.measured.double().mean())
        parts.append(f"{100 * share:.3g} % of the places looked at (dots), the others lying between their neighbours")
    return ", ".join(parts)


def slice_clauses(of: Slice) -> list[str]:
    """What is particular about this slice's coordinates, scale and statistics."""
    parts = []
    if of.kind == "plane" and any(abs(length - 1) > 1e-6 for length in of.lengths):
        lengths = " and ".join(typeset(f"{length:.3g}") for length in of.lengths)
        parts.append(f"one unit along the axes moves θ by {lengths}")
    if of.kind == "plane" and abs(of.cosine) > 0.01:
        parts.append(f"the directions are not orthogonal as drawn, their cosine is {typeset(f'{of.cosine:.2g}')}")
    if of.scale != 1:
        parts.append(f"the loss is multiplied by {typeset(f'{of.scale:g}')}")
    if of.statistics:
        parts.append(f"BatchNorm's running statistics away from the centre: {short(of.statistics, 80)}")
    return parts


def sentence(parts: Iterable[str]) -> str:
    """Clauses as one sentence, without a full stop inside it."""
    return "; ".join(part.strip().rstrip(".").replace(". ", ", ") for part in parts if part) + "."


def counted(count: int, noun: str = "place") -> str:
    """How many of them, in words.

    >>> counted(1), counted(1200, "plane")
    ('1 place', '1,200 planes')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "es" if noun.endswith("ch") else "s")


def _found(sheet: Sheet, confidence: float) -> str:
    seen = counted(int(sheet.measured.sum()))
    if sheet.widest == 0:
        return f"was evaluated at {seen}, nothing sampled"
    if math.isnan(sheet.widest):
        return f"was estimated at {seen} with random probes, its error unknown"
    error = f"±{typeset(f'{sheet.widest:.2g}')} ({100 * confidence:g} %)"
    return f"was sampled with random probes at {seen}, each at most {error}"

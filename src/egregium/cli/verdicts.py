"""What `egregium reproduce` prints: a line for each statement, a sentence for each comparison that does not hold."""

import math
from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table
from rich.text import Text

from egregium.results import Check, ClaimResult, Verdict

#: Each verdict's mark and colour.
MARKS: dict[Verdict, tuple[str, str]] = {
    "holds": ("✓", "green"),
    "fails": ("✗", "bold red"),
    "undecided": ("?", "yellow"),
}
#: Sentences for one statement at the most; the page has all.
MOST = 5


def verdict_table(results: Sequence[ClaimResult]) -> Table:
    """Id, title, verdict, number of comparisons and time of each."""
    shown = Table(box=None, pad_edge=False)
    for name in ("", "statement", "verdict"):
        shown.add_column(name, no_wrap=name != "statement")
    for name in ("comparisons", "seconds"):
        shown.add_column(name, justify="right", no_wrap=True)
    for one in results:
        mark, colour = MARKS[one.verdict]
        numbers = (f"{len(one.checks)}", f"{one.seconds:,.1f}")
        shown.add_row(Text(one.id), Text(one.title), Text(f"{mark} {one.verdict}", style=colour), *numbers)
    return shown


def complaints(results: Sequence[ClaimResult]) -> Iterator[tuple[Verdict, str]]:
    """A sentence for each comparison that fails or is undecided, with its verdict: the first few of each statement."""
    for one in results:
        if one.verdict == "undecided" and one.why_nothing:
            yield "undecided", f"{one.id} is undecided: {one.why_nothing}."
        wrong = [check for check in one.checks if check.verdict != "holds"]
        wrong.sort(key=lambda check: check.verdict != "fails")
        for check in wrong[:MOST]:
            yield check.verdict, f"{one.id} {_complaint(check)}"
        if len(wrong) > MOST:
            yield wrong[MOST].verdict, f"{one.id}: {len(wrong) - MOST} more; the page has all."


def closing(results: Mapping[str, ClaimResult]) -> str:
    """How many hold, and with how many comparisons."""
    hold = sum(one.verdict == "holds" for one in results.values())
    compared = sum(len(one.checks) for one in results.values())
    few = f"{hold} of {len(results)} statements hold" if len(results) > 1 or not hold else "The statement holds"
    return f"{few} as stated, with {compared:,} comparison{'' if compared == 1 else 's'}."


def _complaint(check: Check) -> str:
    """What follows the id of the statement."""
    where = f"{check.what}; {check.subject}: found {check.found:.6g}, expected {_related(check)}"
    outside = "outside its condition, " if check.outside else ""
    if check.verdict == "fails":
        return f"fails: {outside}{where}, tolerance {check.tolerance:.2g} ({check.why})."
    if check.tolerance > check.resolves > 0:
        wide = (
            f"the tolerance {check.tolerance:.2g} ({check.why}) is too wide to see a departure of {check.resolves:.2g}"
        )
        return f"is undecided: {outside}{where}; {wide}."
    unknown = "is not known" if math.isnan(check.tolerance) else f"is {check.tolerance:.2g}"
    return f"is undecided: {outside}{where}; the tolerance ({check.why}) {unknown}."


def _related(check: Check) -> str:
    words = {"equals": "", "differs from": "other than ", "at least": "at least ", "at most": "at most "}
    return f"{words[check.relation]}{check.expected:.6g}"

"""Statements that were run, as a page shows them: their verdicts, and each comparison with its tolerance."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from egregium.report.collection import Collection, natural
from egregium.report.pictures import Plate, plate
from egregium.report.typeset import typeset
from egregium.results import Check, ClaimResult, Verdict
from egregium.results.claims import SYMBOLS
from egregium.viz import chart_figure


@dataclass(frozen=True)
class Line:
    """One comparison: what of what, the numbers, and what they say; `relation` in a symbol and in words."""

    what: Markup
    subject: Markup
    found: Markup
    symbol: str
    relation: str
    expected: Markup
    tolerance: Markup
    apart: Markup
    why: Markup
    verdict: Verdict


@dataclass(frozen=True)
class Group:
    """Comparisons that stand in one table, and what they have in common."""

    key: str
    heading: str
    says: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Statement:
    """A claim with its key in the page; `where` is empty unless the document is called otherwise than the claim."""

    key: str
    id: str
    where: str
    title: Markup
    verdict: Verdict
    said: str
    comparisons: int
    outside: int
    time: str
    statement: Markup
    about: tuple[tuple[str, Markup], ...]
    plates: tuple[Plate, ...]
    groups: tuple[Group, ...]
    notes: tuple[Markup, ...]
    run: Markup


INSIDE = (
    "Compared where the condition holds",
    "A comparison holds where found and expected are related as stated, within the tolerance.",
)
OUTSIDE = (
    "Outside the condition",
    "The condition does not hold here. Where ≠ holds, the statement as it is worded fails: this is where it ends.",
)


def statements(found: Collection) -> list[Statement]:
    """Every claim of the collection, by its number; the same claim of several runs side by side."""
    known = sorted(found.of(ClaimResult), key=lambda one: natural(one[1].id))
    return [_statement(name, result, f"claim-{i}") for i, (name, result) in enumerate(known, 1)]


def verdicts(shown: Sequence[Statement]) -> Markup | None:
    """How many hold, by how many comparisons, and which do not; None where there is no claim."""
    if not shown:
        return None
    hold = sum(one.verdict == "holds" for one in shown)
    outside = sum(one.outside for one in shown)
    compared = _counted(sum(one.comparisons for one in shown), "comparison")
    beyond = f", {outside} of them outside the conditions, to show where the wording ends" if outside else ""
    many = len(shown) > 1
    first = f"{hold} of {len(shown)} statements hold" if many or not hold else "The statement holds"
    link = '<a href="#{}">{}{}</a> {} {}.'
    verbs = {"fails": "fails", "undecided": "is undecided"}
    others = (
        Markup(link).format(one.key, one.id, f" ({one.where})" if one.where else "", verbs[one.verdict], one.said)
        for one in shown
        if one.verdict != "holds"
    )
    return Markup(" ").join([escape(f"{first} as stated, with {compared}{beyond}."), *others])


def _statement(name: str, result: ClaimResult, key: str) -> Statement:
    checks = result.checks
    about = (("Condition", result.condition), ("Simulated", result.simulated), ("Source", result.source))
    parts = ((INSIDE, [c for c in checks if not c.outside]), (OUTSIDE, [c for c in checks if c.outside]))
    return Statement(
        key=key,
        id=result.id,
        where=name if name != result.id else "",
        title=typeset(result.title),
        verdict=result.verdict,
        said=_said(result),
        comparisons=len(checks),
        outside=len(parts[1][1]),
        time=seconds(result.seconds),
        statement=typeset(result.statement),
        about=tuple((word, typeset(text)) for word, text in about if text),
        plates=tuple(plate(chart_figure(chart), "", f"{key}-chart-{i}") for i, chart in enumerate(result.charts, 1)),
        groups=tuple(
            Group(f"{key}-checks-{i}", *words, tuple(_line(check, result.target) for check in some))
            for i, (words, some) in enumerate(parts, 1)
            if some
        ),
        notes=tuple(typeset(note) for note in result.notes),
        run=_run(result),
    )


def _said(result: ClaimResult) -> str:
    """What follows the verdict in a sentence."""
    count, outside = len(result.checks), sum(check.outside for check in result.checks)
    if result.verdict == "holds":
        all_ = {1: "the one comparison", 2: "both comparisons"}.get(count, f"all {count:,} comparisons")
        return f"as stated in {all_}" + (f", {outside:,} outside its condition" if outside else "")
    if result.verdict == "undecided" and result.why_nothing:
        return f"since {result.why_nothing}"
    few = sum(check.verdict == result.verdict for check in result.checks)
    return f"in {few:,} of {_counted(count, 'comparison')}"


def _line(check: Check, target: str) -> Line:
    own = not target or target not in check.subject  # else there are words of the user in it
    return Line(
        what=typeset(check.what),
        subject=typeset(check.subject) if own else escape(check.subject),
        found=typeset(f"{check.found:.6g}"),
        symbol=SYMBOLS[check.relation],
        relation=check.relation,
        expected=typeset(f"{check.expected:.6g}"),
        tolerance=typeset(f"{check.tolerance:.2g}"),
        apart=typeset(f"apart {abs(check.found - check.expected):.2g}"),
        why=typeset(_why(check)),
        verdict=check.verdict,
    )


def _why(check: Check) -> str:
    """What the tolerance allows for; and where it is too wide to say anything, how narrow it should have been."""
    if check.verdict != "undecided" or not check.tolerance > check.resolves > 0:
        return check.why
    return f"{check.why}; too wide to see a departure of {check.resolves:.2g}"


def _run(result: ClaimResult) -> Markup:
    on = Markup("on <code>{}</code>").format(result.target) if result.target else Markup("on its own examples")
    return Markup("Run {}, preset {}, seed {}, in {}.").format(on, result.preset, result.seed, seconds(result.seconds))


def seconds(time: float) -> str:
    """A wall time in few digits.

    >>> seconds(0.0123), seconds(1234.5)
    ('0.0123 s', '1,234 s')
    """
    return f"{time:.3g} s" if time < 100 else f"{time:,.0f} s"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")

"""A statement that was run: what was compared, with which tolerance, and the verdict."""

import math
from dataclasses import dataclass
from typing import Literal

from egregium.results.charts import Chart
from egregium.results.document import Document
from egregium.results.environment import Environment
from egregium.results.geometry import Saved

Verdict = Literal["holds", "fails", "undecided"]
Relation = Literal["equals", "differs from", "at least", "at most"]
SYMBOLS: dict[Relation, str] = {"equals": "=", "differs from": "≠", "at least": "≥", "at most": "≤"}


@dataclass(frozen=True)
class Check:
    """One comparison of two numbers.

    Attributes:
        what: what is compared, in words and symbols.
        subject: the surface or network.
        found: what was measured or simulated; expected: what the statement says it is.
        relation: of found to expected.
        tolerance: by how much they may be apart: everything that is not the statement's fault, added up.
        why: where the tolerance is from: statistical error, order of the expansion, rounding.
        resolves: the smallest departure that has to be seen for this comparison to say anything; 0 where any tolerance
            will do. A tolerance larger than it leaves the comparison undecided.
        outside: whether the condition of the statement does not hold here, so that this shows where it ends.
    """

    what: str
    subject: str
    found: float
    expected: float
    tolerance: float
    why: str
    relation: Relation = "equals"
    resolves: float = 0.0
    outside: bool = False

    @property
    def verdict(self) -> Verdict:
        """What the two numbers say of the relation, within the tolerance.

        >>> Check("R", "saddle", -8.0, 0.0, 1e-9, "rounding", "differs from").verdict
        'holds'
        >>> Check("R", "saddle", 1.0, 1.2, 0.3, "95 %", resolves=0.1).verdict
        'undecided'
        """
        apart, tolerance = self.found - self.expected, self.tolerance
        if not math.isfinite(apart):
            return "fails" if math.isfinite(tolerance) else "undecided"
        if math.isnan(tolerance) or (self.resolves and tolerance > self.resolves):
            return "undecided"
        if self.relation == "equals":
            return "holds" if abs(apart) <= tolerance else "fails"
        if self.relation == "differs from":
            return "holds" if abs(apart) > tolerance else "fails"
        beyond = apart if self.relation == "at least" else -apart
        return "holds" if beyond >= -tolerance else "fails"

    @property
    def words(self) -> str:
        """The comparison with its numbers, e.g. "-8 ≠ 0"."""
        tolerance = f" +/- {self.tolerance:.2g}" if self.relation in ("equals", "differs from") else ""
        return f"{self.found:.6g} {SYMBOLS[self.relation]} {self.expected:.6g}{tolerance}"


@dataclass(frozen=True, eq=False)
class ClaimResult(Saved):
    """A statement with what was compared when it was run.

    Attributes:
        id: C1, C2, ...; title: the statement in few words.
        statement: in the field's words, with its formula. source: where it is made.
        condition: under which it holds. simulated: what was run.
        checks: the comparisons. charts: pictures as data.
        preset, seed, target: how it was run; target "" for its own surfaces and networks.
        command, created, seconds, environment: the command line, ISO 8601 time, wall time and machine.
        notes: what a reader must know.
    """

    id: str
    title: str
    statement: str
    source: str
    condition: str
    simulated: str
    checks: tuple[Check, ...]
    charts: tuple[Chart, ...]
    preset: str
    seed: int
    target: str
    command: str
    created: str
    seconds: float
    environment: Environment
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """ "fails" if any comparison does, else "undecided" if any is or none is within the condition, else "holds"."""
        verdicts = {check.verdict for check in self.checks}
        if "fails" in verdicts:
            return "fails"
        inside = any(not check.outside for check in self.checks)
        return "holds" if inside and verdicts == {"holds"} else "undecided"

    @property
    def why_nothing(self) -> str:
        """Why nothing was compared within the condition; "" where something was."""
        if any(not check.outside for check in self.checks):
            return ""
        if self.checks:
            return "its condition does not hold here, and nothing was compared within it"
        return "nothing was compared" + (f" ({self.notes[0].rstrip('.')})" if self.notes else "")


Document.register(Check, ClaimResult)

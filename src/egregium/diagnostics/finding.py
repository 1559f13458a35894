"""What a diagnosis found, row by row, and how it is shown."""

from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Literal

from egregium.results import Cost

State = Literal["ok", "remark", "fault"]
MARKS: dict[State, str] = {"ok": "✓", "remark": "!", "fault": "✗"}
#: Width of a printed diagnosis, and of its first column.
WIDTH, NAMES = 100, 14


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what was found there, and what to change.

    Attributes:
        subject: what was looked at.
        found: what was found.
        state: "ok", "remark" (worth knowing, no fault) or "fault" (the loss changes because of it).
        where: file, line and code, where there is one.
        change: what to change; empty where nothing needs to be.
    """

    subject: str
    found: str
    state: State = "ok"
    where: str = ""
    change: str = ""

    def lines(self) -> list[str]:
        """What was found, where, and what to change, in this order; without those that are empty."""
        return [self.found, *([self.where] if self.where else []), *([f"→ {self.change}"] if self.change else [])]


@dataclass(frozen=True)
class Diagnosis:
    """Whether the loss is the same in every pass over the data, and why not.

    Attributes:
        findings: everything that was looked at.
        values: the loss in two passes that differ in all random numbers and in the order of the data.
        passes: how many passes over the data it took.
        cost: of these.
    """

    findings: tuple[Finding, ...]
    values: tuple[float, float]
    passes: int
    cost: Cost

    @property
    def ok(self) -> bool:
        """Whether the loss is the same in every pass, to rounding."""
        return not self.faults

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What makes the loss change."""
        return tuple(finding for finding in self.findings if finding.state == "fault")

    @property
    def cause(self) -> str:
        """What makes the loss change and what to do about it, in sentences; empty where nothing does."""
        parts = []
        for fault in self.faults:
            where = f" ({fault.where})" if fault.where else ""
            parts.append(f"{fault.subject}: {fault.found}{where}. {fault.change}")
        return " ".join(parts)

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        first, second = self.values
        if self.ok:
            return f"The loss is the same in every pass over the data: {first:.6g}."
        digits = next((d for d in range(6, 17) if f"{first:.{d}g}" != f"{second:.{d}g}"), 17)
        return f"The loss changes between passes over the data: {first:.{digits}g}, then {second:.{digits}g}."

    @property
    def closing(self) -> str:
        """How much was done, and that one fault can hide another."""
        done = f"{self.passes} passes over the data."
        return done if self.ok else f"{done} One fault can hide another: look again after the change."

    def __str__(self) -> str:
        lines = [self.verdict, ""]
        for finding in self.findings:
            head = f"{MARKS[finding.state]} {finding.subject:{NAMES}} "
            for part in finding.lines():
                for text in wrap(part, WIDTH - len(head), break_on_hyphens=False):
                    lines.append(head + text)
                    head = " " * len(head)
        return "\n".join([*lines, "", self.closing])

    def _repr_html_(self) -> str:
        rows = []
        for finding in self.findings:
            cells = "<br>".join(escape(part) for part in finding.lines())
            mark = escape(f"{MARKS[finding.state]} {finding.subject}")
            rows.append(f'<tr><th scope="row">{mark}</th><td>{cells}</td></tr>')
        verdict = f"<p><strong>{escape(self.verdict)}</strong></p>"
        return f"{verdict}<table>{''.join(rows)}</table><p>{escape(self.closing)}</p>"

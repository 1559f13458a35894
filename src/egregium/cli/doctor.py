"""`egregium doctor`: whether the loss is the same in every pass over the data, and if not, why."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from egregium.cli.console import OUT, sentences
from egregium.cli.target import DTYPES, Target, prepared_landscape
from egregium.diagnostics import Diagnosis, diagnosis
from egregium.diagnostics.finding import MARKS, State

COLOURS: dict[State, str] = {"ok": "green", "remark": "yellow", "fault": "bold red"}


@sentences
def doctor(
    target: Target,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="safetensors, or a saved state dict.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="Compute there, e.g. cuda.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help=f"Compute in it: {', '.join(DTYPES)}.")] = None,
) -> None:
    """Say whether the loss of TARGET's landscape changes between passes over the data, and why (exit code 1)."""
    found = diagnosis(prepared_landscape(target, checkpoint, device, dtype))
    OUT.print(Text(found.verdict, style="bold green" if found.ok else "bold red"))
    OUT.print()
    OUT.print(findings_table(found))
    OUT.print()
    OUT.print(Text(found.closing, style="dim"))
    if not found.ok:
        raise typer.Exit(1)


def findings_table(found: Diagnosis) -> Table:
    """A row for each finding: its mark, what was looked at, and what was found there, where, and what to change."""
    shown = Table.grid(padding=(0, 1))
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True)
    shown.add_column()
    for finding in found.findings:
        colour = COLOURS[finding.state]
        said = Text(finding.found)
        if finding.where:
            said.append(f"\n{finding.where}", style="dim")
        if finding.change:
            said.append(f"\n→ {finding.change}", style="bold")
        if finding.change:
            said.append("\n")
        shown.add_row(Text(MARKS[finding.state], style=colour), Text(f"{finding.subject} ", style=colour), said)
    return shown

"""`egregium compare`: points of saved results side by side, with their differences, as a table and a page."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from egregium.cli.console import OUT, comparison_table, printed_whole, sentences
from egregium.cli.output import command_line, made, now, prepared
from egregium.cli.runs import named_points
from egregium.report import comparison_page
from egregium.results import compare as compared
from egregium.results import write_whole


@sentences
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Folders or documents of egregium measure, the first to compare with; RUN:POINT for one point.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The page.")] = Path("egregium-compare.html"),
    write_page: Annotated[bool, typer.Option("--page/--no-page", help="Write the page, or the table alone.")] = True,
    confidence: Annotated[
        float | None, typer.Option("--confidence", help="Level of all intervals; default the highest in the documents.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the page.")] = False,
) -> None:
    """Compare the scalar curvature and all else at two saved points or more, with the error of each difference."""
    if write_page:
        prepared(out.parent, (out.name,), force)
    points, commands = named_points(runs)
    found = replace(
        compared(points, confidence=confidence),
        commands=commands,
        command=command_line(),
        created=now(),
    )
    printed_whole(comparison_table(found))
    OUT.print()
    OUT.print(found.verdict().replace("+/-", "±"), markup=False, style="bold")
    for note in found.notes:
        OUT.print(note, markup=False, style="yellow")
    for remark in found.remarks:
        OUT.print(remark, markup=False, style="dim")
    if write_page:
        made(out.parent)
        write_whole(out, comparison_page(found), force=force)
        OUT.print(f"\nThe page: {out.resolve()}", soft_wrap=True, markup=False)

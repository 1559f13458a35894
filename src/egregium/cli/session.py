"""What `egregium measure` and `egregium demo` share: points under a watch, and the session they are written as."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from egregium.cli.console import OUT, Watch, failed, table
from egregium.cli.interruption import CODE, NOTHING, Process
from egregium.cli.output import command_line, made, now
from egregium.errors import BudgetError
from egregium.landscape import Landscape
from egregium.measurement import measure as measured
from egregium.report import page
from egregium.results import Measurement, Session, write_whole

Out = Annotated[Path, typer.Option("--out", help="Folder for result.json and report.html; made where it is missing.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the results in that folder.")]
Seed = Annotated[int, typer.Option("--seed", help="Fixes all random probes.")]
Rtol = Annotated[float, typer.Option("--rtol", help="Half-width of R's interval over |R|.")]

#: Files of a session in its folder.
RESULT, PAGE = "result.json", "report.html"


def points_at(land: Landscape, name: str, watch: Watch, density: bool = True, **options: Any) -> dict[str, Measurement]:
    """The measurement by its name; nothing where it was stopped before there was an estimate."""
    watch.begin(name)
    try:
        return {name: measured(land, progress=watch, density=density, **options)}
    except BudgetError:
        if not watch.stopped:
            raise
        return {}


def written(
    out: Path,
    title: str,
    points: dict[str, Measurement],
    remarks: tuple[str, ...],
    force: bool,
    watch: Watch,
    more: Callable[[], str] | None = None,
) -> None:
    """Write document and page, print the table, say where they are; exit code 130 where the run was stopped.

    `more` writes what else there is, once the session is safe, and gives the page of it all.
    """
    if not points:
        failed(NOTHING, CODE)
    session = Session(title, command_line(), points, now(), remarks)
    try:
        with Process.held():
            made(out)
            session.save(str(out / RESULT), force=force)
        content = page(session) if more is None else more()
        with Process.held():
            write_whole(out / PAGE, content, force=force)
    except KeyboardInterrupt:
        again = f"egregium report {shlex.quote(str(out))} --force"
        failed(f"Interrupted while writing: the files in {out} are whole. As a page: {again}", CODE)
    OUT.print(table(session))
    for name, point in points.items():
        for note in point.scalar_curvature.notes:
            OUT.print(f"{name}: {note}", style="yellow", markup=False)
    if watch.stopped:
        OUT.print("[yellow]Interrupted: this is what was known by then.[/yellow]")
    places = f"\nThe page:     {(out / PAGE).resolve()}\nThe document: {(out / RESULT).resolve()}"
    OUT.print(places, soft_wrap=True, markup=False)
    if watch.stopped:
        raise typer.Exit(CODE)

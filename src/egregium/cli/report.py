"""`egregium report`: one offline page of everything that directories hold."""

from pathlib import Path
from typing import Annotated

import typer

from egregium.cli.console import OUT, sentences
from egregium.cli.output import command_line, made, prepared
from egregium.cli.session import PAGE
from egregium.errors import ArgumentError
from egregium.report import collection, page
from egregium.results import write_whole


@sentences
def report(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Directories that commands wrote to.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The page; report.html in the first DIR where not given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the page.")] = False,
) -> None:
    """Write one page of all documents in the directories: it can be sent, and needs no network."""
    found = collection(directories, command_line())
    place = directories[0] / PAGE if out is None else out
    if place.is_dir():
        raise ArgumentError(f"--out {place} is a directory. Pass the name of a file, such as {place / PAGE}.")
    prepared(place.parent, (place.name,), force)
    content = page(found)
    made(place.parent)
    write_whole(place, content, force=force)
    for sentence in found.unread:
        OUT.print(sentence, style="yellow", markup=False, soft_wrap=True)
    OUT.print(f"The page: {place.resolve()}", markup=False, soft_wrap=True)

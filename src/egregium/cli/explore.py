"""`egregium explore DIR`: the page on this machine, with a plane that can be asked."""

import contextlib
import secrets
import shlex
import socket
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from egregium.cli.console import OUT, sentences
from egregium.cli.output import command_line
from egregium.cli.slice import ARRAYS, SLICE
from egregium.cli.target import DTYPES, prepared_landscape
from egregium.errors import ArgumentError, DocumentError
from egregium.explorer import live, site
from egregium.landscape import Landscape
from egregium.report import collection, page
from egregium.results import Slice

#: The only address that is listened at.
LOOPBACK = "127.0.0.1"


@sentences
def explore(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where `egregium slice` or the demo wrote to.")],
    port: Annotated[int, typer.Option("--port", help="0: any that is free.")] = 0,
    rtol: Annotated[float, typer.Option("--rtol", help="Half-width of R's intervals over |R|.")] = 0.1,
    budget: Annotated[float, typer.Option("--budget", help="Most gradients for R at a place.")] = 5_000.0,
    seed: Annotated[int, typer.Option("--seed", help="Fixes the probes.")] = 0,
    target: Annotated[
        str | None, typer.Option("--target", help="Import this instead of the TARGET that the slice was made of.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open it in a browser.")] = True,
) -> None:
    """Serve the page of DIR to this machine: click a point of the plane, and it is measured there. Ctrl-C ends it.

    It imports the TARGET that DIR names: explore only directories whose code you would run.
    """
    found = collection([directory], command_line())
    if not (directory / SLICE).exists():
        raise DocumentError(
            f"{directory} has no plane to explore. Make one: egregium slice TARGET --out {shlex.quote(str(directory))}"
        )
    kept = next((each.result for each in found.documents if each.file == SLICE), None)
    if not isinstance(kept, Slice):
        raise DocumentError(f"{directory / SLICE} is no slice. Run `egregium slice` again with --force.")
    plane = replace(kept, target=target or kept.target)
    OUT.print(f"Importing {plane.target}" + ("" if target else f", as {directory} says."), markup=False, soft_wrap=True)
    ready = live(plane, directory / ARRAYS, landscape_of_slice, rtol, seed, budget)
    token = secrets.token_urlsafe(16)
    app = site(ready, page(found, live=kept), token)
    with _listening(port) as listener:
        address = f"http://{LOOPBACK}:{listener.getsockname()[1]}/?token={token}"
        OUT.print(f"Exploring {directory}; Ctrl-C ends it.\n{address}", soft_wrap=True, markup=False)
        if browser:
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn has closed everything by then
            uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run(sockets=[listener])
    OUT.print("Ended; nothing was written.")


def landscape_of_slice(plane: Slice) -> Landscape:
    """The landscape that the slice was cut from, from its TARGET and checkpoint, in its dtype.

    Raises TargetError, CheckpointError where they are gone.
    """
    dtype = plane.environment.dtype if plane.environment.dtype in DTYPES else None
    return prepared_landscape(plane.target, Path(plane.checkpoint) if plane.checkpoint else None, None, dtype)


def _listening(port: int) -> socket.socket:
    """A socket on the loopback address. Raises ArgumentError where the port cannot be had."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()  # whoever has the address may ask, though nobody answers yet
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or str(error)
        raise ArgumentError(
            f"--port {port} cannot be listened at: {why}. Leave it out for any that is free."
        ) from error
    return listener

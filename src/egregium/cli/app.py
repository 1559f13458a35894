"""The commands: parse, call, print, exit code. 0 done, 1 a fault found, 2 a sentence about the input, 130 interrupted
(with what was known by then, if there was an estimate).

All but `measure` have files of their own.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

import egregium
from egregium.cli.compare import compare
from egregium.cli.console import OUT, sentences, watching
from egregium.cli.demo import demo
from egregium.cli.doctor import doctor
from egregium.cli.explore import explore
from egregium.cli.geometry import geometry
from egregium.cli.output import prepared
from egregium.cli.report import report
from egregium.cli.reproduce import reproduce
from egregium.cli.session import PAGE, RESULT, Force, Out, Rtol, Seed, points_at, written
from egregium.cli.slice import slice_
from egregium.cli.study import study_
from egregium.cli.target import DTYPES, Target, prepared_landscape

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """The Riemannian geometry of neural-network loss landscapes."""
    if show:
        OUT.print(egregium.__version__)
        raise typer.Exit()


app.command()(demo)


@app.command()
@sentences
def measure(
    target: Target,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="safetensors, or a saved state dict.")] = None,
    rtol: Rtol = 0.01,
    out: Out = Path("egregium-result"),
    seed: Seed = 0,
    device: Annotated[str | None, typer.Option("--device", help="Compute there, e.g. cuda.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help=f"Compute in it: {', '.join(DTYPES)}.")] = None,
    budget: Annotated[float | None, typer.Option("--budget", help="Most gradients of the full data for R.")] = None,
    memory: Annotated[str | None, typer.Option("--memory", help="Hold at most this, e.g. 4GiB, beyond now.")] = None,
    density: Annotated[bool, typer.Option(help="Also the spectral density: 128 products.")] = True,
    data_error: Annotated[
        bool, typer.Option("--data-error", help="Also what other data would change R by: 140 gradients, 10 batches.")
    ] = False,
    force: Force = False,
) -> None:
    """Measure the landscape that TARGET returns, and write result.json and report.html."""
    prepared(out, (RESULT, PAGE), force)
    land = prepared_landscape(target, checkpoint, device, dtype)
    name = checkpoint.stem if checkpoint is not None else "this point"
    with watching() as watch:
        options: dict[str, Any] = {"rtol": rtol, "seed": seed, "budget": budget, "memory": memory}
        points = points_at(land, name, watch, density=density, data_error=data_error, **options)
    written(out, target, points, (), force, watch)


app.command()(compare)
app.command()(doctor)
app.command()(explore)
app.command()(geometry)
app.command()(report)
app.command()(reproduce)
app.command("slice")(slice_)
app.command("study")(study_)

"""The commands: parse, call, print, exit code. 0 done, 1 a fault found, 2 a sentence about the input, 130 interrupted
(with what was known by then, if there was an estimate).

`egregium compare`, `egregium doctor` and `egregium geometry` have files of their own.
"""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

import egregium
from egregium.cli import digits as demo_input
from egregium.cli.compare import compare
from egregium.cli.console import OUT, Watch, failed, sentences, table, watching
from egregium.cli.doctor import doctor
from egregium.cli.geometry import geometry
from egregium.cli.interruption import CODE, NOTHING, Process
from egregium.cli.output import made, prepared
from egregium.cli.target import DTYPES, Target, prepared_landscape
from egregium.errors import BudgetError
from egregium.landscape import Landscape
from egregium.measurement import measure as measured
from egregium.report import page
from egregium.results import Measurement, Session, write_whole

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Out = Annotated[Path, typer.Option("--out", help="Folder for result.json and report.html; made where it is missing.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the results in that folder.")]
Seed = Annotated[int, typer.Option("--seed", help="Fixes all random probes.")]
Rtol = Annotated[float, typer.Option("--rtol", help="Half-width of R's interval over |R|.")]

#: Files of a session in its folder.
RESULT, PAGE = "result.json", "report.html"


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """The Riemannian geometry of neural-network loss landscapes."""
    if show:
        OUT.print(egregium.__version__)
        raise typer.Exit()


@app.command()
@sentences
def demo(
    out: Out = Path("egregium-demo"),
    rtol: Rtol = 0.01,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Train a small network on the digits; measure it at initialisation and after training."""
    prepared(out, (RESULT, PAGE), force)
    train, test = demo_input.digits()
    model = demo_input.network(seed)
    land = Landscape(model, torch.nn.CrossEntropyLoss(), (train.inputs, train.targets))
    points: dict[str, Measurement] = {}
    with watching() as watch:
        points |= _measured(land, "initialisation", watch, rtol=rtol, seed=seed)
        if not watch.stopped:
            watch.begin("training")
            demo_input.train(model, train, watch.advanced)
        if not watch.stopped:
            points |= _measured(land, "trained", watch, rtol=rtol, seed=seed)
    remark = (
        f"A tanh network 64-32-10, cross-entropy on {len(train.targets):,} scikit-learn digits, "
        f"{demo_input.STEPS} steps of full-batch Adam. Accuracy now: {demo_input.accuracy(model, train):.1%} on these, "
        f"{demo_input.accuracy(model, test):.1%} on {len(test.targets)} others."
    )
    _written(out, "A small network on the digits", points, (remark,), force, watch)


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
        points = _measured(land, name, watch, density=density, data_error=data_error, **options)
    _written(out, target, points, (), force, watch)


app.command()(compare)
app.command()(doctor)
app.command()(geometry)


def _measured(land: Landscape, name: str, watch: Watch, density: bool = True, **options: Any) -> dict[str, Measurement]:
    """The measurement by its name; nothing where it was stopped before there was an estimate."""
    watch.begin(name)
    try:
        return {name: measured(land, progress=watch, density=density, **options)}
    except BudgetError:
        if not watch.stopped:
            raise
        return {}


def _written(
    out: Path, title: str, points: dict[str, Measurement], remarks: tuple[str, ...], force: bool, watch: Watch
) -> None:
    """Write document and page, print the table, say where they are; exit code 130 where the run was stopped."""
    if not points:
        failed(NOTHING, CODE)
    command = shlex.join(["egregium", *sys.argv[1:]])
    created = datetime.now(UTC).isoformat(timespec="seconds")
    session = Session(title, command, points, created, remarks)
    try:
        with Process.held():
            made(out)
            session.save(str(out / RESULT), force=force)
        content = page(session)
        with Process.held():
            write_whole(out / PAGE, content, force=force)
    except KeyboardInterrupt:
        failed(f"Interrupted while writing: what there is of {RESULT} and {PAGE} in {out} is whole.", CODE)
    OUT.print(table(session))
    for name, point in points.items():
        for note in point.scalar_curvature.notes:
            OUT.print(f"[yellow]{name}: {note}[/yellow]")
    if watch.stopped:
        OUT.print("[yellow]Interrupted: this is what was known by then.[/yellow]")
    OUT.print(f"\nThe page:     {(out / PAGE).resolve()}\nThe document: {(out / RESULT).resolve()}", soft_wrap=True)
    if watch.stopped:
        raise typer.Exit(CODE)

"""`egregium slice TARGET`: the loss and R over a plane through a point, with a training's checkpoints on it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from safetensors.torch import save

from egregium.cli.checkpoint import read_state
from egregium.cli.console import OUT, Watch, sentences, slice_table, watching
from egregium.cli.interruption import CODE, Process
from egregium.cli.output import command_line, made, now, prepared
from egregium.cli.target import DTYPES, Target, prepared_landscape
from egregium.errors import ArgumentError, DocumentError
from egregium.landscape import Landscape
from egregium.results import QUANTITIES, Directions, Slice, Trajectory, load, write_whole
from egregium.slices import components, plane, trajectory
from egregium.slices.directions import PAIRS

#: Files of a slice in its folder: the document, its directions, its places as they come, the checkpoints on it.
SLICE, ARRAYS, PLACES, TRAJECTORY = "slice.json", "slice.safetensors", "slice.jsonl", "trajectory.json"


@sentences
def slice_(
    target: Target,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="safetensors, or a saved state dict.")] = None,
    directions: Annotated[
        str | None, typer.Option("--directions", help=f"{', '.join(PAIRS)}, components; filter if not given.")
    ] = None,
    trail: Annotated[
        list[Path] | None,
        typer.Option("--trajectory", help="A checkpoint, once for each; the last is the centre."),
    ] = None,
    quantities: Annotated[
        str, typer.Option("--quantities", help=f"Of {', '.join(QUANTITIES)}, with commas.")
    ] = "loss,scalar_curvature",
    points: Annotated[int, typer.Option("--points", help="Places of the loss along each axis.")] = 21,
    coarse: Annotated[int, typer.Option("--coarse", help="Places of R along each axis.")] = 5,
    span: Annotated[float | None, typer.Option("--span", help="Half the side of the plane, in directions.")] = None,
    adaptive: Annotated[
        float | None,
        typer.Option("--adaptive", help="Look at the loss only where it bends by this share of it."),
    ] = None,
    statistics: Annotated[str, typer.Option("--statistics", help="Of BatchNorm: kept, or re-estimated.")] = "kept",
    rtol: Annotated[float, typer.Option("--rtol", help="Half-width of R's intervals over |R|.")] = 0.1,
    out: Annotated[Path, typer.Option("--out", help="Folder for slice.json; made where it is missing.")] = Path(
        "egregium-result"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Fixes directions and probes.")] = 0,
    device: Annotated[str | None, typer.Option("--device", help="Compute there, e.g. cuda.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help=f"Compute in it: {', '.join(DTYPES)}.")] = None,
    budget: Annotated[float | None, typer.Option("--budget", help="Most gradients of the full data.")] = None,
    memory: Annotated[str | None, typer.Option("--memory", help="Hold at most this, e.g. 4GiB, beyond now.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the slice there; known places are kept.")] = False,
) -> None:
    """Look at the loss and R over a plane through the point of TARGET; goes on where a killed run ended."""
    going_on = _unfinished(out)
    prepared(out, () if going_on else (SLICE, ARRAYS, *((TRAJECTORY,) if trail else ())), force)
    states = [(path, read_state(path)) for path in trail or ()]
    checkpoint = checkpoint or (trail[-1] if trail else None)
    land = prepared_landscape(target, checkpoint, device, dtype)
    made(out)
    how: dict[str, Any] = {
        "quantities": tuple(name.strip() for name in quantities.split(",")),
        "points": points,
        "coarse": coarse,
        "adaptive": adaptive,
        "statistics": statistics,
        "rtol": rtol,
        "seed": seed,
        "budget": budget,
        "memory": memory,
        "store": out / PLACES,
        "store_anew": force,
    }
    with watching() as watch:
        watch.begin("slice")
        how["progress"] = watch
        two = pair(land, directions, seed, [state for _, state in states])
        about = {"title": target, "target": target, "checkpoint": str(checkpoint or "")}
        found = _looked(land, two, span, how, states)
    keep(out, land, two, found, about, force or going_on)
    seen = found if isinstance(found, Slice) else found.plane
    assert seen is not None
    OUT.print(slice_table(replace(seen, title=target)))
    _told(seen, out, watch, bool(states))


def _looked(
    land: Landscape, two: Directions, span: float | None, how: dict[str, Any], states: Sequence[tuple[Path, Any]]
) -> Slice | Trajectory:
    """The plane, and the checkpoints on it where there are any."""
    if not states:
        return plane(land, two, span=span, **how)
    if span is not None:  # else what holds all checkpoints
        how = how | {"span": span}
    names = [path.stem for path, _ in states]
    return trajectory(land, [state for _, state in states], directions=two, names=names, **how)


def _unfinished(out: Path) -> bool:
    """Whether the slice in the folder did not go to its end: the same command goes on with it."""
    try:
        found = load(out / SLICE)
    except DocumentError:
        return False
    return isinstance(found, Slice) and not found.finished


def pair(land: Landscape, kind: str | None, seed: int, states: Sequence[Any] = ()) -> Directions:
    """The two directions of this kind; principal components of the checkpoints where there are any."""
    kind = kind or ("components" if states else "filter")
    if kind == "components":
        if not states:
            raise ArgumentError("--directions components needs checkpoints: --trajectory FILE, once for each.")
        return components(land, states)
    if kind not in PAIRS:
        raise ArgumentError(f"--directions must be one of {', '.join(PAIRS)}, components; got {kind!r}.")
    return PAIRS[kind](land, seed)


def keep(
    out: Path,
    land: Landscape,
    directions: Directions,
    found: Slice | Trajectory,
    about: Mapping[str, Any],
    force: bool,
) -> None:
    """Write the slice, the arrays it runs over, and the trajectory projected on it; each whole or not at all."""
    seen = found if isinstance(found, Slice) else found.plane
    assert seen is not None
    seen = replace(seen, command=command_line(), created=now(), **about)
    arrays = {"theta": land.theta.cpu(), "directions": directions.vectors.cpu().contiguous()}
    with Process.held():
        write_whole(out / ARRAYS, save(arrays), force=force)
        seen.save(str(out / SLICE), force=force)
        if isinstance(found, Trajectory):
            replace(found, plane=seen).save(str(out / TRAJECTORY), force=force)


def _told(seen: Slice, out: Path, watch: Watch, trail: bool) -> None:
    for note in seen.notes:
        OUT.print(note, style="yellow", markup=False)
    if watch.stopped:
        OUT.print("[yellow]Interrupted: this is what was known by then.[/yellow]")
    if not seen.finished:
        OUT.print("The same command goes on from here.", style="yellow")
    OUT.print()
    for name in (SLICE, ARRAYS, *((TRAJECTORY,) if trail else ())):
        OUT.print(f"{(out / name).resolve()}", soft_wrap=True, markup=False)
    OUT.print(f"\nAs a page: egregium report {shlex.quote(str(out))}", soft_wrap=True, markup=False)
    if watch.stopped:
        raise typer.Exit(CODE)

"""`egregium geometry`: the table of a point, and a plane through it with R and geodesics."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from egregium.cli.console import OUT, geometry_table, sentences, watching
from egregium.cli.interruption import CODE
from egregium.cli.output import command_line, made, now, prepared
from egregium.cli.target import DTYPES, Target, prepared_landscape
from egregium.geometry import portrait
from egregium.results import write_whole
from egregium.viz import plane_figure, surface_figure, svg

DOCUMENT, PLANE, SURFACE = "geometry.json", "plane.svg", "surface.svg"


@sentences
def geometry(
    target: Target,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="safetensors, or a saved state dict.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the document and the figures.")] = Path(
        "egregium-geometry"
    ),
    k: Annotated[int, typer.Option("--k", help="Principal curvatures at each end.")] = 3,
    grid: Annotated[int, typer.Option("--grid", help="R at grid x grid places of a plane; odd, 0 for no plane.")] = 7,
    radius: Annotated[
        float | None,
        typer.Option("--radius", help="Half the plane's side on the graph; default 1 / sqrt(sharpest curvature)."),
    ] = None,
    rtol: Annotated[
        float, typer.Option("--rtol", help="Half-width of R's interval over |R|; twice that over the plane.")
    ] = 0.05,
    scale: Annotated[float, typer.Option("--scale", help="Multiplies the loss.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Fixes all random probes.")] = 0,
    device: Annotated[str | None, typer.Option("--device", help="Compute there, e.g. cuda.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help=f"Compute in it: {', '.join(DTYPES)}.")] = None,
    budget: Annotated[float, typer.Option("--budget", help="Most gradients for the plane.")] = 10_000.0,
    memory: Annotated[str | None, typer.Option("--memory", help="Hold at most this, e.g. 4GiB, beyond now.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the results in that folder.")] = False,
) -> None:
    """The Riemannian geometry at the point of TARGET: curvatures, and geodesics and R over a plane."""
    prepared(out, (DOCUMENT, PLANE, SURFACE), force)
    land = prepared_landscape(target, checkpoint, device, dtype)
    with watching() as watch:
        watch.begin("geometry")
        found = portrait(
            land,
            k=k,
            grid=grid,
            radius=radius,
            rtol=rtol,
            scale=scale,
            seed=seed,
            budget=budget,
            memory=memory,
            progress=watch,
        )
    found = replace(found, title=target, command=command_line(), created=now())
    made(out)
    found.save(str(out / DOCUMENT), force=force)
    written = [DOCUMENT]
    for name, picture in ((PLANE, plane_figure(found)), (SURFACE, surface_figure(found))):
        if picture is not None:
            write_whole(out / name, svg(picture), force=force)
            written.append(name)
    OUT.print(geometry_table(found))
    for note in (*found.scalar_curvature.notes, *(found.plane.notes if found.plane is not None else ())):
        OUT.print(note, style="yellow", markup=False)
    if watch.stopped:
        OUT.print("[yellow]Interrupted: this is what was known by then.[/yellow]")
    OUT.print()
    for name in written:
        OUT.print(f"{(out / name).resolve()}", soft_wrap=True, markup=False)
    if watch.stopped:
        raise typer.Exit(CODE)

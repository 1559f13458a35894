"""`egregium reproduce`: the statements about scalar curvature, each of them run, with a verdict and one page."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer

from egregium.autodiff import memory_failures
from egregium.claims import CLAIMS, PRESETS, Claim, Run, StoppedError, reproduced
from egregium.cli.console import OUT, failed, sentence_of, sentences, watching
from egregium.cli.interruption import CODE, Process
from egregium.cli.output import command_line, made, now, prepared
from egregium.cli.session import PAGE
from egregium.cli.target import DTYPES, prepared_landscape
from egregium.cli.verdicts import MARKS, closing, complaints, verdict_table
from egregium.errors import ArgumentError, UnsuitableError
from egregium.estimators.probes import checked_seed
from egregium.landscape import Landscape
from egregium.report import collection, page
from egregium.results import ClaimResult, write_whole

ALL = "all"
STOPPING = "Stopping at the next step of this statement; press Ctrl-C again to stop at once."
UNUSABLE = "None of the statements can be run on this target. Leave out --target."
NOTHING = "Interrupted before a statement was done; nothing was written."


@dataclass
class Reproduction:
    """What there is so far: results, sentences for claims that could not be run, and where it all is written.

    `named`: the claims that were asked for by name, in lower case; others are left out where they cannot use a target.
    """

    out: Path
    force: bool
    named: frozenset[str] = frozenset()
    results: dict[str, ClaimResult] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    stopped: bool = False

    def keep(self, result: ClaimResult) -> None:
        """Write a result, whole or not at all."""
        result = replace(result, command=command_line(), created=now())
        with Process.held():
            made(self.out)
            result.save(str(self.out / f"{result.id}.json"), force=self.force)
            self.results[result.id] = result


@sentences
def reproduce(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="C1, C2, ... or all; all where none is named.")
    ] = None,
    preset: Annotated[str, typer.Option("--preset", help=f"{' or '.join(PRESETS)}: sizes and samples.")] = "quick",
    target: Annotated[
        str | None,
        typer.Option("--target", help="file.py:factory or package.module:factory of a Landscape to run them on."),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Of TARGET: safetensors or state dict.")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="Of TARGET, e.g. cuda.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help=f"Of TARGET: {', '.join(DTYPES)}.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for C1.json, ... and report.html.")] = Path(
        "egregium-claims"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Fixes everything random.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the results in that folder.")] = False,
) -> None:
    """Run the statements about scalar curvature; exit code 1 where one of them fails, 2 where one could not be run."""
    if preset not in PRESETS:
        raise ArgumentError(f"--preset must be one of {', '.join(PRESETS)}, got {preset!r}.")
    run = Run(preset, checked_seed(seed))
    _refuse_without_target(target, checkpoint=checkpoint, device=device, dtype=dtype)
    named = [name.strip().lower() for given in ids or [ALL] for name in given.split(",") if name.strip()]
    chosen, left_out = _chosen(named, target)
    prepared(out, (*(f"{claim.id}.json" for claim in chosen), PAGE), force)
    land = prepared_landscape(target, checkpoint, device, dtype) if target is not None else None
    for claim in left_out:
        _left_out(claim, claim.refusal)
    name = f"{target}{f' at {checkpoint}' if checkpoint is not None else ''}" if target is not None else ""
    done = Reproduction(out, force, frozenset(named))
    try:
        _run(chosen, run, land, name, done)
        if done.results:
            content = page(collection([out], command_line()))
            with Process.held():
                write_whole(out / PAGE, content, force=force)
    except KeyboardInterrupt:
        failed(_interrupted(done), CODE)
    _told(done)


def _refuse_without_target(target: str | None, **options: object) -> None:
    """Refuse what is about a TARGET where there is none."""
    for name, value in options.items():
        if target is None and value is not None:
            raise ArgumentError(f"--{name} is about a TARGET, and there is none. Pass --target too, or leave it out.")


def _chosen(ids: Sequence[str], target: str | None) -> tuple[list[Claim], list[Claim]]:
    """The claims that are named, in their order, and those of them that `all` meant and that cannot use a target.

    Raises ArgumentError for a claim that there is not, or that is named and cannot use the target.
    """
    by_name = {name.lower(): claim for name, claim in CLAIMS.items()}
    asked = set(ids)
    if unknown := [name for name in ids if name not in (*by_name, ALL)]:
        there = "\n".join(f"  {claim.id}  {claim.title}" for claim in CLAIMS.values())
        raise ArgumentError(f"There is no statement {unknown[0]!r}. Pass {ALL}, or some of\n{there}")
    chosen = [claim for name, claim in by_name.items() if ALL in asked or name in asked]
    if target is None:
        return chosen, []
    for claim in chosen:
        if claim.on_target is None and claim.id.lower() in asked:
            raise ArgumentError(f"{claim.id} cannot be run on a target: {claim.refusal} Leave out --target.")
    usable = [claim for claim in chosen if claim.on_target is not None]
    if not usable:
        raise ArgumentError(UNUSABLE)
    return usable, [claim for claim in chosen if claim.on_target is None]


def _run(chosen: Sequence[Claim], run: Run, land: Landscape | None, target: str, done: Reproduction) -> None:
    """Run one claim after the other and write each result at once; one that cannot be run stops no other."""
    with watching(STOPPING) as watch:
        for claim in chosen:
            watch.begin(claim.id)
            try:
                with memory_failures():
                    result = reproduced(claim, replace(run, progress=watch), land, target)
            except StoppedError:
                pass
            except UnsuitableError as error:
                if claim.id.lower() in done.named:
                    done.failures[claim.id] = str(error)
                else:
                    _left_out(claim, str(error))
            except Exception as error:
                if Process.came:  # the user's code made another exception of it
                    raise KeyboardInterrupt from error
                done.failures |= {} if watch.stopped else {claim.id: sentence_of(error, theirs=land is not None)}
            else:
                if not watch.stopped:  # else estimates in it may have ended early
                    done.keep(result)
            if watch.stopped:
                break
        done.stopped = watch.stopped


def _left_out(claim: Claim, why: str) -> None:
    OUT.print(f"{claim.id} is left out: {why}", style="dim", markup=False, soft_wrap=True)


def _interrupted(done: Reproduction) -> str:
    if not done.results:
        return NOTHING
    names = ", ".join(f"{name}.json" for name in done.results)
    return f"Interrupted: {names} in {done.out} are whole. As a page: egregium report {shlex.quote(str(done.out))}"


def _told(done: Reproduction) -> None:
    """Print what was found and where it is; exit where not everything holds."""
    if done.stopped and not done.results:
        failed(NOTHING, CODE)
    if not done.results and not done.failures:
        failed(UNUSABLE, 2)
    results = list(done.results.values())
    if results:
        OUT.print(verdict_table(results))
        OUT.print()
    for verdict, sentence in complaints(results):
        OUT.print(sentence, style=MARKS[verdict][1], markup=False, soft_wrap=True)
    for name, sentence in done.failures.items():
        OUT.print(f"{name} could not be run. {sentence}", style="bold red", markup=False, soft_wrap=True)
    if results:
        OUT.print(closing(done.results), style="bold")
    if done.stopped:
        OUT.print("Interrupted: the others were not run.", style="yellow")
    if results:
        places = f"\nThe page:      {(done.out / PAGE).resolve()}\nThe documents: {done.out.resolve()}"
        OUT.print(places, soft_wrap=True, markup=False)
    if code := _code(done):
        raise typer.Exit(code)


def _code(done: Reproduction) -> int:
    """130 interrupted, else 1 a statement fails, else 2 one could not be run, else 0."""
    if done.stopped:
        return CODE
    if any(one.verdict == "fails" for one in done.results.values()):
        return 1
    return 2 if done.failures else 0

"""`egregium study`: networks trained to one loss, measured, and how each measure ranks the generalisation gap."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from egregium.cli.console import OUT, Watch, failed, printed_whole, sentences, study_table, watching
from egregium.cli.interruption import CODE, Process
from egregium.cli.output import command_line, made, now, prepared
from egregium.cli.session import PAGE
from egregium.errors import ArgumentError
from egregium.report import collection, page
from egregium.results import Network, write_whole
from egregium.study import PRESETS, Heard, Plan, plan_of, preset, study, swept

#: Files of a study in its folder: the networks as they come, and what they say together.
NETWORKS, DOCUMENT = "networks.jsonl", "study.json"
REASONS = 3
STOPPING = "Stopping once the networks at work are done, which may take minutes; press Ctrl-C again to stop at once."


@sentences
def study_(
    name: Annotated[str | None, typer.Option("--preset", help=f"{', '.join(PRESETS)}; fashion if not given.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file: your own sweep and measures.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for networks.jsonl, study.json and report.html.")] = Path(
        "egregium-study"
    ),
    jobs: Annotated[int | None, typer.Option("--jobs", help="Processes; as many as there are cores.")] = None,
    device: Annotated[str, typer.Option("--device", help="Train and measure there, e.g. cuda.")] = "cpu",
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite study.json and report.html; networks are kept.")
    ] = False,
) -> None:
    """Train the networks of a study, measure them, and write which measure ranks the gap; goes on after a kill."""
    if name is not None and config is not None:
        raise ArgumentError("Give --preset or --config, not both.")
    plan = plan_of(config) if config is not None else preset(name or PRESETS[0])
    going_on = (out / NETWORKS).exists()
    prepared(out, () if going_on else (DOCUMENT, PAGE), force)
    made(out)
    with watching(STOPPING) as watch:
        networks = swept(
            plan,
            out / NETWORKS,
            jobs=(os.cpu_count() or 1) if jobs is None else jobs,
            device=device,
            heard=_heard(watch, plan.title or "study"),
        )
    found = replace(study(plan, networks), command=command_line(), created=now())
    with Process.held():
        found.save(str(out / DOCUMENT), force=force or going_on)
        write_whole(out / PAGE, page(collection([out], command_line())), force=force or going_on)
    if found.rankings:
        printed_whole(study_table(found))
    for sentence in found.findings:
        OUT.print(sentence, markup=False)
    _told(plan, networks, out, watch)


def _heard(watch: Watch, title: str) -> Heard:
    def heard(network: Network | None, done: int, planned: int) -> bool:
        watch.begin(f"{title}: {done} of {planned} networks")
        watch.advanced(done / planned)
        return not watch.stopped

    return heard


def _told(plan: Plan, networks: list[Network], out: Path, watch: Watch) -> None:
    if watch.stopped or len(networks) < len(plan.settings):
        OUT.print(
            f"{len(networks)} of {len(plan.settings)} networks are done; the same command goes on.", style="yellow"
        )
    reasons = Counter(one.reason for one in networks if one.reason)
    for reason, count in reasons.most_common(REASONS):
        OUT.print(f"{count} could not be measured: {reason}", style="yellow", markup=False, soft_wrap=True)
    OUT.print(f"\nThe page:     {(out / PAGE).resolve()}\nThe networks: {(out / NETWORKS).resolve()}", soft_wrap=True)
    if watch.stopped:
        raise typer.Exit(CODE)
    if not any(one.status == "trained" for one in networks):
        failed("No network counts, so that there is nothing to rank.", 2)

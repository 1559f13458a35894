"""Statements made up for the command that runs them, and the command run in this process."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from handmade_claims import HOLDING, chart
from typer.testing import CliRunner

from egregium.claims import Claim, Outcome, Run
from egregium.cli import reproduce
from egregium.cli.app import app
from egregium.landscape import Landscape
from egregium.results import Check


def made_up(id_: str, *checks: Check, run: Callable[[Run], Outcome] | None = None, target: bool = True) -> Claim:
    outcome = Outcome(checks, (chart(),), ("A note.",))

    def on_target(land: Landscape, how: Run) -> Outcome:
        return run(how) if run is not None else Outcome((replace(HOLDING, subject=f"n = {land.n}"),))

    return Claim(
        id_,
        f"Statement {id_}",
        "R = R",
        "nowhere",
        "none",
        "nothing",
        run or (lambda _: outcome),
        on_target if target else None,
        refusal="" if target else "it is about spheres.",
    )


def has(monkeypatch: pytest.MonkeyPatch, *claims: Claim) -> None:
    monkeypatch.setattr(reproduce, "CLAIMS", {claim.id: claim for claim in claims})


def run(*args: str) -> tuple[int, str, str]:
    """Exit code, and what was said on either stream, on one line each."""
    done = CliRunner().invoke(app, ["reproduce", *args], env={"TERM": "dumb", "COLUMNS": "200", "NO_COLOR": "1"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, " ".join(done.stdout.split()), " ".join(done.stderr.split())

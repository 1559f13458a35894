"""What a claim is: a statement, under which condition it holds, and how it is run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch

from egregium.errors import UnsuitableError
from egregium.estimators import Progress, ProgressCallback, stopped
from egregium.landscape import Landscape
from egregium.results import Chart, Check, ClaimResult, Cost, environment

Preset = Literal["quick", "full"]
PRESETS: tuple[Preset, ...] = ("quick", "full")
Size = TypeVar("Size")


class StoppedError(Exception):
    """Progress answered that the run should end; what was compared by then would not be the whole statement."""


@dataclass(frozen=True)
class Run:
    """How a claim is run: its preset, the seed of everything random, and who is told of its progress."""

    preset: Preset = "quick"
    seed: int = 0
    progress: ProgressCallback | None = None

    def pick(self, quick: Size, full: Size) -> Size:
        """A size by preset."""
        return quick if self.preset == "quick" else full

    def advance(self, phase: str, fraction: float) -> None:
        """Say what comes next; raises StoppedError where the answer is to stop."""
        if stopped(self.progress, Progress(phase, fraction, None, Cost())):
            raise StoppedError(phase)


@dataclass(frozen=True)
class Outcome:
    """What a run found: comparisons, pictures as data, and what a reader must know."""

    checks: tuple[Check, ...]
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A statement that can be run.

    Attributes:
        id, title, statement, source, condition, simulated: as in `ClaimResult`.
        run: on surfaces in closed form and a trained network.
        on_target: on a landscape of the user's own, at its point; None where that makes no sense.
        simulated_on_target: what is simulated there. refusal: why it makes no sense.
    """

    id: str
    title: str
    statement: str
    source: str
    condition: str
    simulated: str
    run: Callable[[Run], Outcome]
    on_target: Callable[[Landscape, Run], Outcome] | None = None
    simulated_on_target: str = ""
    refusal: str = ""


def reproduced(claim: Claim, run: Run, land: Landscape | None = None, target: str = "") -> ClaimResult:
    """Run a claim, on the user's landscape where one is given.

    Raises UnsuitableError where the claim cannot use the landscape, StoppedError where progress asked to stop.
    """
    started = time.perf_counter()
    if land is None:
        outcome = claim.run(run)
    elif claim.on_target is None:
        raise UnsuitableError(f"{claim.id} cannot be run on a target: {claim.refusal}")
    else:
        outcome = claim.on_target(land, run)
    device, dtype = (torch.device("cpu"), torch.float64) if land is None else (land.device, land.dtype)
    return ClaimResult(
        id=claim.id,
        title=claim.title,
        statement=claim.statement,
        source=claim.source,
        condition=claim.condition,
        simulated=claim.simulated if land is None else claim.simulated_on_target,
        checks=outcome.checks,
        charts=outcome.charts,
        preset=run.preset,
        seed=run.seed,
        target=target,
        command="",
        created="",
        seconds=time.perf_counter() - started,
        environment=environment(device, dtype, run.seed),
        notes=outcome.notes,
    )

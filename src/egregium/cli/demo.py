"""`egregium demo`: a small network on the digits, measured before and after training, and the plane it trained in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from egregium.cli import digits
from egregium.cli.console import Watch, sentences, watching
from egregium.cli.output import command_line, prepared
from egregium.cli.session import PAGE, RESULT, Force, Out, Rtol, Seed, points_at, written
from egregium.cli.slice import ARRAYS, SLICE, TRAJECTORY, keep
from egregium.datasets import digits as real_digits
from egregium.landscape import Landscape
from egregium.report import collection, page
from egregium.results import Measurement
from egregium.slices import components, trajectory

TITLE = "A small network on the digits"
#: What the plane of the training shows.
LOOK: dict[str, Any] = {"quantities": ("loss", "scalar_curvature"), "points": 25, "coarse": 7, "rtol": 0.1}


@sentences
def demo(out: Out = Path("egregium-demo"), rtol: Rtol = 0.01, seed: Seed = 0, force: Force = False) -> None:
    """Train a small network on the digits; measure it at initialisation and after training."""
    prepared(out, (RESULT, PAGE, SLICE, ARRAYS, TRAJECTORY), force)
    train, test = real_digits()
    model = digits.network(seed)
    land = Landscape(model, torch.nn.CrossEntropyLoss(), (train.inputs, train.targets))
    points: dict[str, Measurement] = {}
    states: dict[str, dict[str, torch.Tensor]] = {}
    with watching() as watch:
        points |= points_at(land, "initialisation", watch, rtol=rtol, seed=seed)
        if not watch.stopped:
            watch.begin("training")
            states |= digits.train(model, train, watch.advanced)
            points |= points_at(land, "trained", watch, rtol=rtol, seed=seed)

    def with_plane() -> str:
        """Look at the plane that the training went through; the page of it and the points."""
        if not watch.stopped:
            with watching() as looking:
                looking.begin("the plane of the training")
                _plane(out, land, states, seed, looking, force)
            watch.stopped = looking.stopped
        return page(collection([out], command_line()))

    remark = (
        f"A tanh network 64-32-10, cross-entropy on {len(train.targets):,} scikit-learn digits, "
        f"{digits.STEPS} steps of full-batch Adam. Accuracy now: {digits.accuracy(model, train):.1%} on these, "
        f"{digits.accuracy(model, test):.1%} on {len(test.targets)} others."
    )
    written(out, TITLE, points, (remark,), force, watch, with_plane)


def _plane(
    out: Path, land: Landscape, states: Mapping[str, Mapping[str, torch.Tensor]], seed: int, watch: Watch, force: bool
) -> None:
    """The loss and R over the plane of the checkpoints' first two components, and the checkpoints on it; written."""
    two = components(land, list(states.values()))
    path = trajectory(
        land, list(states.values()), directions=two, names=list(states), seed=seed, progress=watch, **LOOK
    )
    keep(out, land, two, path, {"title": TITLE, "target": digits.TARGET}, force)

"""Plans and networks of studies that tests share."""

from pathlib import Path
from typing import Any

import torch

from egregium.results import Network, environment
from egregium.study import Plan, plan_of

TINY = """
title = "A study of four"
data = "digits"
train = 60
loss = 0.5
epochs = 40
measures = {measures}
{more}
[base]
depth = 1
width = 4
learning_rate = 0.05

[[sweep]]
name = "factorial"
batch_size = [10, 20]
optimiser = ["sgd", "sam"]
"""


def tiny(folder: Path, measures: tuple[str, ...] = ("trace", "weight_norm"), more: str = "") -> Plan:
    """A plan of four small networks."""
    return plan_of(tiny_file(folder, measures, more))


def tiny_file(folder: Path, measures: tuple[str, ...] = ("trace", "weight_norm"), more: str = "") -> Path:
    path = folder / "tiny.toml"
    path.write_text(TINY.format(measures=list(measures), more=more))
    return path


def made_up(setting: dict[str, Any], numbers: dict[str, float], status: str = "trained", reason: str = "") -> Network:
    """A network that nobody trained."""
    return Network(
        setting=setting,
        status=status,
        reason=reason,
        numbers=numbers,
        half_widths=dict.fromkeys(numbers, 0.0),
        parameters=10,
        epochs=1.5,
        training_seconds=1.0,
        seconds=2.0,
        data="d",
        code="c",
        environment=environment(torch.device("cpu"), torch.float32, 0),
    )

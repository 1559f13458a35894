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


OWN = """
import multiprocessing, os, time, torch
from pathlib import Path
from torch import nn
def data(x):
    return (x[:60], (x[:60, 0] > 0).long()), (x[60:], (x[60:, 0] > 0).long())
def seeded():
    return data(torch.randn(80, 6, generator=torch.Generator().manual_seed(SEED)))
def unseeded():
    return data(torch.randn(80, 6) + time.time() % 1)
def endless(setting, classes):
    if multiprocessing.parent_process() is not None:
        folder = Path(__file__).parent / "at-work"
        folder.mkdir(exist_ok=True)
        (folder / str(os.getpid())).touch()
        time.sleep(600)
    return nn.Linear(6, classes)
def narrow(setting, classes):
    return nn.Linear(5, classes)
def alone(setting, classes):
    return nn.Linear(6, 1)
def broken(setting, classes):
    return 1 / 0
"""


def tiny(folder: Path, measures: tuple[str, ...] = ("trace", "weight_norm"), more: str = "") -> Plan:
    """A plan of four small networks."""
    return plan_of(tiny_file(folder, measures, more))


def tiny_file(folder: Path, measures: tuple[str, ...] = ("trace", "weight_norm"), more: str = "") -> Path:
    path = folder / "tiny.toml"
    path.write_text(TINY.format(measures=list(measures), more=more))
    return path


def own_plan(folder: Path, data: str, architecture: str = "mlp", seed: int = 0) -> Path:
    """A file of the four networks with data and networks of the user's own."""
    (folder / "own_sweep.py").write_text(OWN.replace("SEED", str(seed)))
    name = f"{folder / 'own_sweep.py'}:"
    kept = architecture if architecture == "mlp" else name + architecture
    path = tiny_file(folder)
    text = path.read_text().replace('"digits"', f'"{name}{data}"').replace("loss = 0.5", "loss = 0.65")
    path.write_text(text.replace("[base]", f'[base]\narchitecture = "{kept}"'))
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

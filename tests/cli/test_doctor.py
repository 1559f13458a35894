"""`egregium doctor`, as a user runs it: what it prints, in which width, and its exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

TARGETS = """
import torch, egregium as eg
import torch.nn.functional as F
from torch import nn

class Network(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.first, self.last, self.rate = nn.Linear(6, 8), nn.Linear(8, 3), rate

    def forward(self, x):
        h = self.first(x).tanh()
        h = F.dropout(h, self.rate, training=True)
        return self.last(h)

def landscape(rate=0.5, loss=None):
    torch.manual_seed(0)
    data = [(torch.randn(8, 6), torch.randint(0, 3, (8,))) for _ in range(3)]
    return eg.Landscape(Network(rate), loss or nn.CrossEntropyLoss(), data)

def well():
    return landscape(0.0)

def fails():
    return landscape(0.0, lambda z, y: (z @ z).mean())

def function():
    return eg.Landscape.from_function(lambda x: (x ** 2).sum(), torch.zeros(4))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(TARGETS)
    return tmp_path


def doctor(folder: Path, *args: str, columns: int = 100) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("egregium")), "doctor", *args]
    environment = {**os.environ, "COLUMNS": str(columns)}
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env=environment
    )


@pytest.mark.parametrize("columns", [80, 100])
def test_a_fault_is_named_and_the_exit_code_is_1(folder: Path, columns: int) -> None:
    done = doctor(folder, "mine.py:landscape", columns=columns)
    assert (done.returncode, done.stderr) == (1, "")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[0].startswith("The loss changes between passes over the data: ")
    assert lines[2] == "✗ dropout    dropout is on in evaluation mode too"
    assert lines[3].strip() == "mine.py:13: h = F.dropout(h, self.rate, training=True)"
    assert lines[4].strip() == "→ Pass training=self.training."
    assert lines[-1].startswith("4 passes over the data.")
    assert max(map(len, lines)) <= columns


def test_all_well_is_0(folder: Path) -> None:
    for target in ("mine.py:well", "mine.py:function"):
        done = doctor(folder, target)
        assert (done.returncode, done.stderr) == (0, "")
        assert "The loss is the same in every pass over the data" in done.stdout
        assert "2 passes" in done.stdout
        assert "✗" not in done.stdout


def test_at_a_checkpoint_and_in_a_dtype(folder: Path) -> None:
    state = {name: torch.zeros(shape) for name, shape in (("first.weight", (8, 6)), ("last.weight", (3, 8)))}
    state |= {"first.bias": torch.zeros(8), "last.bias": torch.zeros(3)}
    torch.save(state, folder / "zeros.pt")
    done = doctor(folder, "mine.py:landscape", "--checkpoint", "zeros.pt", "--dtype", "float64")
    assert done.returncode == 0, done.stdout  # nothing is left to drop out: all outputs are 0
    assert "1.09861" in done.stdout  # log 3


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("mine.py:nowhere",), "no function 'nowhere'"),
        (("none.py:x",), "no file none.py"),
        (("mine.py:fails",), "The loss failed on batch 0"),
        (("mine.py:well", "--dtype", "int8"), "--dtype must be one of"),
        (("mine.py:well", "--device", "nowhere"), "device 'nowhere' cannot be used"),
        (("mine.py:well", "--checkpoint", "none.pt"), "no checkpoint none.pt"),
        (("mine.py:function", "--checkpoint", "none.pt"), "no model to load"),
    ],
)
def test_bad_input_is_a_sentence_and_2(folder: Path, args: tuple[str, ...], words: str) -> None:
    done = doctor(folder, *args)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr + done.stdout

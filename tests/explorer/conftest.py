"""A small plane in a directory, and the landscape that it was cut from."""

from pathlib import Path

import pytest
from commands import run

TARGET = """
import torch, egregium as eg
from torch import nn

def network():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    return eg.Landscape(model, nn.CrossEntropyLoss(), (torch.randn(20, 3), torch.randint(0, 2, (20,))))
"""


@pytest.fixture(scope="session")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of mine.py, with a slice in `run`."""
    folder = tmp_path_factory.mktemp("explored")
    (folder / "mine.py").write_text(TARGET)
    done = run(folder, "slice", "mine.py:network", "--points", "7", "--coarse", "3", "--rtol", "0.3", "--out", "run")
    assert done.returncode == 0, done.stderr
    return folder

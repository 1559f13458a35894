"""`egregium geometry`, as a user runs it."""

import subprocess
from pathlib import Path

import commands
import pytest

import egregium as eg

TARGET = """
import torch, egregium as eg
from torch import nn

def network():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    return eg.Landscape(model, nn.CrossEntropyLoss(), (torch.randn(20, 3), torch.randint(0, 2, (20,))))

def line():
    return eg.Landscape.from_function(lambda x: x @ x, torch.zeros(1))
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "mine.py").write_text(TARGET)
    return commands.run(folder, "geometry", *arguments)


def test_table_document_and_pictures(tmp_path: Path) -> None:
    done = run(tmp_path, "mine.py:network", "--grid", "3", "--out", "there", "--k", "2")
    assert done.returncode == 0, done.stderr
    for words in ("scalar curvature R", "sectional curvature", "largest, number 2", "Intervals at 95 %", "surface.svg"):
        assert words in done.stdout
    found = eg.load(tmp_path / "there" / "geometry.json")
    assert found.title == "mine.py:network"
    assert "geometry mine.py:network --grid 3" in found.command
    for name in ("plane.svg", "surface.svg"):
        assert (tmp_path / "there" / name).read_text().startswith("<svg")
    again = run(tmp_path, "mine.py:network", "--grid", "3", "--out", "there")
    assert again.returncode == 2
    assert "--force" in again.stderr


def test_numbers_alone(tmp_path: Path) -> None:
    done = run(tmp_path, "mine.py:network", "--grid", "0", "--out", "there")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "there").iterdir()) == ["geometry.json"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("mine.py:network", "--grid", "4"), "grid must be odd"),
        (("mine.py:line",), "at least two parameters"),
        (("mine.py:nothing",), "has no function"),
        (("mine.py:network", "--dtype", "int8"), "--dtype must be"),
        (("mine.py:network", "--out", "mine.py"), "is a file"),
        (("mine.py:network", "--scale", "0"), "scale must be"),
    ],
)
def test_sentences(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "egregium-geometry").exists()

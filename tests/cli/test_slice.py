"""`egregium slice`, as a user runs it."""

import os
import signal
import subprocess
import time
from pathlib import Path

import commands
import pytest
import torch
from safetensors.torch import load_file

import egregium as eg

TARGET = """
import torch, egregium as eg
from torch import nn

def network():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
    return eg.Landscape(model, nn.CrossEntropyLoss(), (torch.randn(20, 3), torch.randint(0, 2, (20,))))
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "mine.py").write_text(TARGET)
    return commands.run(folder, "slice", *arguments)


def checkpoints(folder: Path, count: int) -> list[str]:
    """State dicts of the network's shapes, each a step further."""
    space: dict[str, object] = {}
    exec(TARGET, space)
    model = space["network"]().model
    names = []
    for k in range(count):
        state = {
            n: t + 0.1 * k * torch.randn_like(t) if t.is_floating_point() else t for n, t in model.state_dict().items()
        }
        torch.save(state, folder / f"step{k}.pt")
        names.append(f"step{k}.pt")
    return names


def test_documents_and_arrays(tmp_path: Path) -> None:
    options = ["--points", "5", "--coarse", "3", "--quantities", "loss, accuracy,scalar_curvature", "--rtol", "0.3"]
    done = run(tmp_path, "mine.py:network", *options, "--statistics", "re-estimated", "--out", "there")
    assert done.returncode == 0, done.stderr
    for words in ("loss at the centre", "running statistics", "re-estimated", "9 places", "egregium report there"):
        assert words in done.stdout
    found = eg.load(tmp_path / "there" / "slice.json")
    assert found.target == "mine.py:network"
    assert "slice mine.py:network --points 5" in found.command
    arrays = load_file(tmp_path / "there" / "slice.safetensors")
    assert arrays["directions"].shape == (found.n, 2)
    assert arrays["directions"].norm(dim=0).tolist() == pytest.approx(found.lengths)
    again = run(tmp_path, "mine.py:network", *options, "--out", "there")
    assert again.returncode == 2
    assert "--force" in again.stderr
    other = run(tmp_path, "mine.py:network", "--points", "3", "--quantities", "loss", "--out", "there", "--force")
    assert other.returncode == 0, other.stderr
    assert list(eg.load(tmp_path / "there" / "slice.json").sheets) == ["loss"]


def test_a_trajectory(tmp_path: Path) -> None:
    options = [word for name in checkpoints(tmp_path, 4) for word in ("--trajectory", name)]
    done = run(tmp_path, "mine.py:network", *options, "--points", "3", "--quantities", "loss", "--out", "there")
    assert done.returncode == 0, done.stderr
    found = eg.load(tmp_path / "there" / "trajectory.json")
    assert found.names == ("step0", "step1", "step2", "step3")
    assert found.coordinates[-1].abs().max() < 1e-5  # the last is the centre
    assert found.plane.sheets["loss"].values.shape == (3, 3)
    assert found.plane.checkpoint == "step3.pt"


def test_a_killed_command_goes_on(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TARGET)
    options = ["mine.py:network", "--points", "61", "--quantities", "loss", "--out", "there"]
    killed = subprocess.Popen([*commands.MAIN, "slice", *options], cwd=tmp_path, stdout=subprocess.DEVNULL)
    store, begun = tmp_path / "there" / "slice.jsonl", time.monotonic()
    while not store.exists() or store.read_bytes().count(b"\n") < 10:
        assert killed.poll() is None
        assert time.monotonic() - begun < 120
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "there" / "slice.json").exists()
    other = run(tmp_path, *options, "--seed", "3")
    assert other.returncode == 2
    assert "holds another slice" in other.stderr
    before = store.read_bytes()
    done = run(tmp_path, *options)
    assert done.returncode == 0, done.stderr
    assert store.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    assert bool(eg.load(tmp_path / "there" / "slice.json").sheets["loss"].measured.all())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--directions", "uniform"], "--directions must be one of"),
        (["--directions", "components"], "needs checkpoints"),
        (["--quantities", "sharpness"], "quantities must be some of"),
        (["--statistics", "moved"], "statistics must be"),
        (["--trajectory", "none.pt"], "There is no checkpoint none.pt"),
        (["--points", "1"], "points must be"),
    ],
)
def test_bad_commands_are_sentences(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run(tmp_path, "mine.py:network", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_same_command_goes_on_after_its_budget(tmp_path: Path) -> None:
    """What was not looked at is not called infinite; no --force is needed to go on, and nothing is measured twice."""
    options = ["mine.py:network", "--points", "5", "--quantities", "loss,accuracy", "--out", "there"]
    first = run(tmp_path, *options, "--budget", "6")
    assert first.returncode == 0, first.stderr
    assert "The same command goes on from here." in first.stdout
    assert "not finite" not in first.stdout
    assert "not looked at" in first.stdout
    assert "nowhere" not in first.stdout
    before = (tmp_path / "there" / "slice.jsonl").read_bytes()
    done = run(tmp_path, *options)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "there" / "slice.jsonl").read_bytes().startswith(before)
    found = eg.load(tmp_path / "there" / "slice.json")
    assert found.finished
    assert bool(found.sheets["accuracy"].measured.all())
    assert run(tmp_path, *options).returncode == 2  # finished: now it is kept

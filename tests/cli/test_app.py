"""The command, as a user runs it: a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from commands import heard
from safetensors.torch import save_file

import egregium as eg

TARGETS = """
import time, torch, egregium as eg
from torch import nn

def landscape(loss=None, hidden=12):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, hidden), nn.Tanh(), nn.Linear(hidden, 3))
    x, y = torch.randn(40, 6), torch.randint(0, 3, (40,))
    return eg.Landscape(model, loss or nn.CrossEntropyLoss(), (x, y))

def slow():
    calls = []
    def loss(z, y):
        calls.append(1)
        time.sleep(0.1)
        if len(calls) == 30:  # the first estimate is known after 13 passes, the exact one after 350
            open("begun", "w").close()
        return nn.functional.cross_entropy(z, y)
    return landscape(loss, hidden=600)

def nan():
    return landscape(lambda z, y: (z * float("nan")).mean())

def fails():
    return landscape(lambda z, y: (z @ z).mean())

def unsupported():
    return landscape(lambda z, y: z)

def frozen():
    model = nn.Linear(2, 2).requires_grad_(False)
    return eg.Landscape(model, nn.MSELoss(), (torch.ones(3, 2), torch.ones(3, 2)))

def empty():
    return eg.Landscape(nn.Linear(2, 2), nn.MSELoss(), [])

def once():
    return eg.Landscape(nn.Linear(2, 2), nn.MSELoss(), iter([(torch.ones(3, 2), torch.ones(3, 2))]))

def function():
    return eg.Landscape.from_function(lambda x: (x ** 2).sum(), torch.zeros(4, dtype=torch.float64))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(TARGETS)
    return tmp_path


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("egregium")), *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_measure_writes_document_and_page(folder: Path) -> None:
    done = run(folder, "measure", "mine.py:landscape", "--rtol", "0.2", "--out", "out", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar in a pipe
    session = eg.load(folder / "out" / "result.json")
    (m,) = session.measurements.values()
    assert m.n == 6 * 12 + 12 + 12 * 3 + 3
    assert session.command == "egregium measure mine.py:landscape --rtol 0.2 --out out --seed 3"
    assert str(m.scalar_curvature).replace("+/-", "±").removesuffix(" (95 %)") in done.stdout
    assert str((folder / "out" / "report.html").resolve()) in done.stdout
    assert str(m.scalar_curvature.value)[:5] in (folder / "out" / "report.html").read_text()


def test_checkpoint_dtype_and_seed(folder: Path) -> None:
    state = {
        f"module.{name}": torch.full(shape, 0.1)
        for name, shape in (("0.weight", (12, 6)), ("0.bias", (12,)), ("2.weight", (3, 12)), ("2.bias", (3,)))
    }
    save_file(state, folder / "epoch7.safetensors")
    args = ("measure", "mine.py:landscape", "--checkpoint", "epoch7.safetensors", "--dtype", "float64", "--rtol", "0.5")
    assert run(folder, *args).returncode == 0
    session = eg.load(folder / "egregium-result" / "result.json")
    m = session.measurements["epoch7"]
    assert m.environment.dtype == "float64"
    assert m.loss == pytest.approx(1.0986, abs=1e-3)  # all outputs alike: log 3


def test_nothing_is_overwritten_without_force(folder: Path) -> None:
    args = ("measure", "mine.py:function", "--out", "out")
    assert run(folder, *args).returncode == 0
    before = (folder / "out" / "result.json").read_bytes()
    refused = run(folder, *args)
    assert (refused.returncode, "--force" in refused.stderr) == (2, True)
    assert (folder / "out" / "result.json").read_bytes() == before
    assert run(folder, *args, "--force").returncode == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("mine.py:nan",), "nan on batch 0"),
        (("mine.py:fails",), "The loss failed on batch 0: its output is float32"),
        (("mine.py:unsupported",), "must return a scalar"),
        (("mine.py:frozen",), "requires grad"),
        (("mine.py:empty",), "no batches"),
        (("mine.py:once",), "one-shot"),
        (("mine.py:nowhere",), "no function 'nowhere'"),
        (("none.py:x",), "no file none.py"),
        (("mine.py:landscape", "--rtol", "0"), "rtol must be"),
        (("mine.py:landscape", "--rtol", "x"), "rtol"),
        (("mine.py:landscape", "--budget", "3"), "Raise budget="),
        (("mine.py:landscape", "--dtype", "int8"), "--dtype must be one of"),
        (("mine.py:landscape", "--device", "nowhere"), "device 'nowhere' cannot be used"),
        (("mine.py:landscape", "--seed", "-1"), "seed must be"),
        (("mine.py:landscape", "--checkpoint", "none.pt"), "no checkpoint none.pt"),
        (("mine.py:landscape", "--checkpoint", "mine.py"), "mine.py"),
        (("mine.py:function", "--checkpoint", "mine.py"), "no model to load"),
        (("mine.py:landscape", "--out", "mine.py/x"), "--out mine.py/x"),
    ],
)
def test_bad_input_is_a_sentence(folder: Path, args: tuple[str, ...], words: str) -> None:
    done = run(folder, "measure", *args)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr + done.stdout
    assert not list(folder.rglob("result.json")) + list(folder.rglob("report.html"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_the_partial_estimate(folder: Path, kind: signal.Signals) -> None:
    """Interrupted in the middle: exit code 130, an interval, converged is False."""
    command = [str(Path(sys.executable).with_name("egregium")), "measure", "mine.py:slow", "--rtol", "1e-4"]
    command += ["--budget", "1e9", "--out", "out"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, text=True, preexec_fn=heard, **pipes) as process:  # type: ignore[call-overload]
        while not (folder / "begun").exists():
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(kind)
        _, err = process.communicate(timeout=90)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Stopping" in err
    document = json.loads((folder / "out" / "result.json").read_text())
    estimate = document["result"]["measurements"]["mapping"]["this point"]["scalar_curvature"]
    assert estimate["converged"] is False
    assert estimate["stderr"] > 0
    assert "Stopped" in estimate["notes"][0]


def test_version_and_help() -> None:
    assert run(Path.cwd(), "--version").stdout.strip() == eg.__version__
    shown = run(Path.cwd(), "--help").stdout
    assert "demo" in shown
    assert "measure" in shown


def test_demo_from_training_to_page(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--rtol", "0.1", "--out", "d")
    assert done.returncode == 0, done.stderr
    session = eg.load(tmp_path / "d" / "result.json")
    start, end = session.measurements["initialisation"], session.measurements["trained"]
    assert end.loss < 0.1 * start.loss
    assert end.scalar_curvature.converged
    for m in (start, end):
        assert m.largest is not None
        assert m.density is not None
    assert (tmp_path / "d" / "report.html").read_text().startswith("<!doctype html>")

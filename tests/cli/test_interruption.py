"""Ctrl-C at any moment: never a traceback, exit code 130 or 0, and the folder untouched or with whole documents."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import heard
from safetensors.torch import load_file

import egregium as eg

MINE = """
import time, torch, egregium as eg
from torch import nn

def landscape():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 60), nn.Tanh(), nn.Linear(60, 3))
    x, y = torch.randn(40, 6), torch.randint(0, 3, (40,))

    def loss(z, y):
        open("begun", "w").close()
        time.sleep(0.02)
        return nn.functional.cross_entropy(z, y)

    return eg.Landscape(model, loss, (x, y))

def swallowing():
    open("begun", "w").close()
    try:
        time.sleep(600)
    except BaseException as error:
        raise ImportError("a library made this of Ctrl-C") from error
"""
#: Says when the command begins: what comes before is Python's own start.
BEGIN = "from egregium.cli import main; print('begins', file=open('started', 'w'), flush=True); main()"
COMMANDS = {"measure": ["measure", "mine.py:landscape", "--rtol", "0.2"], "demo": ["demo", "--rtol", "0.1"]}
SESSION = {"result.json", "report.html"}
#: What the demo writes beside it, all at once.
PLANE = {"slice.json", "slice.safetensors", "trajectory.json"}
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "out").mkdir()
    for name in SESSION:
        (tmp_path / "out" / name).write_text("precious")
    return tmp_path


def begun(folder: Path, *args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BEGIN, *args, "--out", "out", "--force"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, text=True, preexec_fn=heard, **pipes)  # type: ignore[call-overload]


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    while not file.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def checked(process: subprocess.Popen[str], folder: Path, codes: tuple[int, ...] = (130,)) -> str:
    """What it said; it ended as it must."""
    out, err = process.communicate(timeout=300)
    # a signal that comes while the interpreter itself ends is the system's: to a shell 130 as well
    code = 130 if process.returncode == -signal.SIGINT else process.returncode
    assert code in codes, out + err
    assert "Traceback" not in out + err
    assert "Error" not in out + err
    if code == 130:
        assert "Interrupted" in out + err
    names = {p.name for p in (folder / "out").iterdir()}
    assert names in (SESSION, SESSION | PLANE)
    for name in names & PLANE:
        assert (eg.load if name.endswith(".json") else load_file)(folder / "out" / name)
    if (folder / "out" / "result.json").read_text() != "precious":
        assert eg.load(folder / "out" / "result.json").measurements
    page = (folder / "out" / "report.html").read_text()
    assert page == "precious" or page.rstrip().endswith("</html>")
    return out + err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("moment", [0.0, 0.05, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0])
def test_at_any_moment(moment: float, command: str, folder: Path) -> None:
    process = begun(folder, *COMMANDS[command])
    wait_for(folder / "started", process)
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    checked(process, folder, (130, 0))


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_while_it_measures(kind: signal.Signals, folder: Path) -> None:
    """There may be an estimate by then, or none."""
    process = begun(folder, *COMMANDS["measure"])
    wait_for(folder / "begun", process)
    process.send_signal(kind)
    assert "Stopping after this product" in checked(process, folder)


def test_after_the_plane_of_the_demo(folder: Path) -> None:
    """The page is still the old one, and how to make it is said."""
    process = begun(folder, *COMMANDS["demo"])
    wait_for(folder / "out" / "trajectory.json", process)
    process.send_signal(signal.SIGINT)
    said = checked(process, folder)
    assert {p.name for p in (folder / "out").iterdir()} == SESSION | PLANE
    assert "As a page: egregium report out --force" in said
    assert (folder / "out" / "report.html").read_text() == "precious"


def test_twice(folder: Path) -> None:
    process = begun(folder, *COMMANDS["measure"], "--budget", "1e9", "--rtol", "1e-9")
    wait_for(folder / "begun", process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    checked(process, folder)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_what_others_make_of_it(kind: signal.Signals, folder: Path) -> None:
    """A library that turns Ctrl-C into an error of its own does not hide it."""
    process = begun(folder, "measure", "mine.py:swallowing")
    wait_for(folder / "begun", process)
    process.send_signal(kind)
    assert "nothing was written" in checked(process, folder)
    assert (folder / "out" / "result.json").read_text() == "precious"


def test_in_the_background_of_a_script_ctrl_c_is_not_for_us(folder: Path) -> None:
    command = [sys.executable, "-c", BEGIN, *COMMANDS["measure"], "--no-density", "--out", "out", "--force"]
    with subprocess.Popen(
        command, cwd=folder, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    ) as process:
        for file in ("started", "begun"):
            wait_for(folder / file, process)  # type: ignore[arg-type]
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert eg.load(folder / "out" / "result.json").measurements

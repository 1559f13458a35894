"""`egregium explore`, as a user runs it."""

import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
from commands import MAIN, run

TARGET = """
import torch, egregium as eg

def saddle():
    return eg.Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2 + x[2] ** 2, torch.ones(3))
"""


def cut(folder: Path) -> None:
    (folder / "mine.py").write_text(TARGET)
    line = ["slice", "mine.py:saddle", "--directions", "gaussian", "--points", "5", "--coarse", "3", "--out", "run"]
    done = run(folder, *line)
    assert done.returncode == 0, done.stderr


def test_it_serves_until_ctrl_c(tmp_path: Path) -> None:
    cut(tmp_path)
    running = subprocess.Popen(
        [*MAIN, "explore", "run", "--no-browser"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    address = ""
    while not address:
        said = running.stdout.readline()
        assert said, running.communicate()[1]
        address = "".join(re.findall(r"http://127\.0\.0\.1:\d+/\?token=\S+", said))
    with urllib.request.urlopen(address) as answer:
        assert b"Measure here" in answer.read()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert "Ended; nothing was written." in out
    assert "Traceback" not in err
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "slice.json",
        "slice.jsonl",
        "slice.safetensors",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "mine.py").unlink(), "There is no file mine.py"),
        (lambda folder: (folder / "mine.py").write_text(TARGET.replace("+ x[2]", "+ 7 + x[2]")), "has changed since"),
        (lambda folder: (folder / "run" / "slice.safetensors").unlink(), "cannot be read"),
        (lambda folder: [p.unlink() for p in (folder / "run").iterdir()], "There is no document to show"),
        (lambda folder: (folder / "run" / "slice.json").rename(folder / "run" / "x.json"), "slice TARGET --out run"),
        (lambda folder: (folder / "run" / "slice.json").write_text("{"), "There is no document to show"),
    ],
)
def test_what_cannot_be_explored_is_a_sentence(tmp_path: Path, change: object, words: str) -> None:
    cut(tmp_path)
    change(tmp_path)
    done = run(tmp_path, "explore", "run", "--no-browser")
    assert done.returncode == 2
    assert words in " ".join((done.stderr + done.stdout).split())
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    cut(tmp_path)
    done = run(tmp_path, "explore", "run", "--no-browser", "--port", "99999")
    assert done.returncode == 2
    assert "--port 99999 cannot be listened at" in " ".join(done.stderr.split())

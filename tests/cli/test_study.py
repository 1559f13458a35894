"""`egregium study` as a user runs it."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import MAIN, heard, run

import egregium as eg

CONFIG = """
title = "Mine"
data = "digits"
train = 60
loss = 0.6
epochs = 40
measures = ["scalar_curvature", "trace"]

[base]
depth = 1
width = 4
learning_rate = 0.05

[[sweep]]
name = "factorial"
batch_size = [10, 20]
optimiser = ["sgd", "sam"]
weight_decay = [0.0, 0.001]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(CONFIG)
    return tmp_path


def test_a_sweep_of_one_s_own_ends_as_a_page_and_goes_on(folder: Path) -> None:
    done = run(folder, "study", "--config", "mine.toml", "--jobs", "1", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "8 of 8 networks count" in done.stdout.replace("\n", " ")
    assert "scalar curvature" in done.stdout
    found = eg.load(folder / "out" / "study.json")
    assert len(found.trained) == 8
    assert "study --config mine.toml" in found.command
    page = (folder / "out" / "report.html").read_text()
    assert "Mine" in page
    assert "still being written" not in page
    before = (folder / "out" / "networks.jsonl").read_bytes()
    again = run(folder, "study", "--config", "mine.toml", "--jobs", "1", "--out", "out")
    assert again.returncode == 0, again.stderr
    assert (folder / "out" / "networks.jsonl").read_bytes() == before  # nothing was trained again
    (folder / "mine.toml").write_text(CONFIG.replace("loss = 0.6", "loss = 0.5"))
    other = run(folder, "study", "--config", "mine.toml", "--jobs", "1", "--out", "out")
    assert other.returncode == 2
    assert "holds another study: its loss is 0.6, asked is 0.5" in other.stderr.replace("\n", " ")
    assert eg.load(folder / "out" / "study.json").command == found.command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "large"], "--preset must be one of fashion, digits, tiny, got 'large'"),
        (["--preset", "tiny", "--config", "mine.toml"], "Give --preset or --config, not both"),
        (["--config", "none.toml"], "Cannot read none.toml"),
        (["--config", "mine.toml", "--jobs", "0"], "jobs must be at least 1"),
    ],
)
def test_what_is_wrong_is_a_sentence(folder: Path, arguments: list[str], words: str) -> None:
    done = run(folder, "study", *arguments, "--out", "out")
    assert done.returncode == 2
    assert words in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_fashion_mnist_that_is_missing_says_how_to_install_it(folder: Path) -> None:
    os.environ["EGREGIUM_FASHION_MNIST"] = str(folder / "none")
    try:
        done = run(folder, "study", "--out", "out")
    finally:
        del os.environ["EGREGIUM_FASHION_MNIST"]
    assert done.returncode == 2
    assert "apt-get install dataset-fashion-mnist" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_keeps_the_networks_and_writes_their_page(folder: Path) -> None:
    (folder / "mine.toml").write_text(CONFIG.replace("[10, 20]", "[4, 5, 6, 10, 15, 20, 30]"))
    command = [*MAIN, "study", "--config", "mine.toml", "--jobs", "1", "--out", "out"]
    begun = subprocess.Popen(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heard
    )
    store = folder / "out" / "networks.jsonl"
    while not store.exists() or store.read_bytes().count(b"\n") < 4:
        assert begun.poll() is None, begun.communicate()
        time.sleep(0.01)
    begun.send_signal(signal.SIGINT)
    out, err = begun.communicate(timeout=120)
    assert begun.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert "the same command goes on" in out
    lines = store.read_text().splitlines()[1:]
    assert 3 <= len(lines) < 28
    assert all(json.loads(line)["status"] == "trained" for line in lines)
    assert len(eg.load(folder / "out" / "study.json").networks) == len(lines)

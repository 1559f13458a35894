"""Bad input to the command: exit code 2, a sentence, never a traceback, and every file as it was.

In this process where the behaviour is the same; a full disk and a lent identity in processes of their own.
"""

import os
import pickle
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import save, save_file
from torch import nn
from typer.testing import CliRunner

import egregium as eg
from egregium.cli.app import app
from egregium.errors import DocumentError

MINE = """
import torch, egregium as eg
from torch import nn

def good(loss=None):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))
    return eg.Landscape(model, loss or nn.CrossEntropyLoss(), (torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])))

def function():
    return eg.Landscape.from_function(lambda x: x @ x, torch.zeros(4))

def raising():
    raise RuntimeError("no disk here")

def leaving():
    raise SystemExit(3)

def number():
    return 4

def needing(path):
    return good()

def nan():
    return good(lambda z, y: z.mean() * float("nan"))

def unlike():
    return good(lambda z, y: (z @ z).mean())

def large():
    return good(lambda z, y: nn.functional.cross_entropy(z, y) + torch.ones(2**58).sum())

def larger():
    return torch.ones(2**58)

NOTHING = 3
"""


class Bomb:
    """Runs code where it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("open('exploded', 'w').close()",)


def state() -> dict[str, torch.Tensor]:
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))
    return dict(network.state_dict())


def files(folder: Path) -> None:
    """Everything that commands are given, and results from before."""
    whole = save(state())
    torch.save(state(), folder / "whole.pt")
    contents = {
        "mine.py": MINE.encode(),
        "typo.py": b"x = 1\ndef factory(:\n",
        "missing.py": b"import does_not_exist_anywhere\n",
        "exits.py": b"import sys\nsys.exit('usage: none')\n",
        "corrupt.safetensors": b"\xff" * 64 + whole[64:],
        "cut.safetensors": whole[: len(whole) // 2],
        "empty.safetensors": b"",
        "cut.pt": (folder / "whole.pt").read_bytes()[:700],
        "empty.pt": b"",
        "text.pt": b"these are no weights",
        "bomb.pt": pickle.dumps({"0.weight": Bomb()}),
        "out/result.json": b"precious",
        "out/report.html": b"precious",
    }
    (folder / "out").mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    torch.save({"0.weight": Bomb()}, folder / "bomb_in_zip.pt")
    torch.save({"epoch": 3}, folder / "nothing.pt")
    few, wide = state(), state()
    few.pop("2.bias")
    wide["2.bias"] = torch.ones(7)
    for name, tensors in (("few", few), ("more", state() | {"extra": torch.ones(1)}), ("wide", wide)):
        save_file(tensors, folder / f"{name}.safetensors")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


class Case(NamedTuple):
    args: str
    words: tuple[str, ...]


def at(checkpoint: str, *words: str) -> Case:
    return Case(f"mine.py:good --checkpoint {checkpoint}", (checkpoint, *words))


CASES = [
    # --- TARGET
    Case("mine.py", ("names no function", "file.py:factory")),
    Case("none.py:good", ("There is no file none.py", "file.py:factory")),
    Case("no_such_module:good", ("no_such_module cannot be imported", "ModuleNotFoundError")),
    Case("typo.py:factory", ("typo.py, line 2", "def factory(:")),
    Case("missing.py:factory", ("missing.py cannot be imported", "does_not_exist_anywhere", "line 1")),
    Case("exits.py:factory", ("exits.py cannot be imported", "SystemExit: usage: none")),
    Case("mine.py:godo", ("no function 'godo'", "good, function, raising")),
    Case("mine.py:NOTHING", ("no function 'NOTHING'",)),
    Case("mine.py:raising", ("RuntimeError: no disk here", "mine.py, line 14")),
    Case("mine.py:leaving", ("mine.py:leaving failed", "SystemExit")),
    Case("mine.py:number", ("returned a int", "returns an egregium Landscape")),
    Case("mine.py:needing", ("without arguments", "'path'")),
    Case("mine.py:nan", ("nan on batch 0",)),
    Case("mine.py:unlike", ("The loss failed on batch 0", "float32 (6, 3)")),
    Case("mine.py:large", ("Memory ran out", "smaller batches")),
    Case("mine.py:larger", ("Memory ran out",)),
    # --- checkpoints
    at("none.safetensors", "There is no checkpoint"),
    at("out", "There is no checkpoint"),
    at("corrupt.safetensors", "not a whole safetensors file"),
    at("cut.safetensors", "not a whole safetensors file"),
    at("empty.safetensors", "not a whole safetensors file"),
    at("cut.pt", "cannot be read as a checkpoint"),
    at("empty.pt", "cannot be read as a checkpoint"),
    at("text.pt", "cannot be read as a checkpoint", "model.state_dict()"),
    at("bomb.pt", "refused", "run code", "model.state_dict()"),
    at("bomb_in_zip.pt", "refused", "run code", "model.state_dict()"),
    at("nothing.pt", "holds no tensors", "model.state_dict()"),
    at("few.safetensors", "1 missing: 2.bias", "the factory builds the model"),
    at("more.safetensors", "1 unexpected: extra", "the factory builds the model"),
    at("wide.safetensors", "1 of another shape: 2.bias (7,) for (3,)", "the factory builds the model"),
    Case("mine.py:function --checkpoint whole.pt", ("no model to load whole.pt",)),
    # --- options
    Case("", ("Missing argument 'TARGET'",)),
    Case("mine.py:good --colour blue", ("No such option", "--colour")),
    Case("mine.py:good --rtol nonsense", ("--rtol", "valid")),
    Case("mine.py:good --rtol nan", ("rtol must be a positive", "nan")),
    Case("mine.py:good --rtol 0", ("rtol must be a positive", "0.01")),
    Case("mine.py:good --seed nonsense", ("--seed", "valid int")),
    Case("mine.py:good --seed -1", ("seed must be a non-negative integer",)),
    Case("mine.py:good --dtype nonsense", ("--dtype must be one of float32", "'nonsense'")),
    Case("mine.py:good --device nonsense", ("device 'nonsense'", "This machine has: cpu")),
    Case("mine.py:good --device cuda:99", ("device 'cuda:99' cannot be used", "This machine has: cpu")),
    Case("mine.py:good --budget 0", ("budget must be a positive number",)),
    Case("mine.py:good --budget 3", ("Raise budget=",)),
    Case("mine.py:good --memory much", ('memory must be a number of bytes or a size such as "4GiB"', "'much'")),
    Case("mine.py:good --memory 1KiB", ("KiB at least", "memory= allows 1.0 KiB", "smaller batches")),
    Case("mine.py:good --out mine.py", ("--out mine.py cannot be used", "is a file", "another folder")),
    Case("mine.py:good --out mine.py/deeper", ("mine.py is a file", "another folder")),
]


def refused(args: list[str], words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, args, env={"TERM": "dumb", "COLUMNS": "200", "NO_COLOR": "1"})
    said = " ".join(done.stderr.translate(dict.fromkeys(map(ord, "│─╭╮╰╯"), " ")).split())
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.stdout + done.stderr
    assert [word for word in words if word not in said] == [], said
    assert done.stdout == ""
    assert len(said) < 500


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.args)
def test_a_sentence_and_every_file_as_it_was(case: Case, folder: Path) -> None:
    before = snapshot(folder)
    where = [] if "--out" in case.args else ["--out", "out", "--force"]
    refused(["measure", *case.args.split(), *where], case.words)
    assert snapshot(folder) == before


@pytest.mark.parametrize("command", [["demo"], ["measure", "mine.py:good"]])
def test_results_are_not_overwritten(command: list[str], folder: Path) -> None:
    before = snapshot(folder)
    refused([*command, "--out", "out"], ("out/result.json exists", "--force", "another folder"))
    (folder / "out" / "result.json").unlink()
    refused([*command, "--out", "out"], ("out/report.html exists", "--force"))
    assert {name for name in before if name not in snapshot(folder)} == {"out/result.json"}


def test_no_such_command(folder: Path) -> None:
    refused(["mesure", "mine.py:good"], ("No such command 'mesure'",))


@pytest.fixture
def stranger() -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder with results that somebody else may read but not write, and how to become somebody else."""
    place = Path(tempfile.mkdtemp())
    files(place)
    for path in (place, *place.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    mine = os.geteuid()

    def become() -> None:
        if mine == 0:
            os.seteuid(65534)
        else:
            for path in (place, place / "out"):
                path.chmod(0o555)

    yield place, become
    os.seteuid(mine)
    for path in (place, place / "out"):
        path.chmod(0o755)
    shutil.rmtree(place)


def test_a_folder_that_may_not_be_written(stranger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place, become = stranger
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = snapshot(place)
    m = eg.measure(eg.Landscape.from_function(lambda x: x @ x, torch.zeros(4)))
    become()
    for out in ("out", "new/folder"):
        refused(
            ["measure", "mine.py:good", "--out", out, "--force"], (f"--out {out}", "cannot be written to", "another")
        )
    with pytest.raises(DocumentError, match=r"Cannot write .*: Permission denied\. Choose a folder that"):
        m.save(place / "out" / "result.json", force=True)
    assert snapshot(place) == before


@pytest.mark.parametrize(("most", "failing"), [(500, "result.json"), (12_000, "report.html")])
def test_a_full_disk_leaves_the_old_files_and_no_others(most: int, failing: str, folder: Path) -> None:
    """The limit on a file's size fails the write in its middle, as a full disk does."""
    before = snapshot(folder)
    command = [str(Path(sys.executable).with_name("egregium")), "measure", "mine.py:good", "--out", "out", "--force"]
    done = subprocess.run(
        [*command, "--no-density"],
        cwd=folder,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert f"Cannot write out/{failing}: File too large. Nothing was changed" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
    after = snapshot(folder)
    assert after.keys() == before.keys()
    assert {name for name in before if after[name] != before[name]} <= {"out/result.json"} - {f"out/{failing}"}
    if failing != "result.json":
        assert eg.load(folder / "out" / "result.json").measurements

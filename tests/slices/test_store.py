"""Slices that are killed and go on."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from landscapes import convolutional
from torch import nn

import egregium as eg
from egregium import slices
from egregium.errors import DocumentError

SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from landscapes import convolutional
from egregium import slices
land = convolutional()
slices.plane(land, slices.gaussian(land), points=41, span=0.3, store={store!r})
"""


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """SIGKILL in the middle; then every place is as in a run that was left alone, and none is measured twice."""
    store = tmp_path / "places.jsonl"
    script = SCRIPT.format(folder=str(Path(__file__).parent), store=str(store))
    killed = subprocess.Popen([sys.executable, "-c", script])
    begun = time.monotonic()
    while not store.exists() or store.read_bytes().count(b"\n") < 20:
        assert killed.poll() is None
        assert time.monotonic() - begun < 120
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    done = store.read_bytes().count(b"\n") - 1
    assert 0 < done < 41 * 41
    with store.open("ab") as file:  # what a kill in the middle of a line leaves
        file.write(b'{"q": "loss", "i": [3')
    land, asked = convolutional(), []
    how = {"points": 41, "span": 0.3}
    found = slices.plane(
        land, slices.gaussian(land), store=store, progress=lambda report: asked.append(report) or True, **how
    )
    assert len(asked) == 41 * 41 - done
    whole = slices.plane(land, slices.gaussian(land), **how)
    assert torch.equal(found.sheets["loss"].values, whole.sheets["loss"].values)
    places = [json.loads(line)["i"] for line in store.read_text().splitlines()[1:]]
    assert len(places) == len({tuple(place) for place in places}) == 41 * 41


def test_numbers_that_json_lacks_come_back(tmp_path: Path) -> None:
    store = slices.survey.Store(tmp_path / "s", {})
    kept = {
        ("loss", 0, j): slices.quantities.Found(value, math.nan)
        for j, value in enumerate((math.nan, math.inf, -math.inf, 0.1 + 0.2))
    }
    for key, found in kept.items():
        store.add(key, found)
    store.close()
    again = slices.survey.Store(tmp_path / "s", {}).known
    assert [str(again[key].value) for key in kept] == [str(found.value) for found in kept.values()]
    assert all(math.isnan(found.half_width) for found in again.values())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1, "quantities": ("scalar_curvature",)}, "its seed is 0, asked is 1"),
        ({"points": 5}, "its coordinates is"),
        ({"statistics": "re-estimated"}, "its statistics is 'kept'"),
        ({"span": 0.5}, "its coordinates"),
    ],
)
def test_another_slice_is_refused(tmp_path: Path, change: dict[str, object], words: str) -> None:
    land, store = convolutional(), tmp_path / "s.jsonl"
    how: dict[str, object] = {"points": 3, "span": 0.3, "store": store}
    slices.line(land, slices.gaussian(land, 1), **how)
    with pytest.raises(DocumentError, match=words):
        slices.line(land, slices.gaussian(land, 1), **(how | change))
    with pytest.raises(DocumentError, match="its directions is"):
        slices.line(land, slices.gaussian(land, 1, seed=5), **how)
    with torch.no_grad():
        land.model[0].bias.add_(1)
    with pytest.raises(DocumentError, match="loss at the centre"):
        slices.line(land, slices.gaussian(land, 1), **how)


def test_a_file_of_another_slice_is_begun_anew_where_asked(tmp_path: Path) -> None:
    land, store = convolutional(), tmp_path / "s.jsonl"
    how: dict[str, object] = {"points": 3, "span": 0.3, "store": store, "store_anew": True}
    slices.line(land, slices.gaussian(land, 1), **how)
    before = store.read_bytes()
    slices.line(land, slices.gaussian(land, 1), **how)
    assert store.read_bytes() == before  # of the same slice, every place is kept
    slices.line(land, slices.gaussian(land, 1, seed=5), **how)
    assert store.read_bytes().count(b"\n") == 4 != before


@pytest.mark.parametrize("change", ["data", "scale", "loss", "decay", "buffers"])
def test_another_landscape_with_the_same_loss_at_the_centre_is_refused(tmp_path: Path, change: str) -> None:
    """A head of zeros has the loss log 3 on any data."""
    land = convolutional()
    with torch.no_grad():
        for p in land.model[4].parameters():
            p.zero_()
    (x, y), _ = land.data
    how: dict[str, object] = {"points": 3, "span": 0.3, "store": tmp_path / "s.jsonl"}
    one = eg.Landscape(land.model, nn.CrossEntropyLoss(), (x, y))
    d = slices.gaussian(one, 1)
    slices.line(one, d, **how)
    others = {
        "data": lambda: eg.Landscape(land.model, nn.CrossEntropyLoss(), (3 * x, y)),
        "scale": lambda: one.scaled(2.0),
        "loss": lambda: eg.Landscape(land.model, nn.CrossEntropyLoss(label_smoothing=0.1), (x, y)),
        "decay": lambda: eg.Landscape(land.model, nn.CrossEntropyLoss(), (x, y), weight_decay={"4.*": 0.1}),
        "buffers": lambda: one.loaded({**land.model.state_dict(), "1.running_var": torch.full((3,), 9.0)}),
    }
    with pytest.raises(DocumentError, match="holds another slice"):
        slices.line(others[change](), d, **how)


def test_values_that_the_budget_cut_short_are_measured_again(tmp_path: Path) -> None:
    land, store = convolutional(), tmp_path / "s.jsonl"
    how: dict[str, object] = {"quantities": ("scalar_curvature",), "coarse": 3, "span": 0.3, "rtol": 0.02}
    first = slices.line(land, slices.gaussian(land, 1), store=store, budget=30, **how)
    assert "The budget ended" in first.notes[0]
    whole = slices.line(land, slices.gaussian(land, 1), store=store, budget=1e5, **how)
    sheet = whole.sheets["scalar_curvature"]
    assert bool((sheet.half_widths <= 0.02 * sheet.values.abs()).all())


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    store = slices.look.Store(tmp_path / "s", {"a": 1})
    with pytest.raises(DocumentError, match="being written by another process"):
        slices.look.Store(tmp_path / "s", {"a": 1})
    store.close()
    slices.look.Store(tmp_path / "s", {"a": 1}).close()


@pytest.mark.parametrize("begun", [b"", b"{", b'{"slice": {"axes"'])
def test_half_of_a_header_is_nothing(tmp_path: Path, begun: bytes) -> None:
    (tmp_path / "s").write_bytes(begun)
    land = convolutional()
    found = slices.line(land, slices.gaussian(land, 1), points=3, span=0.3, store=tmp_path / "s")
    assert bool(found.sheets["loss"].measured.all())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("hello\n", "is not a file of slices"),
        ('{"slice": 3}\n', "its first line cannot be read"),
        ("HEADER\nnonsense\n", "damaged at line 2"),
        ('HEADER\n{"q": "loss", "i": [0], "v": 1, "w": 0, "c": 1}\n', "damaged at line 2"),
        ('HEADER\n{"q": "loss", "i": [0, 0], "v": "x", "w": 0, "c": 1}\n', "damaged at line 2"),
        ('HEADER\n{"q": "loss", "i": [0.9, 0], "v": 1, "w": 0, "c": 1}\n', "damaged at line 2"),
        ('HEADER\n{"q": "loss", "i": [0, 0], "v": true, "w": 0, "c": 1}\n', "damaged at line 2"),
        ('HEADER\n{"q": "loss", "i": [0, 0], "v": 1, "w": -5, "c": 1}\n', "damaged at line 2"),
    ],
)
def test_a_file_of_something_else_is_a_sentence(tmp_path: Path, content: str, words: str) -> None:
    land, store = convolutional(), tmp_path / "s.jsonl"
    slices.line(land, slices.gaussian(land, 1), points=3, span=0.3, store=store)
    header = store.read_text().splitlines()[0]
    store.write_text(content.replace("HEADER", header))
    with pytest.raises(DocumentError, match=words):
        slices.line(land, slices.gaussian(land, 1), points=3, span=0.3, store=store)
    assert store.read_text() == content.replace("HEADER", header)  # nothing of it was touched


def test_a_store_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    land = convolutional()
    with pytest.raises(DocumentError, match="cannot be written"):
        slices.line(land, slices.gaussian(land, 1), points=3, store=tmp_path / "none" / "s.jsonl")

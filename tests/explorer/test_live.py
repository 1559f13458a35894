"""What is measured at a place of a stored plane."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import egregium as eg
from egregium.errors import ArgumentError, DocumentError, TargetError
from egregium.explorer import Live, live


def landscape(cut: Path) -> eg.Landscape:
    space: dict[str, Any] = {}
    exec((cut / "mine.py").read_text(), space)
    made: eg.Landscape = space["network"]()
    return made


@pytest.fixture
def ready(cut: Path) -> Live:
    plane = eg.load(cut / "run" / "slice.json")
    return live(plane, cut / "run" / "slice.safetensors", lambda _: landscape(cut))


def test_a_place_is_the_landscape_there(cut: Path, ready: Live) -> None:
    land, arrays = landscape(cut), load_file(cut / "run" / "slice.safetensors")
    V = arrays["directions"]
    there = land.at(arrays["theta"] + 0.5 * V[:, 0] - 0.25 * V[:, 1])
    found = ready.measured(0.5, -0.25)
    e = eg.scalar_curvature(there, rtol=0.1)
    assert found["loss"] == there.value()
    assert found["gradient"] == pytest.approx(float(there.gradient().norm()))
    assert (found["R"], found["half"]) == (e.value, e.half_width())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_centre_is_that_of_the_slice(ready: Live) -> None:
    assert ready.measured(0, 0)["loss"] == ready.plane.centre


def test_a_place_outside_the_domain_says_so(ready: Live) -> None:
    f = eg.Landscape.from_function(lambda x: torch.sqrt(x[0]) + 0 * x.sum(), torch.zeros(ready.plane.n))
    found = replace(ready, land=f, theta=torch.full((ready.plane.n,), -1.0)).measured(0, 0)
    assert found["loss"] is found["R"] is None
    assert "nan" in found["says"]


@pytest.mark.parametrize("place", [(math.nan, 0), ("1", 0), (None, 0), (True, 0), (0, math.inf), (1e9, 0), ([], 0)])
def test_places_that_are_none_are_sentences(ready: Live, place: tuple[Any, Any]) -> None:
    with pytest.raises(ArgumentError, match=r"must be a finite number|far outside"):
        ready.measured(*place)


def test_a_target_that_changed_is_refused(cut: Path) -> None:
    plane, arrays = eg.load(cut / "run" / "slice.json"), cut / "run" / "slice.safetensors"
    other = eg.Landscape(torch.nn.Linear(3, 2), torch.nn.CrossEntropyLoss(), landscape(cut).data)
    with pytest.raises(TargetError, match=r"8 parameters now, the slice 26"):
        live(plane, arrays, lambda _: other)
    x, y = landscape(cut).data[0]
    changed = eg.Landscape(landscape(cut).model, torch.nn.CrossEntropyLoss(), (x + 0.1, y))
    with pytest.raises(TargetError, match="has changed since: the loss at the centre is"):
        live(plane, arrays, lambda _: changed)


def test_arrays_that_are_gone_or_others_are_refused(cut: Path, tmp_path: Path) -> None:
    plane, land = eg.load(cut / "run" / "slice.json"), landscape(cut)
    with pytest.raises(DocumentError, match="cannot be read"):
        live(plane, tmp_path / "none.safetensors", lambda _: land)
    save_file({"theta": torch.zeros(3), "directions": torch.zeros(3, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(DocumentError, match="is not of this slice"):
        live(plane, tmp_path / "other.safetensors", lambda _: land)
    shutil.copy(cut / "run" / "slice.safetensors", tmp_path / "cut.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "cut.safetensors").read_bytes()[:50])
    with pytest.raises(DocumentError, match="cannot be read"):
        live(plane, tmp_path / "cut.safetensors", lambda _: land)
    with pytest.raises(DocumentError, match="does not say of which TARGET"):
        live(replace(plane, target=""), cut / "run" / "slice.safetensors", lambda _: land)


def test_reestimated_statistics_as_in_the_slice(tmp_path: Path) -> None:
    """What is measured live is what the stored plane shows."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    land = eg.Landscape(
        model.double(), torch.nn.CrossEntropyLoss(), (torch.randn(20, 3).double(), torch.arange(20) % 2)
    )
    d = eg.slices.gaussian(land)
    plane = eg.slices.plane(land, d, points=3, span=0.5, statistics="re-estimated")
    save_file({"theta": land.theta, "directions": d.vectors.contiguous()}, tmp_path / "a.safetensors")
    ready = live(replace(plane, target="t"), tmp_path / "a.safetensors", lambda _: land)
    assert ready.measured(0.5, -0.5)["loss"] == float(plane.sheets["loss"].values[0, 2])
    assert ready.measured(10**3 - 999.5, -0.5)["loss"] is not None
    with pytest.raises(ArgumentError):
        ready.measured(int("9" * 400), 0)

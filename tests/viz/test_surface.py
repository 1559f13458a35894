"""The specification of a surface: plain values in the right order."""

import json
from dataclasses import replace
from typing import Any

import pytest
from handmade import line, plane, trajectory

from egregium.viz import surface_spec


def spec(**options: Any) -> dict[str, Any]:
    found = surface_spec(plane(size=21, places=5), **options)
    assert found is not None
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def test_rows_are_along_the_second_direction_and_holes_are_null() -> None:
    whole, grey, centre = spec()["data"]
    loss = plane().sheets["loss"]
    assert (len(whole["y"]), len(whole["z"][0])) == (21, 21)
    assert whole["z"][3][7] == pytest.approx(float(loss.values[3, 7]), rel=1e-8)
    assert whole["z"][0][0] is whole["z"][0][1] is None
    assert (whole["cmin"], whole["cmax"]) == (0.0, 1.0)
    assert whole["colorbar"]["ticktext"][whole["colorbar"]["tickvals"].index(0.5)] == "0"
    assert whole["colorscale"][8][1] == "#f7f7f6" or whole["colorscale"][8][1].startswith("#f")  # white at 0
    assert "surfacecolor" not in grey
    assert grey["z"][10][10] is None  # its colour is known
    assert grey["z"][20][20] is not None
    assert whole["z"][20][20] is None
    assert (centre["x"], centre["z"]) == ([0.0], [pytest.approx(0.31)])


def test_what_is_said_nearby_has_the_interval() -> None:
    found = spec()
    assert "R −38 ± 1.06" not in found["places"]
    assert found["places"][0] == "R 18 ± 0.66 at −1, −1"
    assert found["places"][found["data"][0]["near"][0][20]] == "R −22 ± 0.74 at 1, −1"


def test_checkpoints_stand_at_their_own_losses() -> None:
    steps = trajectory()
    drawn = spec(trajectory=steps)["data"][2]
    assert drawn["z"] == pytest.approx(steps.losses.tolist())
    assert drawn["text"][-1].startswith("&lt;/script&gt;")
    assert drawn["text"][1].endswith("0.08 off the plane")


def test_no_surface_no_specification() -> None:
    assert surface_spec(line()) is None
    bare = surface_spec(replace(plane(), sheets={"loss": plane().sheets["loss"]}))
    assert bare is not None
    assert "near" not in bare["data"][0]

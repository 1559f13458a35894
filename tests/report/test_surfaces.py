"""Surfaces of a page: which, with which checkpoints, and JSON that cannot leave its element."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from handmade import line, plane, trajectory

from egregium.report.collection import Collection, Found, collection
from egregium.report.surfaces import MOST_SURFACES, data, reliefs


def holding(*results: Any) -> Collection:
    named = (Found(f"document {i}", f"{i}.json", result) for i, result in enumerate(results))
    return Collection("", "", "", None, documents=tuple(named))


def traces(found: Collection) -> list[int]:
    return [len(json.loads(relief.data)["data"]) for relief in reliefs(found)]


def test_a_trajectory_is_drawn_on_its_plane_alone() -> None:
    other = replace(plane(), lengths=(1.0, 1.0))
    assert traces(holding(plane(), other, line(), trajectory())) == [4, 3]  # two parts, the centre; the checkpoints


def test_a_trajectory_brings_its_plane() -> None:
    assert traces(holding(trajectory())) == [4]
    assert traces(holding(replace(trajectory(), plane=None))) == []


def test_no_more_than_a_browser_draws() -> None:
    assert len(reliefs(holding(*[plane(5, 3)] * (MOST_SURFACES + 2)))) == MOST_SURFACES


@pytest.mark.parametrize("name", ["</script>", "<!--", "a & b", "\u2028\u2029", "é"])
def test_json_has_no_character_that_ends_its_element(name: str) -> None:
    text = data({"name": name})
    assert json.loads(text) == {"name": name}
    assert not set("<>&\u2028\u2029") & set(text)


def test_the_plane_that_is_asked_stands_first(tmp_path: Path) -> None:
    """A click on the first surface of a page that is served is answered for that plane."""
    for name, centre in (("a", 0.5), ("slice", 0.7), ("z", 0.9)):
        replace(plane(), centre=centre, axes=(f"{name} 1", f"{name} 2")).save(str(tmp_path / f"{name}.json"))
    found = collection([tmp_path])
    (asked,) = (each.result for each in found.documents if each.file == "slice.json")
    assert [relief.name for relief in reliefs(found)] == ["a", "slice", "z"]
    assert [relief.name for relief in reliefs(found, asked)] == ["slice", "a", "z"]

"""Older documents are brought up to date one step after another; newer ones are refused with who wrote them."""

from typing import Any

import pytest

import egregium as eg
from egregium.errors import DocumentError
from egregium.results import migration
from egregium.results.migration import SCHEMA, migrated


def test_the_present_schema_is_left_as_it_is() -> None:
    result = {"type": "Cost", "hvps": 3}
    assert migrated({"schema": SCHEMA, "result": result}, "x.json") == result


def test_every_step_is_taken_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(name: str) -> Any:
        return lambda result: result | {"steps": [*result.get("steps", []), name]}

    monkeypatch.setattr(migration, "SCHEMA", 3)
    monkeypatch.setattr(migration, "MIGRATIONS", {1: step("1 to 2"), 2: step("2 to 3")})
    assert migrated({"schema": 1, "result": {}}, "x.json") == {"steps": ["1 to 2", "2 to 3"]}
    assert migrated({"schema": 2, "result": {}}, "x.json") == {"steps": ["2 to 3"]}


def test_there_is_a_step_from_every_older_schema() -> None:
    assert sorted(migration.MIGRATIONS) == list(range(min(migration.MIGRATIONS, default=SCHEMA), SCHEMA))


def test_a_newer_schema_names_the_version_that_reads_it() -> None:
    with pytest.raises(DocumentError) as caught:
        migrated({"schema": SCHEMA + 1, "egregium": "9.8.7", "result": {}}, "x.json")
    words = str(caught.value)
    assert "x.json has schema 2, written by egregium 9.8.7" in words
    assert f"this is egregium {eg.__version__}, which reads {SCHEMA}" in words
    assert "Upgrade egregium to 9.8.7 or later" in words

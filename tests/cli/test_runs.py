"""RUN: a folder, a document, one point of it; names that tell them apart."""

from pathlib import Path

import pytest
import torch

import egregium as eg
from egregium.cli.runs import named_points
from egregium.errors import ArgumentError, DocumentError


@pytest.fixture(scope="module")
def m() -> eg.Measurement:
    return eg.measure(eg.Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=torch.float64)))


@pytest.fixture
def folder(m: eg.Measurement, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, points in (("one", ("p",)), ("two", ("start", "end")), ("deep/one", ("p",)), ("at:noon", ("p",))):
        (tmp_path / name).mkdir(parents=True)
        session = eg.Session(name, f"egregium measure {name}", dict.fromkeys(points, m), "2026")
        session.save(str(tmp_path / name / "result.json"))
    m.save(str(tmp_path / "alone.json"))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("runs", "names"),
    [
        (("one", "two"), ["one", "two · start", "two · end"]),
        (("two:end", "one"), ["two · end", "one"]),
        (("one:p", "alone.json"), ["one", "alone"]),
        (("one/result.json", "two/result.json:start"), ["one", "two · start"]),
        (("one", "deep/one"), ["one", "deep/one"]),
        (("one/", "at:noon"), ["one", "at:noon"]),
        (("at:noon:p", "one"), ["at:noon", "one"]),
        (("two:end", "two:start"), ["two · end", "two · start"]),
    ],
)
def test_names(folder: Path, runs: tuple[str, ...], names: list[str]) -> None:
    points, commands = named_points(runs)
    assert list(points) == names
    assert list(commands) == names
    assert all(command.startswith("egregium measure") for name, command in commands.items() if name != "alone")


@pytest.mark.parametrize(
    ("runs", "error", "words"),
    [
        (("one", "one"), ArgumentError, "one is named twice"),
        (("two", "two:end"), ArgumentError, "two · end is named twice"),
        (("two:middle",), ArgumentError, "it has start, end"),
        (("none",), DocumentError, "Cannot read none"),
        (("none:p",), DocumentError, "Cannot read none:p"),
        (("empty",), DocumentError, "empty has no result.json"),
    ],
)
def test_sentences(folder: Path, runs: tuple[str, ...], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        named_points(runs)


def test_another_kind_of_document(folder: Path, m: eg.Measurement) -> None:
    eg.compare({"a": m, "b": m}).save("compared.json")
    with pytest.raises(DocumentError, match=r"compared.json holds a Comparison; compare needs what egregium measure"):
        named_points(["one", "compared.json"])

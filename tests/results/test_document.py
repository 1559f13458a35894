"""Documents come back as they were saved, and nothing is half-written or lost."""

import json
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

import egregium as eg
from egregium.errors import DocumentError
from egregium.results import Estimate, Session
from egregium.results.document import save, write_whole


@pytest.fixture(scope="module")
def measurement() -> eg.Measurement:
    land = eg.Landscape.from_function(lambda x: (x**2).sum() + x[0] ** 3, torch.linspace(0, 1, 5, dtype=torch.float64))
    return eg.measure(land, density=True)


def same(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))  # type: ignore[arg-type]
    return a == b or (isinstance(a, float) and math.isnan(a) and isinstance(b, float) and math.isnan(b))


def test_a_measurement_comes_back(measurement: eg.Measurement, tmp_path: Path) -> None:
    measurement.save(tmp_path / "m.json")
    assert same(eg.load(tmp_path / "m.json"), measurement)


def test_a_session_comes_back(measurement: eg.Measurement, tmp_path: Path) -> None:
    session = Session("t", "egregium", {"a": measurement, "b": measurement}, "2026-01-01", ("x",))
    session.save(tmp_path / "s.json")
    assert same(eg.load(tmp_path / "s.json"), session)


def test_numbers_that_json_lacks(tmp_path: Path) -> None:
    odd = Estimate(math.nan, math.inf, -math.inf, torch.tensor([math.nan, 1.0]))
    save(odd, tmp_path / "e.json")
    assert same(eg.load(tmp_path / "e.json").degrees, -math.inf)
    assert "NaN" not in (tmp_path / "e.json").read_text()


def test_an_existing_file_is_kept(measurement: eg.Measurement, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text("precious")
    with pytest.raises(DocumentError, match="not overwritten"):
        measurement.save(path)
    assert path.read_text() == "precious"
    measurement.save(path, force=True)
    assert same(eg.load(path), measurement)


@pytest.mark.parametrize("content", ["ü\n", b"\x89PNG\r\n\x00"])
def test_text_and_bytes_are_written_as_they_are(tmp_path: Path, content: str | bytes) -> None:
    write_whole(tmp_path / "a", content)
    assert (tmp_path / "a").read_bytes() == (content if isinstance(content, bytes) else content.encode())


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.json"
    path.write_text("precious")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DocumentError, match="No space left"):
        write_whole(path, "half", force=True)
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "no schema"),
        ('{"schema": 99, "result": {}}', "schema 99"),
        ('{"schema": 1, "result": {"type": "os"}}', "damaged"),
        ('{"schema": 1, "result": {"type": "Estimate"}}', "damaged"),
    ],
)
def test_what_is_no_document(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(DocumentError, match=words):
        eg.load(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="Cannot read"):
        eg.load(tmp_path / "none.json")
    with pytest.raises(DocumentError, match="Cannot write"):
        write_whole(tmp_path / "no" / "file.json", "")


def test_a_reader_ignores_fields_it_does_not_know(tmp_path: Path) -> None:
    save(Estimate(1.0, 0.0), tmp_path / "e.json")
    document = json.loads((tmp_path / "e.json").read_text())
    document["result"]["later"] = 1
    (tmp_path / "e.json").write_text(json.dumps(document))
    assert eg.load(tmp_path / "e.json").value == 1.0


def test_a_stranger_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be saved"):
        save(eg.Progress("x", 0.0, None, eg.Cost()), tmp_path / "p.json")


def test_documents_from_before_bands_and_bounds_are_read(measurement: eg.Measurement, tmp_path: Path) -> None:
    """What later versions added has defaults: no band, n unknown, nothing said of other eigenvalues."""
    measurement.save(tmp_path / "m.json")
    document = json.loads((tmp_path / "m.json").read_text())
    del document["result"]["fingerprint"]
    new = {"density": ("lower", "upper", "confidence", "n", "rounding"), "largest": ("beyond",), "trace": ("bias",)}
    for part, names in new.items():
        for name in names:
            del document["result"][part][name]
    (tmp_path / "m.json").write_text(json.dumps(document))
    old = eg.load(tmp_path / "m.json")
    assert (old.density.lower, old.density.upper, old.density.n) == (None, None, 0)
    assert torch.equal(old.density.density, measurement.density.density)
    assert (old.largest.beyond, old.trace.bias, old.fingerprint) == (math.inf, 0, None)
    assert torch.equal(old.largest.bounds, old.largest.residuals)


def edited(measurement: eg.Measurement, path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The document of a measurement, changed by hand."""
    measurement.save(path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["result"]["trace"].update(value="many"), r"Estimate.value should be float, and is 'many'"),
        (lambda d: d["result"]["trace"].update(value=None), "Estimate.value should be float, and is None"),
        (lambda d: d["result"]["trace"].update(converged=1), "Estimate.converged should be bool, and is 1"),
        (lambda d: d["result"].update(n=2.5), "Measurement.n should be int"),
        (lambda d: d["result"].update(trace=7.0), "Measurement.trace should be Estimate, and is 7.0"),
        (lambda d: d["result"].update(largest="big"), "Measurement.largest should be"),
        (lambda d: d["result"]["terms"]["mapping"].update(trace="x"), "Measurement.terms should be"),
        (lambda d: d["result"].pop("loss"), "Measurement lacks loss"),
        (lambda d: d["result"].pop("type"), "it has no 'type'"),
        (lambda d: d["result"]["density"]["grid"].update(shape=[3]), "damaged"),
        (lambda d: d["result"]["density"]["grid"].update(tensor="tensor"), "damaged"),
        (lambda d: d["result"]["density"].update(grid=[1.0]), "SpectralDensity.grid should be"),
        (lambda d: d["result"]["trace"].update(type="Guess"), "holds a 'Guess', which this egregium .* does not know"),
        (lambda d: d["result"].update(setting=["x"]), "Measurement.setting should be"),
        (lambda d: d.update(result=[1]), "damaged"),
        (lambda d: d.update(schema="1"), "schema '1', which no egregium wrote"),
        (lambda d: d.update(schema=0), "schema 0, which no egregium wrote"),
    ],
)
def test_a_hand_edited_document_is_a_sentence(
    measurement: eg.Measurement, tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    path = edited(measurement, tmp_path / "m.json", change)
    with pytest.raises(DocumentError, match=words) as caught:
        eg.load(path)
    assert str(path) in str(caught.value)
    assert "from a copy" in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_document_is_a_sentence(measurement: eg.Measurement, tmp_path: Path, share: float) -> None:
    path = tmp_path / "m.json"
    measurement.save(path)
    whole = path.read_text()
    path.write_text(whole[: int(share * len(whole))])
    with pytest.raises(DocumentError, match=r"m.json is not JSON .* Expected a result.json"):
        eg.load(path)

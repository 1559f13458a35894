"""`egregium compare`, as a user runs it."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import commands
import pytest
import torch

import egregium as eg


def measurement(at: float) -> eg.Measurement:
    matrix = torch.diag(torch.linspace(-1, 2, 80, dtype=torch.float64))
    land = eg.Landscape.from_function(lambda x: x @ matrix @ x / 2, torch.full((80,), at, dtype=torch.float64))
    return eg.measure(land, method="stochastic", rtol=0.2)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    a, b = measurement(0.1), measurement(1.0)
    for name, m in (("a", a), ("[red]b", b), ("ggn", replace(b, operator="ggn"))):
        (folder / name).mkdir()
        eg.Session(name, f"egregium measure {name}", {"p": m}, "2026").save(str(folder / name / "result.json"))
    (folder / "torn.json").write_text((folder / "a" / "result.json").read_text()[:500])
    document = json.loads((folder / "a" / "result.json").read_text())
    (folder / "newer.json").write_text(json.dumps(document | {"schema": 99, "egregium": "9.0"}))
    document["result"]["measurements"]["mapping"]["p"]["trace"]["value"] = "seven"
    (folder / "edited.json").write_text(json.dumps(document))
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.run(folder, "compare", *arguments)


def test_table_verdict_and_page(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "page.html"
    done = run(runs, "a", "[red]b", "--out", str(out))
    assert done.returncode == 0, done.stderr
    found = eg.compare({"a": measurement(0.1), "[red]b": measurement(1.0)})
    for quantity in found.quantities:
        (line,) = (line for line in done.stdout.splitlines() if line.startswith(f"{quantity.name} "))
        for name in found.points:  # whole, in a narrow window too
            assert quantity.shown(name).replace("+/-", "±") in line
        assert str(quantity.differences["[red]b"]).removesuffix(" (95 %)").replace("+/-", "±") in line
        assert line.rstrip().endswith(quantity.differences["[red]b"].verdict)
    words = " ".join(done.stdout.split())
    assert found.verdict().replace("+/-", "±") in words
    assert "The same seed as at a, 0, and so the same probe vectors: [red]b." in words
    assert str(out.resolve()) in done.stdout
    page = out.read_text()
    assert "egregium compare a" in page
    assert "egregium measure a" in page
    again = run(runs, "a", "[red]b", "--out", str(out))
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert run(runs, "a", "[red]b", "--out", str(out), "--force").returncode == 0


def test_the_table_alone(runs: Path, tmp_path: Path) -> None:
    done = run(tmp_path, str(runs / "a"), str(runs / "[red]b"), "--no-page", "--confidence", "0.9")
    assert done.returncode == 0, done.stderr
    assert "Intervals at 90 %." in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a",), "two measurements or more by name, got 1"),
        (("a", "ggn"), "a was measured with the operator hessian, ggn with ggn"),
        (("a", "nowhere"), "Cannot read nowhere"),
        (("a", "a:q"), "it has p"),
        (("a", "torn.json"), "torn.json is not JSON"),
        (("a", "newer.json"), "Upgrade egregium to 9.0"),
        (("a", "edited.json"), "Estimate.value should be float, and is 'seven'"),
        (("a", "[red]b", "--confidence", "95"), "confidence must lie between 0 and 1"),
        (("a", "[red]b", "--out", "torn.json/x.html"), "is a file"),
    ],
)
def test_sentences(runs: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run(runs, *arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (runs / "egregium-compare.html").exists()

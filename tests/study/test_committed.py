"""The studies that come with the project: whole, of the presets as they are, and as precise as was asked."""

from pathlib import Path

import pytest

import egregium as eg
from egregium.errors import DataError
from egregium.results.studied import ALL, GAPS, in_words
from egregium.store import lines_of
from egregium.study import preset, sweep
from egregium.study.record import network_of
from egregium.study.setting import setting
from egregium.study.worker import data

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*/networks.jsonl"))


@pytest.mark.parametrize("path", STUDIES, ids=[path.parent.name for path in STUDIES])
def test_its_networks_are_of_the_preset(path: Path) -> None:
    plan = preset(path.parent.name)
    header, networks = lines_of(path, "study", network_of)
    assert header == plan.header
    keys = [setting(dict(network.setting)).key for network in networks]
    assert len(keys) == len(set(keys)) > 0
    assert set(keys) <= {each.key for each in plan.settings}


@pytest.mark.parametrize("path", STUDIES, ids=[path.parent.name for path in STUDIES])
def test_its_numbers_are_what_was_asked(path: Path) -> None:
    plan = preset(path.parent.name)
    _, networks = lines_of(path, "study", network_of)
    trained = [network for network in networks if network.status == "trained"]
    for network in trained:
        assert set(plan.measures) <= network.numbers.keys()
        assert 0 < network.numbers["train_loss"] <= plan.loss
        R, half = network.numbers["scalar_curvature"], network.half_widths["scalar_curvature"]
        assert half <= plan.rtol * abs(R) * (1 + 1e-9)
    assert len(trained) >= 0.9 * len(networks)


def test_a_run_goes_on_from_what_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of its file is taken by the sweep as its own; where its data are installed, as trained on them."""
    for path in STUDIES:
        plan = preset(path.parent.name)
        try:
            data(plan.data, plan.train)
        except DataError:
            monkeypatch.setattr(sweep, "refuse_unfit_plan", lambda plan, device: None)
            monkeypatch.setattr(sweep, "refusal_of_other_data", lambda plan: lambda network, where: None)
        copy = tmp_path / f"{path.parent.name}.jsonl"
        copy.write_bytes(path.read_bytes())
        found = sweep.swept(plan, copy, heard=lambda *_: False)
        assert len(found) == len(lines_of(path, "study", network_of)[1])
        assert copy.read_bytes() == path.read_bytes()


def test_there_are_studies() -> None:
    assert "fashion" in {path.parent.name for path in STUDIES}


def test_the_docs_say_what_came_out() -> None:
    """Each row of the table in docs/study.md is what the documents hold."""
    root = Path(__file__).parents[2]
    told = (root / "docs" / "study.md").read_text()
    found = eg.load(root / "studies" / "fashion" / "study.json")
    known = {(each.measure, each.gap): each for each in found.rankings if each.group == ALL}
    rows = [line.split(" | ")[0].removeprefix("| ") for line in told.splitlines() if " [" in line and " | " in line]
    assert "scalar curvature" in rows
    for measure in found.measures:
        error, loss = (known[measure, gap] for gap in GAPS)
        row = f"| {in_words(measure)} | {error.tau} | {error.granulated} | {loss.tau} | {loss.granulated} |"
        assert (row in told) == (in_words(measure) in rows)
    assert set(rows) <= {in_words(measure) for measure in found.measures}

"""The studies that come with the project: whole, of the presets as they are, and as precise as was asked."""

from pathlib import Path

import pytest

from egregium.errors import DataError
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
            monkeypatch.setattr(sweep, "same_data", lambda plan: lambda network, where: None)
        copy = tmp_path / f"{path.parent.name}.jsonl"
        copy.write_bytes(path.read_bytes())
        found = sweep.swept(plan, copy, heard=lambda *_: False)
        assert len(found) == len(lines_of(path, "study", network_of)[1])
        assert copy.read_bytes() == path.read_bytes()


def test_there_are_studies() -> None:
    assert "fashion" in {path.parent.name for path in STUDIES}

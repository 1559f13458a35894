"""One network from its setting to its record."""

from pathlib import Path

import pytest
import torch
from plans import tiny
from torch.nn.functional import cross_entropy

from egregium.datasets import digits
from egregium.errors import ArgumentError, DataError
from egregium.study import Setting, record
from egregium.study.worker import code, data, digest

OWN = """
import torch
def two():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(80, 6, generator=draw)
    return (x[:60], (x[:60, 0] > 0).long()), (x[60:], (x[60:, 0] > 0).long())
def measures(land, setting):
    return {"n": land.n, "guess": (land.value(), 0.5)}
def wrong(land, setting):
    return {"n": "many"}
def infinite(land, setting):
    return {"f": land.at(land.theta * float("inf")).value()}
def nothing():
    return 3
"""


def test_a_record_has_all_that_was_asked(tmp_path: Path) -> None:
    plan = tiny(tmp_path)
    network = record(plan, plan.settings[0])
    assert network.status == "trained"
    assert network.numbers["train_loss"] <= 0.5
    gap = network.numbers["test_error"] - network.numbers["train_error"]
    assert network.numbers["error_gap"] == gap
    assert network.numbers["loss_gap"] == network.numbers["test_loss"] - network.numbers["train_loss"]
    assert {"trace", "weight_norm"} < network.numbers.keys() == network.half_widths.keys()
    assert network.parameters == 64 * 4 + 4 + 4 * 10 + 10
    assert network.seconds >= network.training_seconds > 0
    assert network.data == digest(digits()[0].first(60))
    assert network.code == code()
    assert network.environment.seed == plan.settings[0].seed


def test_the_loss_that_is_measured_is_without_the_penalty(tmp_path: Path) -> None:
    (tmp_path / "own_m.py").write_text(OWN)
    plan = tiny(tmp_path, more=f'own_measures = "{tmp_path / "own_m.py"}:measures"')
    network = record(plan, Setting(depth=1, width=4, learning_rate=0.05, weight_decay=0.01, batch_size=10))
    assert network.numbers["guess"] == pytest.approx(network.numbers["train_loss"], rel=1e-5)
    assert network.half_widths["guess"] == 0.5
    assert network.numbers["n"] == network.parameters


def test_a_training_that_diverges_is_recorded_without_measures(tmp_path: Path) -> None:
    plan = tiny(tmp_path)
    network = record(plan, Setting(depth=1, width=4, learning_rate=1e4, batch_size=10))
    assert network.status == "diverged"
    assert "trace" not in network.numbers


def test_a_measure_that_fails_is_recorded_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "own_w.py").write_text(OWN)
    plan = tiny(tmp_path, more=f'own_measures = "{tmp_path / "own_w.py"}:infinite"')
    network = record(plan, plan.settings[0])
    assert network.status == "not measured"
    assert "The loss is nan" in network.reason


def test_a_mistake_in_own_measures_stops_the_study(tmp_path: Path) -> None:
    """It would be in every network, and a network that is recorded is not trained again."""
    (tmp_path / "own_w.py").write_text(OWN)
    plan = tiny(tmp_path, more=f'own_measures = "{tmp_path / "own_w.py"}:wrong"')
    with pytest.raises(ArgumentError, match="must return a dict of numbers"):
        record(plan, plan.settings[0])


def test_data_of_one_s_own(tmp_path: Path) -> None:
    (tmp_path / "own_d.py").write_text(OWN)
    own, test = data(f"{tmp_path / 'own_d.py'}:two", 50)
    assert (len(own), len(test), own.inputs.shape[1]) == (50, 20, 6)
    with pytest.raises(DataError, match="has 60 training samples; the study asks for 61"):
        data(f"{tmp_path / 'own_d.py'}:two", 61)
    with pytest.raises(DataError, match=r"must return \(training, testing\), got int"):
        data(f"{tmp_path / 'own_d.py'}:nothing", 10)
    with pytest.raises(DataError, match="data must be digits, fashion-mnist"):
        data("cifar", 10)


def test_missing_fashion_mnist_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGREGIUM_FASHION_MNIST", str(tmp_path / "none"))
    with pytest.raises(DataError, match="apt-get install dataset-fashion-mnist"):
        data("fashion-mnist", 17)


def test_an_unknown_architecture_stops_the_study(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="architecture must be one of"):
        record(tiny(tmp_path), Setting(architecture="resnet"))


def test_noisy_labels_are_what_is_trained_on_and_measured(tmp_path: Path) -> None:
    """The model of the record again, by hand: its loss over the noisy labels is the record's."""
    plan = tiny(tmp_path, more="")
    clean, noise = (
        record(plan, Setting(depth=1, width=16, learning_rate=0.05, batch_size=10, label_noise=share))
        for share in (0.0, 0.3)
    )
    assert clean.data != noise.data
    assert noise.numbers["test_error"] > clean.numbers["test_error"]
    assert cross_entropy(torch.zeros(1, 10), torch.zeros(1, dtype=torch.long)) > noise.numbers["train_loss"]

"""Hyper-parameters of a network."""

from typing import Any

import pytest

from egregium.errors import ArgumentError
from egregium.study.setting import HYPER_PARAMETERS, Setting, setting


def test_a_key_tells_every_two_settings_apart() -> None:
    others: dict[str, Any] = {"architecture": "cnn", "optimiser": "sam", "activation": "relu"}
    keys = {
        setting({name: others.get(name, 0.5 if name.endswith(("rate", "decay", "noise")) else 7)}).key
        for name in HYPER_PARAMETERS
    }
    assert len(keys | {Setting().key}) == len(HYPER_PARAMETERS) + 1


def test_whole_numbers_stand_for_real_ones() -> None:
    assert setting({"learning_rate": 1}).key == setting({"learning_rate": 1.0}).key


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"momentum": 0.9}, "There is no hyper-parameter 'momentum'. There are architecture, batch_size"),
        ({"width": "wide"}, "width must be of type int, got 'wide'"),
        ({"width": True}, "width must be of type int"),
        ({"width": 2.5}, "width must be of type int"),
        ({"learning_rate": 0}, "learning_rate must be positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0"),
        ({"optimiser": "lion"}, "optimiser must be one of sgd, sam, adam"),
        ({"label_noise": 1.0}, "label_noise is a share"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        setting(values)

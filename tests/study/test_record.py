"""Networks as lines."""

import json
import math
from typing import Any

import pytest
from plans import made_up

from egregium.study.record import line_of, network_of


def test_a_network_comes_back() -> None:
    network = made_up({"width": 3}, {"trace": math.nan, "sharpness": math.inf, "weight_norm": 0.1 + 0.2})
    again = network_of(json.loads(json.dumps(line_of(network), allow_nan=False)))
    assert math.isnan(again.numbers["trace"])
    assert again.numbers["sharpness"] == math.inf
    assert again.numbers["weight_norm"] == 0.1 + 0.2
    assert (again.setting, again.environment, again.status) == (network.setting, network.environment, "trained")


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"},
        {"numbers": {"trace": "many"}},
        {"numbers": {"trace": True}},
        {"setting": {"width": "wide"}},
        {"setting": {"momentum": 1}},
        {"more": 1},
        {"environment": {"torch": "2"}},
        {"epochs": "many"},
    ],
)
def test_an_edited_line_is_refused(change: dict[str, Any]) -> None:
    line = line_of(made_up({"width": 3}, {"trace": 1.0}))
    with pytest.raises((KeyError, TypeError, ValueError)):
        network_of(line | change)

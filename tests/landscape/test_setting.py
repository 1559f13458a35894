"""What is said of how a model was taken: only what applies, in every result."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import egregium as eg
from egregium.results.table import Row


@pytest.fixture
def data() -> tuple[Tensor, Tensor]:
    return torch.randn(20, 4), torch.randint(0, 3, (20,))


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Tanh(), nn.Linear(5, 3))


@pytest.mark.parametrize(
    ("options", "row"),
    [
        ({}, Row("dropout", "off", "evaluation mode; 1 layer", "point")),
        ({}, Row("normalisation", "stored statistics", "evaluation mode; 1 layer", "point")),
        ({"params": "4.*"}, Row("measured part", "34 %", "of the 53 numbers in the model", "point")),
        ({"weight_decay": 0.5}, Row("weight decay λ", "0.5", "λ/2 |θ|² is part of the loss", "point")),
        ({"weight_decay": {"4.*": 0.5}}, Row("weight decay λ", "0 to 0.5", "λ/2 |θ|² is part of the loss", "point")),
        ({"dtype": torch.float64}, Row("precision", "float64", "the model is in float32", "point")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_applies_is_said_in_every_result(options: dict[str, Any], row: Row, data: Any, tmp_path: Any) -> None:
    land = eg.Landscape(model(), nn.CrossEntropyLoss(), data, **options)
    assert row in land.setting
    m = eg.measure(land)
    assert row in m.rows()
    m.save(tmp_path / "m.json")
    assert row in eg.load(tmp_path / "m.json").rows()
    note = f"{row.name}: {row.value} ({row.meaning})."
    for call in (eg.scalar_curvature, eg.trace, eg.squared_frobenius):
        assert note in call(land).notes


def test_nothing_is_said_where_nothing_applies(data: Any) -> None:
    plain = nn.Sequential(
        nn.Linear(4, 5), nn.Dropout(0.0), nn.BatchNorm1d(5, track_running_stats=False), nn.Linear(5, 3)
    )
    assert eg.Landscape(plain, nn.CrossEntropyLoss(), data, dtype=torch.float32).setting == ()
    assert eg.Landscape.from_function(lambda x: x.sum(), torch.ones(3)).setting == ()


def test_other_layers_with_dropout(data: Any) -> None:
    parts = nn.ModuleList([nn.LSTM(4, 4, 2, dropout=0.1), nn.MultiheadAttention(4, 2, dropout=0.1), nn.Dropout2d(0.1)])
    parts.append(nn.Linear(4, 3))
    land = eg.Landscape(parts, batch_loss=lambda m, b: (m[-1](b[0]).square().sum(), 1), data=data)
    assert land.setting == (Row("dropout", "off", "evaluation mode; 3 layers", "point"),)

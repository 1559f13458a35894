"""R of single mini-batches."""

from pathlib import Path

import pytest
import torch
from torch import nn

import egregium as eg
from egregium.results import BatchCurvatures

DOUBLE = torch.float64


@pytest.fixture
def land(tanh_mlp: nn.Module, ragged: list[tuple[torch.Tensor, torch.Tensor]]) -> eg.Landscape:
    return eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged)


def test_each_batch_is_a_landscape_of_its_own(land: eg.Landscape) -> None:
    """Against the landscape that is made of that batch alone, at another point than the model's."""
    there = land.at(land.theta + 0.1).scaled(2.0)
    for batch, single in zip(land.data, there.single_batches(), strict=True):
        alone = eg.Landscape(land.model, nn.CrossEntropyLoss(), [batch]).at(there.theta).scaled(2.0)
        assert single.value() == alone.value()
        assert torch.equal(single.gradient(), alone.gradient())


def test_curvatures_of_batches(land: eg.Landscape, tmp_path: Path) -> None:
    found = eg.batch_curvatures(land)
    alone = [eg.scalar_curvature(eg.Landscape(land.model, nn.CrossEntropyLoss(), [b])).value for b in land.data]
    assert found.values.tolist() == pytest.approx(alone, rel=1e-9)
    assert found.whole.value == pytest.approx(eg.scalar_curvature(land).value, rel=1e-12)
    assert abs(float(found.values.mean()) - found.whole.value) > 0.01 * abs(found.whole.value)  # R is not linear
    assert "3 batches" in str(found)
    assert "R of all data" in found._repr_html_()
    found.save(str(tmp_path / "batches.json"))
    again = eg.load(tmp_path / "batches.json")
    assert isinstance(again, BatchCurvatures)
    assert torch.equal(again.values, found.values)


def test_stopped(land: eg.Landscape) -> None:
    found = eg.batch_curvatures(land, progress=lambda report: "batch 2" not in report.phase)
    assert found.values.shape == (1,)
    assert found.notes == ("Stopped after 1 of 3 batches.",)


def test_a_function_is_one_batch() -> None:
    saddle = eg.Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=DOUBLE))
    assert eg.batch_curvatures(saddle).values.tolist() == [-8.0]

"""When two passes agree."""

import pytest
import torch
from torch import nn

import egregium as eg
from egregium.diagnostics.reading import (
    Reading,
    agree,
    agree_in_order,
    closely,
    outputs_agree,
    read_closely,
    read_values,
    rounding,
)
from egregium.landscape.fetching import Seeds

FLOAT32 = torch.finfo(torch.float32).eps


def reading(value: float, *sums: float, eps: float = FLOAT32, outputs: list[float] | None = None) -> Reading:
    found = Reading(value, 1.0, eps, list(sums))
    found.outputs = None if outputs is None else [torch.tensor(outputs, dtype=torch.float64)]
    return found


@pytest.mark.parametrize(("apart", "same"), [(0.0, True), (6 * FLOAT32, True), (10 * FLOAT32, False), (0.1, False)])
def test_to_rounding(apart: float, same: bool) -> None:
    assert agree(reading(1.0), reading(1.0 + apart)) == same


def test_closely_is_closer_in_float32() -> None:
    assert closely(reading(1.0), reading(1.0 + FLOAT32))
    assert not closely(reading(1.0), reading(1.0 + 6 * FLOAT32))
    tiny = torch.finfo(torch.float64).eps
    assert closely(reading(1.0, eps=tiny), reading(1.0 + 6 * tiny, eps=tiny))


def test_half_formats_are_no_excuse_for_a_percent() -> None:
    coarse = torch.finfo(torch.bfloat16).eps
    assert rounding(reading(1.0, eps=coarse)) < 0.02
    assert rounding(reading(1.0, eps=torch.finfo(torch.float64).eps)) < 1e-14


def test_what_is_relative_to_is_the_size_of_the_terms() -> None:
    one, other = reading(0.0), reading(6 * FLOAT32)
    assert agree(one, other)
    one.size = other.size = 0.1
    assert not agree(one, other)


def test_in_order_every_batch_counts() -> None:
    assert agree_in_order(reading(0, 1.0, 2.0), reading(0, 1.0, 2.0))
    assert not agree_in_order(reading(0, 1.0, 2.0), reading(0, 2.0, 1.0))
    assert not agree_in_order(reading(0, 1.0), reading(0, 1.0, 2.0))
    assert not agree_in_order(reading(0, 1.0), reading(0, 1.0 + 5 * FLOAT32))


def test_outputs_in_order_or_not() -> None:
    one, other = reading(0, outputs=[1.0, 2.0]), reading(0, outputs=[2.0, 1.0])
    assert outputs_agree(one, other, in_order=False)
    assert outputs_agree(one, other, in_order=True) is False
    assert outputs_agree(one, reading(0, outputs=[1.0]), in_order=False) is False
    assert outputs_agree(one, reading(0), in_order=False) is None


def test_both_ways_of_reading_give_the_loss(untouched: object) -> None:
    model = nn.Linear(3, 2)
    data = [(torch.randn(4, 3), torch.randn(4, 2)), (torch.randn(2, 3), torch.randn(2, 2))]
    land = eg.Landscape(model, nn.MSELoss(), data, weight_decay=0.1).scaled(3.0)
    plain = eg.Landscape(model, nn.MSELoss(), data).scaled(3.0).value()
    assert read_values(land, Seeds()).value == pytest.approx(plain)
    close = read_closely(land, Seeds())
    assert close.value == pytest.approx(plain)
    assert close.samples.number == 6
    assert len(close.sums) == 2
    assert close.watch.calls

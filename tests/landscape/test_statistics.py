"""Running statistics at another point."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

import egregium as eg

DOUBLE = torch.float64


def network(kind: type[nn.Module] = nn.BatchNorm1d) -> tuple[eg.Landscape, Tensor, Tensor]:
    torch.manual_seed(0)
    norm = kind(4)
    model = nn.Sequential(nn.Linear(3, 4), norm, nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 2)).to(DOUBLE)
    x, y = torch.randn(17, 3, dtype=DOUBLE), torch.randint(0, 2, (17,))
    return eg.Landscape(model, nn.CrossEntropyLoss(), [(x[:12], y[:12]), (x[12:], y[12:])]), x, y


def test_reestimated_are_the_weighted_means_over_batches() -> None:
    """By hand: the first layer's outputs, mean and unbiased variance of each batch, weighted by samples."""
    land, x, y = network()
    theta = land.theta + 0.3
    there = land.at(theta)
    before = copy.deepcopy(land.model.state_dict())
    found = there.reestimated()
    parts = land.unflatten(theta)
    z = [b @ parts["0.weight"].T + parts["0.bias"] for b in (x[:12], x[12:])]
    mean = (12 * z[0].mean(0) + 5 * z[1].mean(0)) / 17
    var = (12 * z[0].var(0) + 5 * z[1].var(0)) / 17
    torch.testing.assert_close(found.model[1].running_mean, mean)
    torch.testing.assert_close(found.model[1].running_var, var)
    h = (torch.cat(z) - mean) / (var + 1e-5).sqrt() * parts["1.weight"] + parts["1.bias"]
    logits = h.tanh() @ parts["4.weight"].T + parts["4.bias"]
    assert found.value() == pytest.approx(float(nn.functional.cross_entropy(logits, y)), rel=1e-12)
    assert torch.equal(found.theta, theta)
    assert all(torch.equal(tensor, before[name]) for name, tensor in land.model.state_dict().items())
    assert land.model.training
    assert land.model[1].momentum == 0.1
    assert land.keeps_statistics


def test_layers_without_statistics_change_nothing() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4)).to(DOUBLE)
    land = eg.Landscape(model, nn.MSELoss(), (torch.ones(2, 3, dtype=DOUBLE), torch.ones(2, 4, dtype=DOUBLE)))
    assert not land.keeps_statistics
    assert land.reestimated() is land
    f = eg.Landscape.from_function(lambda x: x @ x, torch.ones(2))
    assert f.reestimated() is f


def test_with_a_batch_loss_scale_and_decay() -> None:
    land, x, y = network()

    def terms(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="sum"), len(batch[1])

    data = [(x[:12], y[:12]), (x[12:], y[12:])]
    other = eg.Landscape(land.model, batch_loss=terms, data=data, weight_decay=0.1).scaled(2.0)
    plain = land.reestimated().value()
    expected = 2 * (plain + 0.05 * float(land.theta @ land.theta))
    assert other.reestimated().value() == pytest.approx(expected, rel=1e-12)


def test_a_value_keeps_no_graph_and_is_the_gradients_own() -> None:
    land, _, _ = network()
    assert land.value() == pytest.approx(land.value_and_gradient()[0], rel=1e-14)
    assert math.isfinite(land.value())

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
    torch.testing.assert_close(found._objective.buffers()["1.running_mean"], mean)
    torch.testing.assert_close(found._objective.buffers()["1.running_var"], var)
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


class Parts(nn.Module):
    """An encoder with BatchNorm and a head, that a loss may call one by one."""

    def __init__(self, uses: int = 1) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh())
        self.head, self.uses = nn.Linear(4, 2), uses

    def forward(self, x: Tensor) -> Tensor:
        return self.head(sum(self.encoder(x + 3.0 * k) for k in range(self.uses)))


def terms(output: Tensor, y: Tensor) -> tuple[Tensor, int]:
    return nn.functional.cross_entropy(output, y, reduction="sum"), len(y)


@pytest.mark.parametrize("how", ["through the model", "part by part", "forward", "the model itself"])
def test_however_the_loss_calls_the_model(how: str) -> None:
    torch.manual_seed(0)
    model, x, y = Parts().to(DOUBLE), torch.randn(17, 3, dtype=DOUBLE), torch.randint(0, 2, (17,))
    losses = {
        "through the model": lambda m, b: terms(m(b[0]), b[1]),
        "part by part": lambda m, b: terms(m.head(m.encoder(b[0])), b[1]),
        "forward": lambda m, b: terms(m.forward(b[0]), b[1]),
        "the model itself": lambda m, b: terms(model(b[0]), b[1]),
    }
    data = [(x[:12], y[:12]), (x[12:], y[12:])]
    found = eg.Landscape(model, batch_loss=losses[how], data=data).reestimated()
    plain = eg.Landscape(model, nn.CrossEntropyLoss(), data).reestimated()
    assert found.value() == plain.value() != eg.Landscape(model, nn.CrossEntropyLoss(), data).value()


def test_a_layer_that_is_used_twice_has_the_mean_of_both() -> None:
    torch.manual_seed(0)
    model, x, y = Parts(uses=2).to(DOUBLE), torch.randn(9, 3, dtype=DOUBLE), torch.randint(0, 2, (9,))
    found = eg.Landscape(model, nn.CrossEntropyLoss(), (x, y)).reestimated()
    z = [model.encoder[0](x + 3.0 * k).detach() for k in range(2)]
    torch.testing.assert_close(found._objective.buffers()["encoder.1.running_mean"], (z[0].mean(0) + z[1].mean(0)) / 2)


def test_a_last_batch_of_one_sample_and_another_dtype() -> None:
    torch.manual_seed(0)
    model, x, y = Parts(), torch.randn(9, 3), torch.randint(0, 2, (9,))
    data = [(x[:8].double(), y[:8]), (x[8:].double(), y[8:])]
    found = eg.Landscape(model, nn.CrossEntropyLoss(), data, dtype=DOUBLE).reestimated()
    z = x[:8].double() @ model.encoder[0].weight.T.double() + model.encoder[0].bias.double()
    torch.testing.assert_close(found._objective.buffers()["encoder.1.running_mean"], z.mean(0))
    assert not model.encoder[1]._forward_pre_hooks


def test_a_loss_that_holds_the_model_sees_the_state_too() -> None:
    """A penalty through model.parameters(), as our own advice has it: the state is in its place there as well."""
    land, x, y = network()
    loss = lambda o, t: nn.functional.cross_entropy(o, t) + 0.5 * sum(p.pow(2).sum() for p in land.model.parameters())
    held = eg.Landscape(land.model, loss, (x, y), terms="samples")
    state = {name: 3 * b if b.is_floating_point() else b for name, b in land.model.state_dict().items()}
    plain = eg.Landscape(land.model, nn.CrossEntropyLoss(), (x, y)).loaded(state)
    penalty = 0.5 * sum(float(state[name].pow(2).sum()) for name, _ in land.model.named_parameters())
    assert held.loaded(state).value() == pytest.approx(plain.value() + penalty, rel=1e-12)
    again = held.at(plain.theta).reestimated().value()
    assert again == pytest.approx(plain.reestimated().value() + penalty, rel=1e-12)


def test_states_as_they_are_saved() -> None:
    """Prefixes of wrappers, tied weights kept once, frozen parameters and buffers."""
    land, _, _ = network()
    state = {name: b + 1 if b.is_floating_point() else b for name, b in land.model.state_dict().items()}
    wrapped = {f"module._orig_mod.{name}": b for name, b in state.items()}
    assert land.loaded(wrapped).value() == land.loaded(state).value() != land.value()
    part = eg.Landscape(land.model, nn.CrossEntropyLoss(), land.data, params="4.*")
    assert part.loaded(state).value() == land.loaded(state).value()
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)).to(DOUBLE)
    tied[1].weight = tied[0].weight
    once = {name: b + 1 for name, b in tied.state_dict().items() if name != "1.weight"}
    x = torch.randn(5, 3, dtype=DOUBLE)
    found = eg.Landscape(tied, nn.MSELoss(), (x, x)).loaded(once)
    assert (
        found.value() == eg.Landscape(tied, nn.MSELoss(), (x, x)).loaded({**once, "1.weight": once["0.weight"]}).value()
    )


def test_loaded_and_reestimated_in_another_dtype_with_frozen_parameters() -> None:
    """Frozen parameters of a loaded float32 state, measured in float64: cast as all else is."""
    torch.manual_seed(0)
    model, x, y = Parts(), torch.randn(9, 3).double(), torch.randint(0, 2, (9,))
    state = {name: b + 0.1 if b.is_floating_point() else b for name, b in model.state_dict().items()}
    part = eg.Landscape(model, nn.CrossEntropyLoss(), (x, y), params="head.*", dtype=DOUBLE).loaded(state)
    moved = Parts()
    moved.load_state_dict(state)
    whole = eg.Landscape(moved.double(), nn.CrossEntropyLoss(), (x, y))
    assert part.reestimated().value() == pytest.approx(whole.reestimated().value(), rel=1e-12)


def test_reestimation_with_a_loss_that_takes_derivatives() -> None:
    torch.manual_seed(0)
    model, x = Parts().to(DOUBLE), torch.randn(9, 3, dtype=DOUBLE)

    def penalty(m: nn.Module, batch: Tensor) -> tuple[Tensor, int]:
        out = m(batch).square().sum()
        return sum(p.square().sum() for p in torch.autograd.grad(out, list(m.parameters()), create_graph=True)), 9

    found = eg.Landscape(model, batch_loss=penalty, data=[x]).reestimated()
    z = model.encoder[0](x).detach()
    torch.testing.assert_close(found._objective.buffers()["encoder.1.running_mean"], z.mean(0))

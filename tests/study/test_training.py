"""Training to a level of the loss."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from egregium.datasets import Split, digits
from egregium.study.networks import network
from egregium.study.setting import Setting
from egregium.study.training import mean_loss, noisy, train

DATA = digits()[0].first(200)


def trained(setting: Setting, level: float = 0.2, epochs: int = 60) -> tuple[torch.nn.Module, object]:
    model = network(setting, DATA.inputs, 10)
    return model, train(model, DATA, setting, level, epochs)


@pytest.mark.parametrize("optimiser", ["sgd", "sam", "adam"])
def test_it_ends_at_the_level(optimiser: str) -> None:
    rate = 0.01 if optimiser == "adam" else 0.05
    model, ended = trained(Setting(optimiser=optimiser, learning_rate=rate))
    assert ended.status == "trained"
    assert 0.1 < ended.loss <= 0.2
    assert ended.loss == pytest.approx(float(cross_entropy(model(DATA.inputs), DATA.targets).detach()), rel=1e-5)
    assert 0 < ended.epochs < 60


def test_the_same_seed_is_the_same_training_and_the_generator_stays() -> None:
    state = torch.get_rng_state()
    (one, a), (two, b) = trained(Setting()), trained(Setting())
    assert a == b
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), two.parameters(), strict=True))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_training_that_diverges_is_said_to() -> None:
    _, ended = trained(Setting(learning_rate=1e3))
    assert ended.status == "diverged"
    assert not ended.loss < 5 * math.log(10)


def test_a_training_that_does_not_get_there_is_said_to() -> None:
    _, ended = trained(Setting(learning_rate=1e-4), epochs=2)
    assert (ended.status, ended.epochs) == ("not reached", 2)


def test_mean_loss_and_error() -> None:
    model = network(Setting(), DATA.inputs, 10)
    loss, error = mean_loss(model, DATA)
    output = model(DATA.inputs)
    assert loss == pytest.approx(float(cross_entropy(output, DATA.targets).detach()), rel=1e-6)
    assert error == float((output.argmax(1) != DATA.targets).double().mean())


def test_noise_replaces_its_share_of_the_labels() -> None:
    """Drawn uniformly, so that a tenth of them stays right: 100 +- 4 sqrt(100 0.1 0.9) of 1,000 replaced."""
    data = Split(torch.zeros(2000, 1), torch.zeros(2000, dtype=torch.long))
    one = noisy(data, Setting(label_noise=0.5), 10)
    changed = int((one.targets != 0).sum())
    assert abs(changed - 900) <= 4 * (1000 * 0.09) ** 0.5
    assert torch.equal(one.targets, noisy(data, Setting(label_noise=0.5), 10).targets)
    assert not torch.equal(one.targets, noisy(data, Setting(label_noise=0.5, seed=1), 10).targets)
    assert noisy(data, Setting(), 10) is data
    assert int(data.targets.sum()) == 0


def normalised(seed: int) -> torch.nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first, last = torch.nn.Linear(64, 8), torch.nn.Linear(8, 10)
    return torch.nn.Sequential(first, torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Dropout(0.5), last)


def test_losses_are_taken_in_evaluation_mode_and_change_no_statistics() -> None:
    data, model = digits()[0].first(60), normalised(0)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model.train()
    assert mean_loss(model, data) == mean_loss(model, data)  # no dropout in it
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.named_buffers())


def test_steps_are_taken_in_training_mode_and_their_dropout_follows_the_seed() -> None:
    data = digits()[0].first(60)
    made = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(made))  # of no consequence
        state, model = torch.get_rng_state(), normalised(0)
        train(model, data, Setting(batch_size=20, learning_rate=0.01, seed=seed), 1e-9, 2)
        assert torch.equal(torch.get_rng_state(), state)
        made.append(torch.nn.utils.parameters_to_vector(model.parameters()))
    assert model[1].num_batches_tracked == 6
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])

"""The demo's input: real data, a fixed split, a network that learns."""

import torch

from egregium.cli.digits import STEPS, accuracy, digits, network, train


def test_split_is_fixed_and_whole() -> None:
    (a, b), (again, _) = digits(), digits()
    assert len(a.targets) + len(b.targets) == 1_797
    assert torch.equal(a.inputs, again.inputs)
    assert a.inputs.min() >= 0
    assert a.inputs.max() <= 1


def test_it_learns_and_leaves_the_generator() -> None:
    state = torch.get_rng_state()
    a, b = digits()
    model = network(0)
    assert torch.equal(torch.get_rng_state(), state)
    heard: list[float] = []
    before = accuracy(model, b)
    train(model, a, heard.append)
    assert before < 0.3
    assert accuracy(model, b) > 0.9
    assert len(heard) == STEPS
    assert heard[-1] == 1

"""The architectures of a study."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from egregium.errors import ArgumentError
from egregium.study.networks import network
from egregium.study.setting import Setting

IMAGES, ROWS = torch.zeros(2, 1, 28, 28), torch.zeros(2, 64)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_an_mlp(depth: int) -> None:
    model = network(Setting(width=5, depth=depth), ROWS, 10)
    assert model(ROWS).shape == (2, 10)
    sizes = [64, *[5] * depth, 10]
    assert sum(p.numel() for p in model.parameters()) == sum(a * b + b for a, b in pairwise(sizes))


@pytest.mark.parametrize(("depth", "side"), [(1, 14), (2, 7), (4, 7)])
def test_a_cnn(depth: int, side: int) -> None:
    model = network(Setting(architecture="cnn", width=3, depth=depth), IMAGES, 10)
    assert model(IMAGES).shape == (2, 10)
    assert model[-1].in_features == (3 if depth == 1 else 6) * side * side


def test_the_seed_is_all_that_is_random_and_the_generator_stays() -> None:
    state = torch.get_rng_state()
    one, same, other = (network(Setting(seed=seed), ROWS, 10)[1].weight for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_an_architecture_of_one_s_own(tmp_path: Path) -> None:
    (tmp_path / "own_net.py").write_text(
        "from torch import nn\n"
        "def net(setting, classes):\n    return nn.Linear(64, classes, bias=setting.depth > 1)\n"
        "def no_net(setting, classes):\n    return 3\n"
    )
    model = network(Setting(architecture=f"{tmp_path / 'own_net.py'}:net"), ROWS, 4)
    assert model(ROWS).shape == (2, 4)
    with pytest.raises(ArgumentError, match="returned a int; a study needs a torch module"):
        network(Setting(architecture=f"{tmp_path / 'own_net.py'}:no_net"), ROWS, 4)


@pytest.mark.parametrize(
    ("setting", "inputs", "words"),
    [
        (Setting(architecture="resnet"), ROWS, "architecture must be one of cnn, mlp, or file.py:name"),
        (Setting(activation="swish"), ROWS, "activation must be one of gelu, relu, tanh"),
        (Setting(architecture="cnn"), ROWS, r"A cnn needs inputs \(N, channels, height, width\), got \(2, 64\)"),
        (Setting(architecture="cnn", depth=0), IMAGES, "A cnn needs depth >= 1"),
    ],
)
def test_what_is_wrong_is_said(setting: Setting, inputs: torch.Tensor, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        network(setting, inputs, 10)

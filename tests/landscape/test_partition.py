"""Blocks of parameters by tensor, layer and pattern; what is refused."""

import pytest
import torch
from torch import nn

import egregium as eg
from egregium.errors import ArgumentError
from egregium.landscape.partition import partition


class Tied(nn.Module):
    """An embedding and a head that share one weight, and a parameter of the module's own."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(5, 3)
        self.head = nn.Linear(3, 5)
        self.head.weight = self.embed.weight
        self.gain = nn.Parameter(torch.ones(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head((self.gain * self.embed(x)).tanh())


@pytest.fixture
def land() -> eg.Landscape:
    x = torch.arange(5)
    return eg.Landscape(Tied().double(), nn.CrossEntropyLoss(), (x, x))


def test_tensors_layers_and_patterns(land: eg.Landscape) -> None:
    assert list(land.shapes) == ["gain", "embed.weight", "head.bias"]
    assert partition(land, "tensor") == {"gain": (0,), "embed.weight": (1,), "head.bias": (2,)}
    assert partition(land, "layer") == {"(model)": (0,), "embed": (1,), "head": (2,)}
    assert partition(land, {"all": ["head.*", "embed*"], "g": "gain"}) == {"all": (1, 2), "g": (0,)}
    assert partition(land, {"by the second name": "head.weight"}) == {"by the second name": (1,)}


def test_a_function_has_one_tensor() -> None:
    land = eg.Landscape.from_function(lambda x: x.sum(), torch.zeros(3))
    assert partition(land, "tensor") == {"theta": (0,)}
    assert partition(land, "layer") == {"(model)": (0,)}
    with pytest.raises(ArgumentError, match=r"matches no parameter that is measured\. There are: theta"):
        partition(land, {"a": "w"})


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("module", r'by= must be "tensor", "layer" or .*got \'module\''),
        (None, "by= must be"),
        ({}, "names no block"),
        ({"a": 3}, r"by\['a'\] must be a pattern"),
        ({"a": []}, r"by\['a'\] must be a pattern"),
        ({"a": "heda.*"}, r"by\['a'\]='heda.\*' matches no parameter\. There are: head"),
        ({"a": "head.*", "b": "embed.*"}, "'a' and 'b' overlap: both match embed.weight"),
    ],
)
def test_what_is_no_partition_is_refused(land: eg.Landscape, by: object, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        partition(land, by)  # type: ignore[arg-type]


def test_a_parameter_that_is_not_measured_is_no_block() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    land = eg.Landscape(net, nn.MSELoss(), (torch.ones(1, 2), torch.ones(1, 1)), params="0.*")
    with pytest.raises(ArgumentError, match=r"matches no parameter that is measured\. There are: 0\.weight, 0\.bias"):
        partition(land, {"last": "1.*"})

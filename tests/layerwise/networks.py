"""Networks for the tests of traces by parts: what is true of each, and the landscape."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import egregium as eg


class Tokens(nn.Module):
    """Embedding, an elementwise gate, LayerNorm, a head; classes along the second dimension."""

    def __init__(self, tied: bool = False) -> None:
        super().__init__()
        self.table, self.norm, self.head = nn.Embedding(7, 4, padding_idx=0), nn.LayerNorm(4), nn.Linear(4, 7)
        if tied:
            self.head.weight = self.table.weight

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.norm(torch.tanh(self.table(ids)))).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.attention(x, x, x, need_weights=False)[0].mean(1))


class Twice(nn.Module):
    """One layer used twice: its gradients of single samples have cross terms."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.inner(F.relu(self.inner(x)))))


class Mixing(nn.Module):
    """Dense layers at several positions, then mixing over positions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.positions, self.head = nn.Linear(3, 4), nn.Linear(6, 2), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        return self.head(F.relu(self.positions(h.transpose(1, 2))).flatten(1))


class Functional(nn.Module):
    """An activation that is no module: the closed form must not take it for a chain."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.act, self.head = nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.sin(self.act(self.first(x))))


def squared_relu() -> nn.Module:
    class Squared(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x) ** 2

    return nn.Sequential(nn.Linear(5, 4), Squared(), nn.Linear(4, 3))


def mlp(*between: nn.Module) -> nn.Module:
    """Dense layers of 5, 4, ..., 3 with these modules between them."""
    layers: list[nn.Module] = [nn.Linear(5, 4)]
    for module in between:
        layers += [module, nn.Linear(4, 4)]
    return nn.Sequential(*layers[:-1], nn.Linear(4, 3))


def convolutional() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(4, 6, 2, groups=2, stride=2, dilation=1, padding=1, padding_mode="circular"), nn.LeakyReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)),
    )


def one_dimensional() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv1d(2, 4, 3, padding="same", bias=False), nn.GroupNorm(2, 4), nn.PReLU(4)),
        *(nn.Conv1d(4, 3, 2, dilation=2), nn.Flatten(), nn.Linear(12, 3)),
    )


@dataclass(frozen=True)
class Case:
    """whole, affine, chain: what `structure` must find."""

    model: Callable[[], nn.Module]
    shape: tuple[int, ...]
    whole: bool
    affine: bool
    chain: bool = False
    tokens: bool = False


CASES = {
    "relu": Case(lambda: mlp(nn.ReLU(inplace=True), nn.ReLU6(), nn.Hardtanh()), (5,), True, True),
    "prelu": Case(lambda: mlp(nn.PReLU(), nn.PReLU(4)), (5,), True, True),
    "tanh": Case(lambda: mlp(nn.Tanh(), nn.Tanh()), (5,), True, False, chain=True),
    "gelu, silu": Case(lambda: mlp(nn.GELU(), nn.SiLU()), (5,), True, False, chain=True),
    "three tanh": Case(lambda: mlp(nn.Tanh(), nn.Tanh(), nn.Tanh()), (5,), True, False),
    "softplus in place": Case(lambda: mlp(nn.SiLU(inplace=True)), (5,), True, False),
    "functional": Case(Functional, (5,), True, False),
    "norm inside": Case(lambda: mlp(nn.LayerNorm(4)), (5,), True, False),
    "norm of the input": Case(lambda: nn.Sequential(nn.LayerNorm(5), mlp(nn.ReLU())), (5,), True, True),
    "rms norm": Case(lambda: mlp(nn.RMSNorm(4)), (5,), True, False),
    "batch norm": Case(lambda: mlp(nn.BatchNorm1d(4), nn.ReLU()), (5,), True, True),
    "squared relu": Case(squared_relu, (5,), True, False),
    "convolutions": Case(convolutional, (2, 6, 6), True, True),
    "one dimension": Case(one_dimensional, (2, 6), True, False),
    "several positions": Case(Mixing, (6, 3), True, True),
    "used twice": Case(Twice, (5,), False, False),
    "weight norm": Case(lambda: nn.utils.parametrizations.weight_norm(nn.Linear(5, 3)), (5,), False, False),
    "attention": Case(Attention, (3, 4), False, False),
    "tokens": Case(Tokens, (5,), True, False, tokens=True),
    "tied": Case(lambda: Tokens(tied=True), (5,), False, False, tokens=True),
    "recurrent": Case(lambda: nn.Sequential(nn.Flatten(), nn.RNNCell(6, 3, nonlinearity="relu")), (2, 3), False, True),
}


def landscape(name: str, batches: tuple[int, ...] = (7, 4), weight_decay: float = 0.0) -> eg.Landscape:
    """The network in float64 on random data in unequal batches, cross-entropy."""
    case = CASES[name]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = case.model().double()
        data = []
        for count in batches:
            if case.tokens:
                data.append((torch.randint(0, 7, (count, *case.shape)), torch.randint(0, 7, (count, *case.shape))))
            else:
                x = torch.randn(count, *case.shape, dtype=torch.float64)
                data.append((x, torch.randint(0, 3, (count,))))
    return eg.Landscape(model, nn.CrossEntropyLoss(), data, weight_decay=weight_decay)

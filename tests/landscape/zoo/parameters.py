"""Parameters of every kind: tied, unused, partly used, frozen, scalar, of several dtypes."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.row import TOKENS, Row, ragged


class Tied(nn.Module):
    """An embedding used at both ends, as language models have it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.mix, self.head = nn.Embedding(5, 3), nn.Linear(3, 3), nn.Linear(3, 5, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.mix(self.embedding(tokens)).tanh()).mean(1)


class Unused(nn.Module):
    """Parameters that the forward pass does not meet, a module and a bare one; and one of which it takes two rows."""

    def __init__(self) -> None:
        super().__init__()
        self.never, self.used = nn.Linear(2, 2), nn.Linear(3, 3)
        self.bare, self.rows = nn.Parameter(torch.ones(2)), nn.Parameter(torch.randn(4, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x + self.rows[1:3].sum(0)).tanh()


class Sparing(nn.Module):
    """Some batches use a branch, others do not."""

    def __init__(self) -> None:
        super().__init__()
        self.always, self.sometimes = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        z = self.always(x).tanh()
        return self.sometimes(z) if len(x) == 2 else z


class Scalars(nn.Module):
    """Parameters of shape () and (1, 1), and one that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.gain, self.shift = nn.Parameter(torch.tensor(0.7)), nn.Parameter(torch.tensor([[0.1]]))

    def forward(self, x: Tensor) -> Tensor:
        return (self.gain * x + self.shift).tanh() * self.gain


class Frozen(nn.Module):
    """Weights, a whole layer, an EmbeddingBag and a table of integers that are not trained."""

    def __init__(self) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(5, 3, mode="mean").requires_grad_(False)
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.last = nn.Linear(3, 3).requires_grad_(False)
        self.second.weight.requires_grad_(False)
        self.quantised = nn.Parameter(torch.tensor([3, -1, 2], dtype=torch.int8), requires_grad=False)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.last(self.second(self.first(self.bag(tokens)).tanh()).tanh()) + self.quantised


class Narrow(nn.Module):
    """A part computes in float32, wherever its parameters are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.wide = nn.Linear(3, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        z = F.linear(x.float(), self.narrow.weight.float(), self.narrow.bias.float())
        return self.wide(z.double().tanh())

    def _apply(self, fn: object, recurse: bool = True) -> nn.Module:
        self.wide.double()
        return self


def widened(model: nn.Module) -> nn.Module:
    other = copy.deepcopy(model)
    other.narrow.double()
    return other


ROWS = {
    "tied weights": Row(Tied, ragged(TOKENS)),
    "unused and partly used parameters": Row(Unused),
    "a branch that few batches take": Row(Sparing),
    "scalar parameters": Row(Scalars),
    "frozen parameters": Row(Frozen, ragged(TOKENS)),
    "a float32 part in a float64 model": Row(Narrow, twin=widened, rtol=1e-6),
}

"""What has no second derivative in torch, by name, with its reason and a way round that is right."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import egregium as eg
from egregium.autodiff import named_failures
from egregium.errors import LossError
from egregium.operators import dense_matrix

DOUBLE = torch.float64
MADE = torch.Generator().manual_seed(3)
X, Y = torch.randn(6, 3, dtype=DOUBLE, generator=MADE), torch.tensor([0, 1, 2, 2, 1, 0])
TOKENS = torch.tensor([0, 4, 1, 2, 2, 3])


class Through(nn.Module):
    """A linear layer, a function, and a linear layer."""

    def __init__(self, function: Callable[[Tensor], Tensor], width: int = 3) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first, self.last, self.function = nn.Linear(3, 3), nn.Linear(width, 3), function
        self.to(DOUBLE)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.function(self.first(x)))


def landscape(model: nn.Module, x: Tensor = X) -> eg.Landscape:
    return eg.Landscape(model, nn.CrossEntropyLoss(), (x, Y))


SECOND: dict[str, Callable[[eg.Landscape], Any]] = {
    "hessian": lambda land: eg.hessian(land) @ torch.ones(land.n, dtype=DOUBLE),
    "ggn": lambda land: eg.ggn(land) @ torch.ones(land.n, dtype=DOUBLE),
    "scalar curvature": eg.scalar_curvature,
    "measure": eg.measure,
}
every_second = pytest.mark.parametrize("call", SECOND.values(), ids=SECOND.keys())


def cdist(z: Tensor) -> Tensor:
    return torch.cdist(z, X[:3])


def cdist_instead(z: Tensor) -> Tensor:
    return torch.linalg.vector_norm(z.unsqueeze(-2) - X[:3].unsqueeze(-3), dim=-1)


def pdist(z: Tensor) -> Tensor:
    return torch.pdist(z)[:6, None]


def pdist_instead(z: Tensor) -> Tensor:
    i, j = torch.triu_indices(6, 6, 1)
    return torch.linalg.vector_norm(z.unsqueeze(-2) - z.unsqueeze(-3) + torch.eye(6)[..., None], dim=-1)[i, j][:6, None]


#: The function, its name and the way round in the message, that way, and how wide its output is.
FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], str, Callable[[Tensor], Tensor] | nn.Module, int]] = {
    "cdist": (cdist, r"cdist, .*vector_norm\(x\.unsqueeze\(-2\) - y\.unsqueeze\(-3\), dim=-1\)", cdist_instead, 3),
    "pdist": (pdist, r"pdist, .*rows i < j of", pdist_instead, 1),
    "hardsigmoid": (F.hardsigmoid, r"hardsigmoid, .*nn\.Hardsigmoid, or F\.relu6\(x \+ 3\) / 6", nn.Hardsigmoid(), 3),
}


@every_second
@pytest.mark.parametrize(("function", "said", "instead", "width"), FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_a_function_without_second_derivative(
    call: Any, function: Any, said: str, instead: Any, width: int, untouched: Any
) -> None:
    """A gradient there is; the way round has the same, and a Hessian that agrees with differences of gradients."""
    model = Through(function, width)
    land, other = landscape(model), landscape(Through(instead, width))
    with untouched(model), pytest.raises(LossError, match=f"torch has no second derivative of {said}"):
        call(land)
    torch.testing.assert_close(land.gradient(), other.gradient(), rtol=1e-7, atol=1e-9)  # torch's 1/6 is of float32
    v = torch.randn(land.n, dtype=DOUBLE)
    slopes = [land.at(land.theta + h * v).gradient() for h in (1e-5, -1e-5)]
    torch.testing.assert_close(eg.hessian(other) @ v, (slopes[0] - slopes[1]) / 2e-5, rtol=1e-4, atol=1e-6)


@every_second
def test_ctc_loss(call: Any) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.LogSoftmax(-1)).to(DOUBLE)
    loss = nn.CTCLoss(reduction="sum")
    x, labels = torch.randn(6, 2, 3, dtype=DOUBLE), torch.tensor([[1, 2], [2, 3]])
    land = eg.Landscape(model, lambda z, target: loss(z, target, (6, 6), (2, 2)), (x, labels), terms="sum")
    assert land.value() > 0
    assert land.gradient().any()
    with pytest.raises(LossError, match=r"no second derivative of ctc_loss, .*forward recursion with torch\.logsumexp"):
        call(land)


class Sparse(nn.Module):
    """An embedding that is sparse only when it is called."""

    def __init__(self, sparse: bool) -> None:
        super().__init__()
        self.table, self.linear, self.sparse = nn.Parameter(torch.ones(5, 3)), nn.Linear(3, 3), sparse
        self.to(DOUBLE)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.linear(F.embedding(tokens, self.table, sparse=self.sparse).tanh())


@every_second
def test_a_sparse_gradient(call: Any) -> None:
    with pytest.raises(LossError, match=r"gradient is sparse: .* sparse=True, .*Use sparse=False; the values are the"):
        call(landscape(Sparse(True), TOKENS))
    dense_matrix(eg.hessian(landscape(Sparse(False), TOKENS)))


@every_second
def test_an_embedding_bag_that_is_called_as_a_function(call: Any) -> None:
    """As a module it is refused when the landscape is made."""

    class Bag(Sparse):
        def forward(self, tokens: Tensor) -> Tensor:
            return self.linear(F.embedding_bag(tokens[:, None], self.table).tanh())

    with pytest.raises(LossError, match=r"no second derivative of embedding_bag, .*Use nn\.Embedding"):
        call(landscape(Bag(False), TOKENS))


class Checkpointed(Through):
    def forward(self, x: Tensor) -> Tensor:
        return self.last(checkpoint(self.function, self.first(x), use_reentrant=True))


@every_second
def test_checkpoints_of_the_old_kind(call: Any, untouched: Any) -> None:
    """They can be computed again by .backward() alone; that is torch's own limit."""
    land = landscape(Checkpointed(torch.tanh))
    assert land.value() == landscape(Through(torch.tanh)).value()
    with untouched(land.model), pytest.raises(LossError, match=r"use_reentrant=True .* Pass use_reentrant=False"):
        call(land)


def test_other_errors_are_left_as_they_are() -> None:
    with pytest.raises(RuntimeError, match="my own") as caught, named_failures():
        raise RuntimeError("my own")
    assert type(caught.value) is RuntimeError


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("derivative for aten::_scaled_dot_product_flash_attention_for_cpu_backward is not implemented", "scaled_dot"),
        ("the derivative for 'grid_sampler_3d_backward' is not implemented.", "grid_sampler_3d, "),
        ("double backwards on roi_align not supported", "roi_align, .*operations that torch can differentiate twice"),
    ],
)
def test_names_are_read_from_what_torch_and_torchvision_say(said: str, name: str) -> None:
    with pytest.raises(LossError, match=f"torch has no second derivative of {name}"), named_failures():
        raise NotImplementedError(said)

"""Functions of the user's own: right where their backward pass can be differentiated, and never zero without a word."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

import egregium as eg
from egregium.errors import LossError
from egregium.operators import dense_matrix

DOUBLE = torch.float64


class Cube(Function):
    """x^3 as it should be."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return 3 * ctx.saved_tensors[0] ** 2 * g


class Once(Cube):
    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return 3 * ctx.saved_tensors[0] ** 2 * g


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    return functools.wraps(function)(lambda *args: function(*args))


class Decorated(Cube):
    backward = staticmethod(logged(Once.backward))


class Kernel(Cube):
    """As a kernel in numpy or Triton does it."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        x = ctx.saved_tensors[0].detach().numpy()
        return torch.from_numpy(3 * x**2 * g.detach().numpy())


class Straight(Function):
    """A step that passes gradients on, as quantisers have it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g


class Stop(Straight):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return torch.zeros_like(g)


class Auxiliary(Function):
    """Adds a loss of its own in the backward pass, as mixtures of experts do."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, loss: Tensor) -> Tensor:
        return x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
        return g, torch.ones((), dtype=g.dtype)


class Through(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.function = nn.Linear(3, 3), nn.Linear(3, 3), function
        self.to(DOUBLE)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.function(self.first(x)))


def landscape(function: Callable[[Tensor], Tensor], loss: Any) -> eg.Landscape:
    x = torch.randn(7, 3, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    y = torch.arange(7) % 3 if isinstance(loss, nn.CrossEntropyLoss) else torch.zeros(7, 3, dtype=DOUBLE)
    return eg.Landscape(Through(function), loss, (x, y))


LOSSES = [nn.CrossEntropyLoss(), nn.MSELoss(), lambda output, target: output.sum(1).mean()]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=["cross-entropy", "squares", "sum"])
OPERATORS = [eg.hessian, eg.ggn]


@every_loss
def test_a_function_that_can_be_differentiated_is(loss: Any) -> None:
    mine, plain = (landscape(function, loss) for function in (Cube.apply, lambda x: x**3))
    for operator in OPERATORS:
        torch.testing.assert_close(dense_matrix(operator(mine)), dense_matrix(operator(plain)), rtol=1e-12, atol=1e-14)


@every_loss
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    ("function", "why"),
    [
        (Once, "is marked @once_differentiable"),
        (Decorated, "is marked @once_differentiable"),
        (Kernel, "cannot be differentiated"),
    ],
)
def test_one_that_cannot_is_refused(function: Any, why: str, operator: Any, loss: Any, untouched: Any) -> None:
    """torch gives zeros there."""
    land = landscape(function.apply, loss)
    plain = landscape(lambda x: x**3, loss)
    torch.testing.assert_close(land.gradient(), plain.gradient())  # there is nothing wrong with it
    said = rf"autograd\.Function {function.__name__} {why}: .* would be zero"
    with untouched(land.model), pytest.raises(LossError, match=said):
        operator(land) @ torch.ones(land.n, dtype=DOUBLE)


def test_nor_is_it_missed_where_its_gradient_is_made_from_constants() -> None:
    """The loss is linear in its output: only a pass that begins with a graph shows the cut."""
    model = Through(Kernel.apply)
    model.last = nn.Identity()
    land = eg.Landscape(model, lambda output, target: output.sum(1).mean(), (torch.ones(4, 3, dtype=DOUBLE),) * 2)
    with pytest.raises(LossError, match="Function Kernel cannot be differentiated"):
        eg.hessian(land) @ torch.ones(land.n, dtype=DOUBLE)


def test_torch_alone_gives_zero() -> None:
    """The reason of the test above."""
    x = torch.ones(3, requires_grad=True)
    for function in (Once, Kernel):
        (slope,) = torch.autograd.grad(function.apply(x * 1.0).exp().sum(), x, create_graph=True)
        product = torch.autograd.grad(slope.sum(), x, materialize_grads=True) if slope.requires_grad else (0 * x,)
        assert not product[0].any()


@every_loss
@pytest.mark.parametrize(
    ("function", "plain"),
    [
        (Straight.apply, lambda x: x + (x.round() - x).detach()),
        (Stop.apply, lambda x: x.round() + 0 * x),
        (lambda x: Auxiliary.apply(x, x[:, 0].square().sum()), None),
    ],
    ids=["straight through", "stopped", "with a loss of its own"],
)
def test_functions_that_mean_it_pass(function: Any, plain: Any, loss: Any) -> None:
    land = landscape(function, loss)
    for operator in OPERATORS:
        found = dense_matrix(operator(land))
        if plain is not None:
            torch.testing.assert_close(found, dense_matrix(operator(landscape(plain, loss))), rtol=1e-12, atol=1e-14)


def test_in_the_loss_too() -> None:
    land = landscape(torch.tanh, lambda output, target: Kernel.apply(output).exp().mean(1).mean())
    for operator in OPERATORS:
        with pytest.raises(LossError, match="Function Kernel cannot be differentiated"):
            operator(land) @ torch.ones(land.n, dtype=DOUBLE)

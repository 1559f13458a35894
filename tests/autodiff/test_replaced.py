"""Layers that are replaced while derivatives are taken, and only then."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import gradgradcheck
from torch.nn.utils import parametrizations

from egregium.autodiff import second_derivatives_of

DOUBLE = torch.float64
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.nn.utils.weight_norm.*deprecated")

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "weight norm, hook": lambda: nn.utils.weight_norm(nn.Linear(3, 3)),
    "weight norm, hook, of another name and dimension": lambda: nn.utils.weight_norm(nn.RNN(3, 3), "weight_hh_l0", 1),
    "weight norm": lambda: parametrizations.weight_norm(nn.Linear(3, 3)),
    "weight norm of the whole": lambda: parametrizations.weight_norm(nn.Conv1d(3, 3, 1), dim=None),
    "hardsigmoid": nn.Hardsigmoid,
    "hardsigmoid in place": lambda: nn.Hardsigmoid(inplace=True),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())


def output(model: nn.Module, x: Tensor) -> Tensor:
    z = model(x + 0)
    return z[0] if isinstance(z, tuple) else z


@every_layer
@pytest.mark.parametrize("raises", [False, True])
def test_the_values_are_the_same_and_the_layer_is_as_it_was(make: Any, raises: bool, untouched: Any) -> None:
    model, x = nn.Sequential(make()).to(DOUBLE), torch.randn(1, 3, 3, dtype=DOUBLE)
    expected = output(model, x).detach()
    hooks = [hook for module in model.modules() for hook in module._forward_pre_hooks.values()]
    before = [dict(vars(hook)) for hook in hooks]
    untouched = untouched if not before else lambda model: nullcontext()  # a hook sets its weight in each call
    with untouched(model), pytest.raises(ZeroDivisionError) if raises else nullcontext(), second_derivatives_of(model):
        with second_derivatives_of(model):  # a pass inside a pass
            found = output(model, x)
        torch.testing.assert_close(output(model, x), found, rtol=0, atol=0)
        if raises:
            1 / 0  # noqa: B018
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-15)
    assert [dict(vars(hook)) for hook in hooks] == before


@every_layer
def test_the_second_derivatives_are_right(make: Any) -> None:
    model = nn.Sequential(make()).to(DOUBLE)
    parameters = dict(model.named_parameters())
    x = 4 * torch.randn(1, 3, 3, dtype=DOUBLE).requires_grad_()

    def f(x: Tensor, *values: Tensor) -> Tensor:
        return output(lambda x: torch.func.functional_call(model, dict(zip(parameters, values, strict=True)), x), x)

    leaves = (x, *(p.detach().clone().requires_grad_() for p in parameters.values()))
    with second_derivatives_of(model):
        assert gradgradcheck(f, leaves)


def test_torch_alone_is_wrong_there() -> None:
    """The reason of all this; should torch mend it, the replacement can go."""
    v, g = torch.randn(3, 3, dtype=DOUBLE, requires_grad=True), torch.randn(3, 1, dtype=DOUBLE, requires_grad=True)
    assert not gradgradcheck(lambda v, g: torch._weight_norm(v, g, 0), (v, g), raise_exception=False)
    x = torch.randn(3, dtype=DOUBLE, requires_grad=True)
    (slope,) = torch.autograd.grad(F.hardsigmoid(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="hardsigmoid_backward is not implemented"):
        torch.autograd.grad(slope.sum(), x)


def test_a_class_of_the_users_own_is_left_alone() -> None:
    class Hardsigmoid(nn.Hardsigmoid):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * x

    model = nn.Sequential(Hardsigmoid())
    with second_derivatives_of(model):
        assert output(model, torch.ones(3)).tolist() == [2.0] * 3


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM, None], ids=str)
def test_recurrent_layers_run_without_cudnn(kind: Any) -> None:
    """Its kernels have no second derivative."""
    model = nn.Sequential(nn.Linear(3, 3), *([] if kind is None else [kind(3, 3)]))
    before = torch.backends.cudnn.enabled
    with second_derivatives_of(model):
        assert torch.backends.cudnn.enabled == (before if kind is None else False)
    assert torch.backends.cudnn.enabled == before

"""Models and functions as objectives: which parameters they have, and losses that are no finite number."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import egregium as eg
from egregium.errors import ArgumentError, LossError
from egregium.landscape import tensors_of
from egregium.landscape.objective import FunctionObjective

DOUBLE = torch.float64

CALLS: dict[str, Callable[[eg.Landscape], Any]] = {
    "value": lambda land: land.value(),
    "gradient": lambda land: land.gradient(),
    "hessian": lambda land: eg.hessian(land) @ torch.ones(land.n, dtype=land.dtype),
    "ggn": lambda land: eg.ggn(land) @ torch.ones(land.n, dtype=land.dtype),
    "scalar curvature": eg.scalar_curvature,
    "measure": eg.measure,
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


# --- losses that are no number


@every_call
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf], ids=str)
def test_a_loss_that_is_not_finite_names_the_batch(call: Any, bad: float, tanh_mlp: nn.Module, ragged: Any) -> None:
    ragged[1][0][5, 0] = bad
    loss = nn.MSELoss() if bad == bad else nn.CrossEntropyLoss()
    data = [
        (x, y if bad != bad else torch.full((len(x), 3), bad if i == 1 else 0.0)) for i, (x, y) in enumerate(ragged)
    ]
    land = eg.Landscape(tanh_mlp, loss, data)
    where = "its data are not finite at sample 5"
    with pytest.raises(LossError, match=rf"The loss is (nan|inf) on batch 1 \(counted from 0\): {where}"):
        call(land)


@every_call
def test_overflow_in_the_parameters_is_seen_on_the_first_batch(call: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    with torch.no_grad():
        tanh_mlp[2].weight.fill_(torch.nan)
    with pytest.raises(LossError, match="The loss is nan on batch 0"):
        call(eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged))


class Cut(nn.Module):
    """The mistake of a detached output."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3).to(DOUBLE)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).detach()


SECOND = {name: call for name, call in CALLS.items() if name != "value"} | {
    "trace": eg.trace,
    "squared Frobenius": eg.squared_frobenius,
    "eigenpairs": eg.eigenpairs,
    "density": eg.spectral_density,
    "trace of ggn": lambda land: eg.trace(land, operator="ggn"),
}


@pytest.mark.parametrize("call", SECOND.values(), ids=SECOND.keys())
def test_a_graph_that_is_cut_is_no_flat_landscape(call: Any, ragged: Any) -> None:
    """Zeros would look like a result."""
    land = eg.Landscape(Cut(), nn.CrossEntropyLoss(), ragged)
    with pytest.raises(
        LossError, match=r"does not depend on the parameters: its graph was cut\. Look for \.detach\(\)"
    ):
        call(land)


def test_a_cut_graph_still_has_a_value(ragged: Any) -> None:
    assert eg.Landscape(Cut(), nn.CrossEntropyLoss(), ragged).value() > 0


def test_one_batch_without_graph_is_none_of_these(tanh_mlp: nn.Module, whole: Any) -> None:
    """A batch whose loss does not depend on the parameters adds its value, and zero derivatives."""
    x = whole[0]

    def batch_loss(model: nn.Module, batch: Any) -> tuple[Tensor, int]:
        return (torch.tensor(3.0, dtype=DOUBLE), 1) if batch is None else (nn.functional.mse_loss(model(x), 0 * x), 1)

    land = eg.Landscape(tanh_mlp, batch_loss=batch_loss, data=[None, 1])
    alone = eg.Landscape(tanh_mlp, batch_loss=batch_loss, data=[1])
    v = torch.ones(land.n, dtype=DOUBLE)
    assert land.value() == pytest.approx((3 + alone.value()) / 2, rel=1e-14)
    torch.testing.assert_close(land.gradient(), alone.gradient() / 2)
    torch.testing.assert_close(eg.hessian(land) @ v, (eg.hessian(alone) @ v) / 2)


def test_a_gradient_that_is_not_finite_is_said_to_be_so() -> None:
    land = eg.Landscape.from_function(lambda x: x.sqrt().sum(), torch.zeros(3, dtype=DOUBLE))
    with pytest.raises(LossError, match="gradient of the loss is not finite, though the loss is"):
        eg.scalar_curvature(land)


# --- parameters


def test_no_parameter_that_requires_grad(tanh_mlp: nn.Module, ragged: Any) -> None:
    tanh_mlp.requires_grad_(False)
    with pytest.raises(ArgumentError, match=r"No parameter of Sequential requires grad.*model\.requires_grad_\(True\)"):
        eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged)
    with pytest.raises(ArgumentError, match="No parameter of Flatten requires grad"):
        eg.Landscape(nn.Flatten(), nn.CrossEntropyLoss(), ragged)


def test_complex_parameters_are_named(ragged: Any) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3, dtype=torch.complex64))
    with pytest.raises(ArgumentError, match=r"1\.weight \(torch\.complex64\), 1\.bias \(torch\.complex64\)\.$"):
        eg.Landscape(model, nn.CrossEntropyLoss(), ragged)


@pytest.mark.parametrize("theta", [torch.ones(2, 2), torch.ones(3, dtype=torch.long), torch.tensor(1.0), [1.0], None])
def test_from_function_needs_a_vector(theta: Any) -> None:
    with pytest.raises(ArgumentError, match=r"theta as a floating-point tensor of shape \(n,\), got "):
        eg.Landscape.from_function(torch.sum, theta)


def test_an_empty_vector_is_no_point() -> None:
    with pytest.raises(ArgumentError, match=r"got torch\.float32 of shape \(0,\)"):
        FunctionObjective(torch.sum, torch.empty(0))


@pytest.mark.parametrize(
    ("f", "what"),
    [(lambda x: x, r"shape \(2,\)"), (lambda x: 1.0, "float"), (lambda x: None, "NoneType")],
    ids=["vector", "float", "nothing"],
)
def test_a_function_must_return_a_scalar_tensor(f: Any, what: str) -> None:
    with pytest.raises(LossError, match=f"must be a scalar tensor, got {what} on batch 0"):
        eg.Landscape.from_function(f, torch.ones(2)).value()


def test_a_one_element_tensor_is_a_scalar() -> None:
    land = eg.Landscape.from_function(lambda x: (x**2).sum(0, keepdim=True), torch.ones(2, dtype=DOUBLE))
    assert (land.value(), eg.trace(land).value) == (2.0, 4.0)


def test_tensors_of_an_output() -> None:
    a, b = torch.ones(2, requires_grad=True), torch.ones(2)
    assert [t is a for t in tensors_of({"a": [a, b, None], "n": 3})] == [True]


# --- parameters that are reached past their module


class ByReference(nn.Module):
    """Holds the parameters of a part in a place of its own: a list, a partial, a hook."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 3)
        self.held: Any = [self.b.weight, self.b.bias]
        if kind == "partial":
            self.held = partial(F.linear, weight=self.b.weight, bias=self.b.bias)
        if kind == "hook":
            gain = self.b.bias
            self.held = None
            self.a.register_forward_hook(lambda module, args, output: output * gain.sum())

    def forward(self, x: Tensor) -> Tensor:
        h = self.a(x).tanh()
        if isinstance(self.held, list):
            return F.linear(h, *self.held)
        return self.b(h) if self.held is None else self.held(h)


@pytest.mark.parametrize("kind", ["list", "partial", "hook"])
@every_call
def test_a_parameter_reached_by_reference_is_refused(call: Any, kind: str) -> None:
    """It would be flat, and stay behind where the landscape moves, without a word."""
    land = eg.Landscape(ByReference(kind), nn.CrossEntropyLoss(), (torch.randn(9, 3), torch.randint(0, 3, (9,))))
    for _ in range(2):  # and again, where the first refusal was caught
        with pytest.raises(LossError, match=r"The parameter b\.(weight|bias) is used past the module that owns it"):
            call(land)


def test_so_is_one_in_the_loss() -> None:
    model = nn.Linear(3, 3)
    held = list(model.parameters())
    data = (torch.randn(9, 3), torch.randint(0, 3, (9,)))

    def loss(z: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(z, y) + sum(p.square().sum() for p in held)

    land = eg.Landscape(model, loss, data, terms="samples")
    eg.ggn(land) @ torch.ones(land.n)  # a penalty in the loss is no part of G, and its graph not looked at
    with pytest.raises(LossError, match=r"The parameter (weight|bias) is used past"):
        land.gradient()


def test_nor_are_weights_measured_while_torch_caches_them() -> None:
    model = nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (torch.randn(9, 3), torch.randint(0, 3, (9,))))
    with nn.utils.parametrize.cached(), pytest.raises(ArgumentError, match="Measure outside it"):
        land.gradient()


def test_an_output_that_is_one_number_needs_terms() -> None:
    class Inside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x).square().mean()

    data = [(torch.randn(k, 3), torch.zeros(k)) for k in (4, 2)]
    with pytest.raises(LossError, match="output is a single number"):
        eg.Landscape(Inside(), lambda z, _: z, data).value()
    whole = torch.cat([x for x, _ in data])
    model = Inside()
    found = eg.Landscape(model, lambda z, _: z, data, terms="samples").value()
    assert found == pytest.approx(float(model(whole).detach()), rel=1e-6)

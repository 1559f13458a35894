"""The landscape as a function of a vector: points, scales, parameters of every kind, live reading."""

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from zoo.parameters import Tied

import egregium as eg
from egregium.errors import ArgumentError
from egregium.operators import dense_matrix

DOUBLE = torch.float64


@pytest.fixture
def land(tanh_mlp: nn.Module, ragged: Any) -> eg.Landscape:
    return eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged)


def close(found: Any, expected: Any, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(torch.as_tensor(found), torch.as_tensor(expected), rtol=tolerance, atol=tolerance / 100)


def check(model: nn.Module, x: Tensor, y: Tensor, reference: Any) -> eg.Landscape:
    """Value, gradient and Hessian of a model with cross-entropy in two ragged batches, against dense autodiff."""
    expected = reference(model, lambda forward: F.cross_entropy(forward(x), y))
    cut = len(x) // 3
    land = eg.Landscape(model, nn.CrossEntropyLoss(), [(x[:cut], y[:cut]), (x[cut:], y[cut:])])
    close(land.value(), float(expected.value))
    close(land.gradient(), expected.gradient)
    close(dense_matrix(eg.hessian(land)), expected.hessian)
    return land


# --- vectors and points


def test_the_order_of_theta_is_the_models(land: eg.Landscape, tanh_mlp: nn.Module) -> None:
    assert torch.equal(land.theta, nn.utils.parameters_to_vector(tanh_mlp.parameters()).detach())
    assert list(land.shapes) == [name for name, _ in tanh_mlp.named_parameters()]
    assert (land.n, land.dtype, land.device.type) == (31, DOUBLE, "cpu")


def test_flatten_and_unflatten_are_inverse(land: eg.Landscape) -> None:
    v = torch.randn(land.n, dtype=DOUBLE)
    parts = land.unflatten(v)
    assert torch.equal(land.flatten(parts), v)
    assert torch.equal(land.flatten(list(parts.values())), v)
    assert torch.equal(land.flatten(dict(reversed(parts.items()))), v)  # by name, in the model's order
    assert [p.shape for p in parts.values()] == list(land.shapes.values())


def test_unflatten_takes_a_column_of_a_matrix(land: eg.Landscape) -> None:
    V = torch.randn(land.n, 3, dtype=DOUBLE)
    assert torch.equal(land.flatten(land.unflatten(V[:, 1])), V[:, 1])


def test_flatten_and_unflatten_say_what_they_need(land: eg.Landscape, tanh_mlp: nn.Module) -> None:
    with pytest.raises(ArgumentError, match=r"unflatten needs a vector of shape \(31,\), got \(30,\)"):
        land.unflatten(torch.ones(30))
    with pytest.raises(ArgumentError, match=r"flatten needs tensors of shapes \[\(4, 3\), .*got \[\(3, 4\)"):
        land.flatten([p.t() for p in tanh_mlp.parameters()])
    with pytest.raises(ArgumentError, match=r"flatten needs a tensor for each parameter; these lack one: \['2.bias'\]"):
        land.flatten({name: p for name, p in tanh_mlp.named_parameters() if name != "2.bias"})


def test_at_is_the_same_function_elsewhere(land: eg.Landscape, tanh_mlp: nn.Module, untouched: Any) -> None:
    there = land.theta + 0.1 * torch.randn(land.n, dtype=DOUBLE)
    twin = copy.deepcopy(tanh_mlp)
    nn.utils.vector_to_parameters(there, twin.parameters())
    with untouched(tanh_mlp, there):
        moved = land.at(there)
        gradient = moved.gradient()
    close(gradient, eg.Landscape(twin, nn.CrossEntropyLoss(), land._objective.data).gradient(), 1e-14)
    assert torch.equal(moved.theta, there)
    assert not torch.equal(land.theta, there)


def test_at_keeps_a_copy(land: eg.Landscape) -> None:
    theta = land.theta
    here = land.at(theta)
    before = here.value()
    theta.zero_()
    here.theta.zero_()
    assert here.value() == before


@pytest.mark.parametrize("theta", [torch.ones(30), torch.ones(31, 1), torch.tensor(1.0), [0.0] * 31, None])
def test_at_needs_a_vector(theta: Any, land: eg.Landscape) -> None:
    with pytest.raises(
        ArgumentError, match=r"at\(theta\) needs a floating-point tensor of shape \(31,\), got .*land\.fl"
    ):
        land.at(theta)


@pytest.mark.parametrize("scale", [1e-3, 0.5, 2.0, 1e6])
def test_scaled_scales_value_gradient_and_products(scale: float, land: eg.Landscape) -> None:
    more = land.scaled(scale)
    v = torch.randn(land.n, dtype=DOUBLE)
    close(more.value(), scale * land.value(), 1e-14)
    close(more.gradient(), scale * land.gradient(), 1e-14)
    close(eg.hessian(more) @ v, scale * (eg.hessian(land) @ v), 1e-14)
    close(more.scaled(1 / scale).value(), land.value(), 1e-14)
    close(more.at(land.theta).value(), more.value(), 1e-14)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_scale_must_be_positive(scale: float, land: eg.Landscape) -> None:
    with pytest.raises(ArgumentError, match="scale must be a positive finite number"):
        land.scaled(scale)


def test_value_and_gradient_agree_with_value(land: eg.Landscape, mlp_reference: Any) -> None:
    value, gradient = land.value_and_gradient()
    close(value, float(mlp_reference.value))
    assert value == land.value()
    assert torch.equal(gradient, land.gradient())


# --- live reading


def test_parameters_are_read_anew_and_at_stays(land: eg.Landscape, tanh_mlp: nn.Module) -> None:
    here, H = land.at(land.theta), eg.hessian(land)
    S = eg.shape_operator(land)
    v = torch.ones(land.n, dtype=DOUBLE)
    before = land.value(), here.value(), H @ v, S @ v
    optimiser = torch.optim.SGD(tanh_mlp.parameters(), lr=0.5)
    x, y = land._objective.data[0]
    F.cross_entropy(tanh_mlp(x), y).backward()
    optimiser.step()
    assert land.value() < before[0]
    assert here.value() == before[1]
    assert not torch.equal(H @ v, before[2])
    assert torch.equal(S @ v, before[3])
    assert torch.equal(land.theta, nn.utils.parameters_to_vector(tanh_mlp.parameters()).detach())


def test_buffers_are_read_anew() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)).to(DOUBLE)
    x, y = torch.randn(9, 3, dtype=DOUBLE), torch.arange(9) % 3
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (x, y))
    before = land.value()
    model(3 * x + 1)  # in training mode: the running statistics move
    assert land.value() != before
    model.eval()
    close(land.value(), float(F.cross_entropy(model(x), y).detach()))


# --- parameters of every kind; models of every kind are in test_models.py


class Unused(nn.Module):
    """D18: parameters that the forward pass does not meet, a module and a bare one."""

    def __init__(self) -> None:
        super().__init__()
        self.never, self.used = nn.Linear(2, 2), nn.Linear(3, 3)
        self.bare = nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x).tanh()


VECTORS = torch.randn(9, 3, generator=torch.Generator().manual_seed(1))


def test_tied_weights_count_once(reference: Any) -> None:
    assert check(Tied().to(DOUBLE), torch.arange(9).unsqueeze(1) % 5, torch.arange(9) % 5, reference).n == 15 + 12


def test_an_unused_parameter_has_zero_rows(ragged: Any) -> None:
    model = Unused().to(DOUBLE)
    land = eg.Landscape(model, nn.CrossEntropyLoss(), ragged)
    gradient = land.unflatten(land.gradient())
    assert not gradient["never.weight"].any()
    assert not gradient["bare"].any()
    assert gradient["used.weight"].all()
    for op in (eg.hessian(land), eg.ggn(land)):
        used = land.flatten({name: torch.full(s, float("used" in name)) for name, s in land.shapes.items()}) > 0
        H = dense_matrix(op)
        assert not H[~used].any()
        assert H[used].any()


def test_frozen_parameters_are_no_coordinates(tanh_mlp: nn.Module, whole: Any, reference: Any) -> None:
    full = check(tanh_mlp, *whole, reference)
    H = dense_matrix(eg.hessian(full))
    tanh_mlp[0].requires_grad_(False)
    part = check(tanh_mlp, *whole, reference)
    assert part.n == 15
    close(dense_matrix(eg.hessian(part)), H[16:, 16:])
    assert list(part.shapes) == ["2.weight", "2.bias"]


def test_mixed_dtypes_meet_in_the_widest(whole: Any) -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.narrow, self.wide = nn.Linear(3, 4), nn.Linear(4, 3, dtype=DOUBLE)

        def forward(self, x: Tensor) -> Tensor:
            return self.wide(self.narrow(x.to(self.narrow.weight.dtype)).tanh().double())

    model = Mixed()
    land = eg.Landscape(model, nn.CrossEntropyLoss(), whole)
    assert land.dtype == DOUBLE
    assert land.gradient().dtype == DOUBLE
    H = eg.hessian(land) @ torch.eye(land.n, dtype=DOUBLE)
    torch.testing.assert_close(H, H.T, rtol=0, atol=1e-6)
    exact = eg.Landscape(copy.deepcopy(model).to(DOUBLE), nn.CrossEntropyLoss(), whole)
    torch.testing.assert_close(land.gradient(), exact.gradient(), rtol=1e-4, atol=1e-6)
    assert eg.scalar_curvature(land).value == pytest.approx(eg.scalar_curvature(exact).value, rel=1e-4)


def test_a_float32_model_measured_in_float64(tanh_mlp: nn.Module, ragged: Any, untouched: Any) -> None:
    model = tanh_mlp.float()
    data = [(x.float(), y) for x, y in ragged]
    twin = copy.deepcopy(model).double()
    exact = eg.Landscape(twin, nn.CrossEntropyLoss(), [(x.double(), y) for x, y in data])
    with untouched(model, *(x for x, _ in data)):
        wide = eg.Landscape(model, nn.CrossEntropyLoss(), data, dtype=DOUBLE)
        for land in (wide, eg.Landscape(model, nn.CrossEntropyLoss(), data).to(dtype=DOUBLE)):
            assert (land.dtype, land.theta.dtype, land.gradient().dtype) == (DOUBLE, DOUBLE, DOUBLE)
            assert torch.equal(land.gradient(), exact.gradient())
            assert eg.scalar_curvature(land).value == eg.scalar_curvature(exact).value


def test_buffers_follow_the_dtype() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    x, y = torch.randn(9, 3), torch.arange(9) % 3
    model(x)
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (x, y), dtype=DOUBLE)
    twin = copy.deepcopy(model).double()
    assert torch.equal(land.gradient(), eg.Landscape(twin, nn.CrossEntropyLoss(), (x.double(), y)).gradient())
    assert model[1].running_mean.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_measures(dtype: torch.dtype, tanh_mlp: nn.Module, ragged: Any) -> None:
    """D4: products by autodiff stay within the rounding of the dtype."""
    model = tanh_mlp.to(dtype)
    land = eg.Landscape(model, nn.CrossEntropyLoss(), [(x.to(dtype), y) for x, y in ragged])
    exact = land.to(dtype=DOUBLE)
    v = torch.ones(land.n)
    found, expected = eg.hessian(land) @ v.to(dtype), eg.hessian(exact) @ v.double()
    assert found.dtype == dtype
    assert (found.double() - expected).norm() < 0.05 * expected.norm()


def test_to_keeps_point_and_scale(land: eg.Landscape) -> None:
    there = land.at(land.theta + 0.1).scaled(3.0)
    single = there.to(dtype=torch.float32)
    assert (single.dtype, single.scale) == (torch.float32, 3.0)
    assert single.value() == pytest.approx(there.value(), rel=1e-6)
    assert there.to().value() == there.value()


def test_model_is_the_users(land: eg.Landscape, tanh_mlp: nn.Module) -> None:
    assert land.model is tanh_mlp
    assert land.at(land.theta).scaled(2.0).model is tanh_mlp
    assert eg.Landscape.from_function(torch.sum, torch.ones(2)).model is None


def test_a_loss_that_is_a_parameter_itself(untouched: Any) -> None:
    """Sums over batches must not be added up in the parameter's own memory."""

    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.height = nn.Parameter(torch.tensor(1.0, dtype=DOUBLE))

    model = Constant()
    land = eg.Landscape(model, batch_loss=lambda model, batch: (model.height, 1), data=[1, 2, 3])
    with untouched(model):
        assert (land.value(), land.at(torch.tensor([5.0])).value()) == (1.0, 5.0)


def test_a_function_of_a_vector() -> None:
    f = lambda x: x[0] ** 3 + x[1] * x[2]
    land = eg.Landscape.from_function(f, torch.tensor([1.0, 2.0, 3.0], dtype=DOUBLE))
    assert (land.n, land.value()) == (3, 7.0)
    assert land.gradient().tolist() == [3.0, 3.0, 2.0]
    assert dense_matrix(eg.hessian(land)).tolist() == [[6, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert land.at(torch.zeros(3)).value() == 0


def test_a_function_reads_theta_live() -> None:
    theta = torch.ones(2, dtype=DOUBLE)
    land = eg.Landscape.from_function(lambda x: (x**2).sum(), theta)
    theta.mul_(3)
    assert land.value() == 18


@pytest.mark.filterwarnings("ignore:.*torch.nn.utils.weight_norm.*deprecated")
@pytest.mark.parametrize(
    "norm", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm], ids=["hook", "parametrised"]
)
@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_has_the_second_derivative_of_its_formula(
    norm: Any, dim: int | None, reference: Any, untouched: Any
) -> None:
    """W = g v / |v|. The second derivative of torch's fused kernel is wrong: gradgradcheck fails on it (2.13)."""

    class ByHand(nn.Module):
        def __init__(self, bias: Tensor, g: Tensor, v: Tensor) -> None:
            super().__init__()
            self.bias, self.g, self.v = (nn.Parameter(p.detach().clone()) for p in (bias, g, v))

        def forward(self, x: Tensor) -> Tensor:
            length = self.v.norm() if dim is None else self.v.norm(dim=1 - dim, keepdim=True)
            return F.softplus(x @ (self.g * self.v / length).T + self.bias)

    model = nn.Sequential(norm(nn.Linear(3, 3), dim=dim), nn.Softplus()).to(DOUBLE)
    x, y = VECTORS.to(DOUBLE), torch.arange(9) % 3
    expected = reference(ByHand(*model.parameters()), lambda forward: F.cross_entropy(forward(x), y))
    land = eg.Landscape(model, nn.CrossEntropyLoss(), [(x[:4], y[:4]), (x[4:], y[4:])])
    with untouched(model):
        H = dense_matrix(eg.hessian(land))
    close(H, expected.hessian)
    assert eg.trace(land, operator="ggn").value > 0


# --- arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"model": len}, r"needs a torch\.nn\.Module, got builtin_function_or_method.*from_function"),
        ({"loss": None}, "exactly one of loss= and batch_loss="),
        ({"batch_loss": len}, "exactly one of loss= and batch_loss="),
        ({"loss": "cross_entropy"}, "loss= must be callable, got str"),
        ({"loss": None, "batch_loss": 3}, "batch_loss= must be callable, got int"),
    ],
)
def test_arguments_that_make_no_landscape(arguments: Any, said: str, tanh_mlp: nn.Module, ragged: Any) -> None:
    everything = {"model": tanh_mlp, "loss": nn.CrossEntropyLoss(), "data": ragged} | arguments
    with pytest.raises(ArgumentError, match=said):
        eg.Landscape(**everything)


def test_from_function_needs_a_function() -> None:
    with pytest.raises(ArgumentError, match=r"a function of a tensor of shape \(n,\), got Tensor"):
        eg.Landscape.from_function(torch.ones(2), torch.ones(2))


def test_a_penalty_inside_the_loss_is_part_of_f() -> None:
    """The loss closes over the model's parameters; at the point, not at the model's own values."""
    model = nn.Linear(3, 1).double()
    x, y = torch.randn(8, 3, dtype=torch.float64), torch.randn(8, 1, dtype=torch.float64)

    def penalised(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return nn.functional.mse_loss(output, target) + 0.5 * sum((p**2).sum() for p in model.parameters())

    plain, land = eg.Landscape(model, nn.MSELoss(), (x, y)), eg.Landscape(model, penalised, (x, y))
    assert eg.trace(land).value == pytest.approx(eg.trace(plain).value + 4, rel=1e-12)
    there = land.at(2 * land.theta)
    assert there.value() == pytest.approx(plain.at(2 * land.theta).value() + 2 * float(land.theta @ land.theta))
    assert torch.allclose(there.gradient(), plain.at(2 * land.theta).gradient() + 2 * land.theta)

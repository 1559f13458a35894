"""Derivatives in whatever state the caller has left torch, and that state afterwards."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import egregium as eg
from egregium.autodiff import derivatives

DOUBLE = torch.float64
CPU = torch.device("cpu")


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


STATES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "plain": nullcontext,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "default dtype float64": lambda: default_dtype(DOUBLE),
    "default dtype float16": lambda: default_dtype(torch.float16),
}
every_state = pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())

CALLS: dict[str, Callable[[eg.Landscape], Any]] = {
    "value": lambda land: land.value(),
    "gradient": lambda land: land.gradient(),
    "hessian": lambda land: eg.hessian(land) @ torch.ones(land.n, dtype=land.dtype),
    "ggn": lambda land: eg.ggn(land) @ torch.ones(land.n, dtype=land.dtype),
    "shape operator": lambda land: eg.shape_operator(land) @ torch.ones(land.n, dtype=land.dtype),
    "scalar curvature": lambda land: eg.scalar_curvature(land, method="exact").value,
    "scalar curvature, sampled": lambda land: eg.scalar_curvature(land, method="stochastic", rtol=0.5).value,
    "measure": lambda land: eg.measure(land).trace.value,
    "trace": lambda land: eg.trace(land).value,
    "eigenpairs": lambda land: eg.eigenpairs(land, 2).values,
    "density": lambda land: eg.spectral_density(land).density,
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@every_state
@every_call
@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
def test_the_callers_state_changes_no_digit(
    dtype: torch.dtype, state: Any, call: Any, tanh_mlp: nn.Module, ragged: Any, untouched: Any
) -> None:
    """Autocast alone would move these numbers by a percent, no_grad and inference mode would raise."""
    model = tanh_mlp.to(dtype)
    land = eg.Landscape(model, nn.CrossEntropyLoss(), [(x.to(dtype), y) for x, y in ragged])
    expected = call(land)
    with state(), untouched(model):
        found = call(land)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@every_state
def test_a_landscape_made_in_that_state_works_there_and_outside(state: Any, whole: tuple[Tensor, Tensor]) -> None:
    with state():
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
        land = eg.Landscape(model, nn.CrossEntropyLoss(), (whole[0].clone(), whole[1].clone()))
        here = land.at(land.theta * 1.1)
        inside = eg.scalar_curvature(here).value
    assert eg.scalar_curvature(here).value == inside
    assert here.gradient().shape == (31,)


def test_a_model_and_data_born_in_inference_mode() -> None:
    """Parameters of inference mode are copied into ordinary leaves."""
    with torch.inference_mode():
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 3)).double()
        model[0].requires_grad_(False)
        x, y = torch.randn(6, 3, dtype=DOUBLE), torch.arange(6) % 3
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (x, y))
    twin = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 3)).double()
    twin.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()})
    twin[0].requires_grad_(False)
    other = eg.Landscape(twin, nn.CrossEntropyLoss(), (x.clone(), y.clone()))
    assert eg.scalar_curvature(land).value == eg.scalar_curvature(other).value


@every_state
def test_inside_the_scope_a_graph_is_recorded_in_full_precision(state: Any) -> None:
    with state(), derivatives(CPU):
        x = torch.ones(2, 2, dtype=torch.float32, requires_grad=True)
        y = x @ x
        assert y.requires_grad
        assert y.dtype == torch.float32
        assert not y.is_inference()


@pytest.mark.parametrize("fastpath", [True, False])
@pytest.mark.parametrize("flash", [True, False])
@pytest.mark.parametrize("raises", [True, False])
def test_kernel_flags_are_as_before(fastpath: bool, flash: bool, raises: bool, untouched: Any) -> None:
    was = torch.backends.mha.get_fastpath_enabled(), torch.backends.cuda.flash_sdp_enabled()
    torch.backends.mha.set_fastpath_enabled(fastpath)
    torch.backends.cuda.enable_flash_sdp(flash)
    try:
        with untouched(), pytest.raises(ZeroDivisionError) if raises else nullcontext(), derivatives(CPU):
            assert not torch.backends.mha.get_fastpath_enabled()
            assert not torch.backends.cuda.flash_sdp_enabled()
            assert torch.backends.cuda.math_sdp_enabled()
            if raises:
                1 / 0  # noqa: B018
    finally:
        torch.backends.mha.set_fastpath_enabled(was[0])
        torch.backends.cuda.enable_flash_sdp(was[1])


class Attention(nn.Module):
    """Scaled-dot-product attention in its default form; with a mask or without."""

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self.mix, self.causal = nn.Linear(4, 12), causal

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.mix(x).chunk(3, dim=-1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=self.causal).mean(1)


class OwnAttention(nn.Module):
    def __init__(self, need_weights: bool) -> None:
        super().__init__()
        self.attention, self.need_weights = nn.MultiheadAttention(4, 2, batch_first=True), need_weights

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x, need_weights=self.need_weights)[0].mean(1)


class Encoder(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(4, 2, 6, activation=F.gelu, batch_first=True)
        self.encoder = layer if depth == 1 else nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(x).mean(1)


ATTENTION: dict[str, Callable[[], nn.Module]] = {
    "scaled dot product": lambda: Attention(False),
    "causal": lambda: Attention(True),
    "MultiheadAttention": lambda: OwnAttention(False),
    "MultiheadAttention with weights": lambda: OwnAttention(True),
    "TransformerEncoderLayer": lambda: Encoder(1),
    "TransformerEncoder": lambda: Encoder(2),
}


@pytest.mark.parametrize("make", ATTENTION.values(), ids=ATTENTION.keys())
def test_default_attention_has_second_derivatives(make: Callable[[], nn.Module], reference: Any) -> None:
    """D19: the fused kernels have none on the CPU, and all peers fail there."""
    model = make().to(DOUBLE)
    x, y = torch.randn(5, 3, 4, dtype=DOUBLE), torch.randint(0, 4, (5,))
    land = eg.Landscape(model, nn.CrossEntropyLoss(), [(x[:3], y[:3]), (x[3:], y[3:])])
    v = torch.randn(land.n, dtype=DOUBLE)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        expected = reference(model, lambda forward: F.cross_entropy(forward(x), y))
    torch.testing.assert_close(eg.hessian(land) @ v, expected.hessian @ v, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(land.gradient(), expected.gradient, rtol=1e-10, atol=1e-12)


def test_torch_alone_fails_there() -> None:
    """The reason of the test above; should torch learn it, the math kernel can go."""
    q = torch.randn(1, 2, 3, 4, requires_grad=True)
    value = F.scaled_dot_product_attention(q, q, q).sum()
    (slope,) = torch.autograd.grad(value, q, create_graph=True)
    with pytest.raises(RuntimeError, match=r"derivative for .* is not implemented"):
        torch.autograd.grad(slope.sum(), q)

"""The same numbers on a GPU as on the processor: every room that computes, on one; skipped where there is none."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import egregium as eg
from egregium import geometry, slices

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
DOUBLE = torch.float64


class Attention(nn.Module):
    """Embedded tokens, one attention layer, a mean over positions."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(self.embedding(x)).mean(1))


class Recurrent(nn.Module):
    """A GRU and its last state."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.GRU(6, 7, batch_first=True), nn.Linear(7, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(x)[0][:, -1])


def batches(*shape: int, tokens: bool = False) -> list[tuple[torch.Tensor, torch.Tensor]]:
    draw = torch.Generator().manual_seed(1)
    made = []
    for count in (24, 24, 17):
        x = (
            torch.randint(0, 11, (count, *shape), generator=draw)
            if tokens
            else torch.randn(count, *shape, generator=draw)
        )
        made.append((x, torch.randint(0, 4, (count,), generator=draw)))
    return made


def relu() -> tuple[nn.Module, Any]:
    return nn.Sequential(nn.Linear(9, 12), nn.ReLU(), nn.Linear(12, 4)), batches(9)


def tanh() -> tuple[nn.Module, Any]:
    return nn.Sequential(nn.Linear(9, 12), nn.Tanh(), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 4)), batches(9)


def convolutional() -> tuple[nn.Module, Any]:
    layers = (nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 4))
    return nn.Sequential(*layers), batches(2, 8, 8)


def attention() -> tuple[nn.Module, Any]:
    return Attention(), batches(5, tokens=True)


def recurrent() -> tuple[nn.Module, Any]:
    return Recurrent(), batches(5, 6)


NETWORKS = [relu, tanh, convolutional, attention, recurrent]


def both(make: Callable[[], tuple[nn.Module, Any]], dtype: torch.dtype = DOUBLE) -> tuple[eg.Landscape, eg.Landscape]:
    """The landscape on the processor, and the same one on the GPU."""
    torch.manual_seed(3)
    model, data = make()
    land = eg.Landscape(model, nn.CrossEntropyLoss(), data, dtype=dtype)
    return land, land.to("cuda")


def same(a: float, b: float, rel: float = 1e-8) -> None:
    assert b == pytest.approx(a, rel=rel, abs=rel)


@pytest.mark.parametrize("make", NETWORKS)
def test_value_gradient_and_products(make: Any) -> None:
    here, there = both(make)
    same(here.value(), there.value())
    torch.testing.assert_close(there.gradient().cpu(), here.gradient())
    v = torch.randn(here.n, 3, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    for operator in (eg.hessian, eg.ggn):
        torch.testing.assert_close((operator(there) @ v.cuda()).cpu(), operator(here) @ v)


@pytest.mark.parametrize("make", NETWORKS)
def test_a_measurement(make: Any) -> None:
    """How many probes are drawn depends on the memory there is, so that R agrees within its intervals."""
    here, there = (eg.measure(land, rtol=0.02, seed=1) for land in both(make))
    for one, two in ((here.scalar_curvature, there.scalar_curvature), (here.trace, there.trace)):
        assert abs(one.value - two.value) <= one.half_width(0.999) + two.half_width(0.999) + 1e-9
    assert there.largest is not None
    assert here.largest is not None
    same(float(here.largest.values[0]), float(there.largest.values[0]), 1e-5)
    assert there.environment.device == "cuda:0"
    assert there.environment.device_name


@pytest.mark.parametrize("make", NETWORKS)
def test_single_precision_is_full_precision(make: Any) -> None:
    """No TF32: the float32 interval holds the float64 number."""
    here, _ = both(make)
    _, there = both(make, torch.float32)
    truth = eg.scalar_curvature(here, method="exact").value
    found = eg.scalar_curvature(there, rtol=0.01)
    low, high = found.interval(0.9999)
    assert low <= truth <= high


def test_the_rest_of_the_estimators() -> None:
    here, there = both(tanh)
    for function in (eg.nuclear_norm, eg.trace, eg.squared_frobenius):
        same(function(here).value, function(there).value, 1e-6)
    same(eg.dual_spectrum(here).trace, eg.dual_spectrum(there).trace, 1e-7)
    same(*(eg.scalar_curvature(land, operator="ggn", method="dual").value for land in (here, there)), rel=1e-7)
    torch.testing.assert_close(
        eg.eigenpairs(there, 2).values.cpu(), eg.eigenpairs(here, 2).values, rtol=1e-5, atol=1e-7
    )
    density = [eg.spectral_density(land, seed=2).moment(2).value for land in (here, there)]
    same(*density, rel=1e-6)
    blocks = [eg.blocks(land, rtol=0.1).blocks for land in (here, there)]
    for name, block in blocks[0].items():
        same(block.scalar_curvature.value, blocks[1][name].scalar_curvature.value, 1e-5)
    torch.testing.assert_close(
        *(eg.batch_curvatures(land, rtol=0.1).values for land in (there, here)), rtol=1e-5, atol=1e-9
    )
    errors = [
        eg.scalar_curvature(land, rtol=0.1, data_error=True).data_stderr
        for land in both(lambda: (tanh()[0], list(_single())))
    ]
    same(*errors, rel=1e-5)


def _single() -> Any:
    for x, y in batches(9):
        yield from zip(x.split(5), y.split(5), strict=True)


def test_geometry() -> None:
    here, there = both(tanh)
    v = torch.randn(here.n, dtype=DOUBLE, generator=torch.Generator().manual_seed(4)) / here.n**0.5
    torch.testing.assert_close(geometry.exp(there, v.cuda()).cpu(), geometry.exp(here, v), rtol=1e-7, atol=1e-9)
    a, b = (geometry.sectional_curvatures(land, 8, seed=1).mean.value for land in (here, there))
    same(a, b, 1e-6)
    target = here.theta + 0.1 * v
    near = [geometry.distance(land, t).value for land, t in ((here, target), (there, target.cuda()))]
    same(*near, rel=1e-6)


def test_slices_and_normalised_curvature() -> None:
    here, there = both(convolutional)
    d = slices.filter_normalised(here)
    one = slices.line(here, d.vectors[:, 0], points=5, span=0.2)
    two = slices.line(there, d.vectors[:, 0].cuda(), points=5, span=0.2)
    torch.testing.assert_close(two.sheets["loss"].values.cpu(), one.sheets["loss"].values)
    found = [eg.scalar_curvature(land.normalised("filter"), rtol=0.05).value for land in (here, there)]
    same(*found, rel=1e-5)


def test_a_user_s_model_on_the_gpu_stays_there_bitwise() -> None:
    torch.manual_seed(0)
    model, data = convolutional()
    model.cuda()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.cuda.get_rng_state()
    eg.measure(eg.Landscape(model, nn.CrossEntropyLoss(), data), rtol=0.1)
    assert torch.equal(torch.cuda.get_rng_state(), state)
    for name, tensor in model.state_dict().items():
        assert tensor.is_cuda
        assert torch.equal(tensor, before[name])

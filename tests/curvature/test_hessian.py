"""Hessian and Gauss-Newton matrix of a landscape against dense ones."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, jacrev

import egregium as eg
from egregium.errors import ArgumentError
from egregium.operators import dense_matrix

DOUBLE = torch.float64
N, C = 9, 3
MADE = torch.Generator().manual_seed(2)
X = torch.randn(N, 3, dtype=DOUBLE, generator=MADE)
Y = torch.tensor([0, 1, 2, 2, 1, 0, 1, 0, 2])
BITS = (torch.rand(N, C, generator=MADE) > 0.5).to(DOUBLE)
SOFT = torch.randn(N, C, dtype=DOUBLE, generator=MADE).softmax(1)
WEIGHT = torch.tensor([0.5, 2.0, 1.5], dtype=DOUBLE)


def mlp(activation: Callable[[], nn.Module] = nn.Tanh) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), activation(), nn.Linear(4, C)).to(DOUBLE)


def split(y: Tensor) -> list[tuple[Tensor, Tensor]]:
    return list(zip(X.split((4, 4, 1)), y.split((4, 4, 1)), strict=True))


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance * float(expected.abs().max()))


# --- the Hessian


def test_hessian_of_ragged_batches(tanh_mlp: nn.Module, ragged: Any, mlp_reference: Any) -> None:
    """D1: 32, 32 and 6 samples; the model in training mode."""
    close(dense_matrix(eg.hessian(eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged))), mlp_reference.hessian, 1e-10)


def test_hessian_in_float32_is_right_to_its_rounding(tanh_mlp: nn.Module, ragged: Any, mlp_reference: Any) -> None:
    land = eg.Landscape(tanh_mlp.float(), nn.CrossEntropyLoss(), [(x.float(), y) for x, y in ragged])
    H = dense_matrix(eg.hessian(land))
    assert H.dtype == torch.float32
    assert (H.double() - mlp_reference.hessian).norm() < 1e-5 * mlp_reference.hessian.norm()


def test_hessian_is_taken_where_the_landscape_is() -> None:
    """D16: not at the vector it is multiplied with."""
    land = eg.Landscape.from_function(lambda x: (x**3).sum() / 6, torch.tensor([1.0, 2.0], dtype=DOUBLE))
    for v in (torch.ones(2, dtype=DOUBLE), torch.tensor([5.0, -7.0], dtype=DOUBLE)):
        close(eg.hessian(land) @ v, torch.tensor([1.0, 2.0], dtype=DOUBLE) * v)


@pytest.mark.parametrize("power", [0, 1])
def test_a_flat_or_tilted_plane_has_no_hessian(power: int) -> None:
    land = eg.Landscape.from_function(lambda x: (3 * x * power).sum(), torch.ones(4, dtype=DOUBLE))
    assert not (eg.hessian(land) @ torch.eye(4, dtype=DOUBLE)).any()


# --- the Gauss-Newton matrix: G = (1/N) sum_i J_i^T L_i J_i with L by hand


def cross_entropy_curvature(z: Tensor, w: float = 1.0) -> Tensor:
    """w B B^T with B = diag(sqrt p) - p sqrt(p)^T."""
    p = z.softmax(0)
    B = p.sqrt().diag() - torch.outer(p, p.sqrt())
    return w * B @ B.T


def logistic_curvature(z: Tensor, y: Tensor, positive: float = 1.0) -> Tensor:
    s = z.sigmoid()
    return torch.diag(s * (1 - s) * (1 + (positive - 1) * y)) / C


#: loss, targets, L at output z of sample i, and N.
GGN: dict[str, tuple[Callable[..., Tensor], Tensor, Callable[[Tensor, int], Tensor], float]] = {
    "cross-entropy": (nn.CrossEntropyLoss(), Y, lambda z, i: cross_entropy_curvature(z), N),
    "smoothed": (nn.CrossEntropyLoss(label_smoothing=0.2), Y, lambda z, i: cross_entropy_curvature(z), N),
    "soft targets": (nn.CrossEntropyLoss(), SOFT, lambda z, i: cross_entropy_curvature(z), N),
    "class weights": (
        nn.CrossEntropyLoss(weight=WEIGHT),
        Y,
        lambda z, i: cross_entropy_curvature(z, float(WEIGHT[Y[i]])),
        float(WEIGHT[Y].sum()),
    ),
    "ignored": (
        nn.CrossEntropyLoss(ignore_index=1),
        Y,
        lambda z, i: cross_entropy_curvature(z, float(Y[i] != 1)),
        float((Y != 1).sum()),
    ),
    "squares": (nn.MSELoss(), SOFT, lambda z, i: 2 * torch.eye(C, dtype=DOUBLE) / C, N),
    "sum of squares": (nn.MSELoss(reduction="sum"), SOFT, lambda z, i: 2 * torch.eye(C, dtype=DOUBLE), 1),
    "logits": (nn.BCEWithLogitsLoss(), BITS, lambda z, i: logistic_curvature(z, BITS[i]), N),
    "pos_weight": (
        nn.BCEWithLogitsLoss(pos_weight=torch.full((C,), 3.0, dtype=DOUBLE)),
        BITS,
        lambda z, i: logistic_curvature(z, BITS[i], 3.0),
        N,
    ),
}


def gauss_newton(model: nn.Module, curvature: Callable[[Tensor, int], Tensor], number: float) -> Tensor:
    shapes = {name: p.shape for name, p in model.named_parameters()}
    theta = nn.utils.parameters_to_vector(model.parameters()).detach()

    def output(point: Tensor, x: Tensor) -> Tensor:
        parts = point.split([s.numel() for s in shapes.values()])
        return functional_call(model, {n: p.view(s) for p, (n, s) in zip(parts, shapes.items(), strict=True)}, (x,))

    G = torch.zeros(len(theta), len(theta), dtype=DOUBLE)
    for i, x in enumerate(X):
        J = jacrev(partial(output, x=x))(theta)
        G += J.T @ curvature(output(theta, x), i) @ J
    return G / number


@pytest.mark.parametrize(("loss", "target", "curvature", "number"), GGN.values(), ids=GGN.keys())
def test_gauss_newton_against_its_dense_formula(loss: Any, target: Tensor, curvature: Any, number: float) -> None:
    model = mlp()
    land = eg.Landscape(model, loss, split(target))
    close(dense_matrix(eg.ggn(land)), gauss_newton(model, curvature, number))


@pytest.mark.parametrize(("loss", "target"), [(nn.CrossEntropyLoss(), Y), (nn.MSELoss(), SOFT)], ids=["CE", "MSE"])
def test_gauss_newton_is_positive_and_the_hessian_need_not_be(loss: nn.Module, target: Tensor) -> None:
    land = eg.Landscape(mlp(), loss, split(target))
    assert torch.linalg.eigvalsh(dense_matrix(eg.ggn(land)))[0] > -1e-14
    assert torch.linalg.eigvalsh(dense_matrix(eg.hessian(land)))[0] < -1e-4


def test_of_a_linear_model_both_are_the_same() -> None:
    land = eg.Landscape(nn.Linear(3, C).to(DOUBLE), nn.CrossEntropyLoss(), split(Y))
    close(dense_matrix(eg.ggn(land)), dense_matrix(eg.hessian(land)))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.LeakyReLU, nn.Hardtanh])
def test_piecewise_linear_networks_have_the_trace_of_their_gauss_newton_matrix(activation: Any) -> None:
    """tr H = tr G where each output is affine in each single parameter; H itself is another matrix."""
    land = eg.Landscape(mlp(activation), nn.CrossEntropyLoss(), split(Y))
    H, G = dense_matrix(eg.hessian(land)), dense_matrix(eg.ggn(land))
    close(H.trace(), G.trace())
    assert (H - G).norm() > 0.01 * H.norm()


def test_a_smooth_network_has_not() -> None:
    land = eg.Landscape(mlp(), nn.CrossEntropyLoss(), split(Y))
    assert abs(eg.trace(land).value - eg.trace(land, operator="ggn").value) > 1e-3


REFUSED: dict[str, Callable[[eg.Landscape], Any]] = {
    "ggn": lambda land: eg.ggn(land) @ torch.ones(land.n, dtype=DOUBLE),
    "shape operator": lambda land: eg.shape_operator(land, operator="ggn") @ torch.ones(land.n, dtype=DOUBLE),
    "trace": lambda land: eg.trace(land, operator="ggn"),
    "scalar curvature": lambda land: eg.scalar_curvature(land, operator="ggn"),
    "measure": lambda land: eg.measure(land, operator="ggn"),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("kind", ["batch_loss", "from_function"])
def test_without_outputs_there_is_no_gauss_newton_matrix(call: Any, kind: str) -> None:
    if kind == "batch_loss":
        land = eg.Landscape(mlp(), batch_loss=lambda m, b: (F.cross_entropy(m(b[0]), b[1]), 1), data=split(Y))
    else:
        land = eg.Landscape.from_function(lambda x: (x**2).sum(), torch.ones(3, dtype=DOUBLE))
    with pytest.raises(ArgumentError, match=r"needs to tell the outputs from the loss\. Build the landscape as"):
        call(land)

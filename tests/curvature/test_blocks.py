"""Diagonal blocks against the principal submatrices of dense Hessians."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import egregium as eg
from egregium.curvature import BlockFrames, DiagonalBlocks, TangentFrame
from egregium.errors import LossError
from egregium.operators import Congruence, dense_matrix
from egregium.operators.inner import norm

DOUBLE = torch.float64
#: Places of the parameters of `tanh_mlp` (0.weight, 0.bias, 2.weight, 2.bias), out of order, one left out.
MEMBERS = [(2,), (0, 3)]


def coordinates(land: eg.Landscape) -> list[torch.Tensor]:
    """Where each of MEMBERS' blocks lies in theta."""
    parts = list(land.unflatten(torch.arange(land.n, dtype=DOUBLE)).values())
    return [torch.cat([parts[i].reshape(-1) for i in block]).long() for block in MEMBERS]


@pytest.mark.parametrize("kind", ["hessian", "ggn"])
def test_blocks_are_principal_submatrices(kind: str, tanh_mlp: nn.Module, ragged: Any, mlp_reference: Any) -> None:
    decay = {"0.weight": 0.3, "2.*": 0.1}
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged, weight_decay=decay).scaled(2.0)
    second = eg.hessian(land) if kind == "hessian" else eg.ggn(land)
    op = DiagonalBlocks(second, MEMBERS)
    found = dense_matrix(op)
    whole = dense_matrix(second)
    if kind == "hessian":
        lam = torch.tensor([0.3] * 12 + [0.0] * 4 + [0.1] * 15, dtype=DOUBLE)
        torch.testing.assert_close(whole, 2 * (mlp_reference.hessian + torch.diag(lam)), atol=1e-12, rtol=1e-10)
    expected = torch.block_diag(*(whole[at][:, at] for at in coordinates(land)))
    torch.testing.assert_close(found, expected, atol=1e-13, rtol=1e-11)
    v = torch.randn(land.n, dtype=DOUBLE)
    assert torch.equal(op.gathered(v), torch.cat([v[at] for at in coordinates(land)]))


def test_zero_parts_are_not_multiplied(tanh_mlp: nn.Module, ragged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged)
    op = DiagonalBlocks(eg.hessian(land), MEMBERS)
    taken = []
    real = torch.autograd.grad

    def counted(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        taken.append([tuple(p.shape) for p in inputs])
        return real(outputs, inputs, *args, **kwargs)

    monkeypatch.setattr(torch.autograd, "grad", counted)
    V = torch.zeros(op.n, 2, dtype=DOUBLE)
    V[op.places[0], 1] = 1
    product = op @ V
    assert taken == [[(3, 4)], [(3, 4)]] * 3  # three batches: a gradient of this block alone, and one product
    assert not product[:, 0].any()
    assert not product[op.places[1]].any()
    assert not (op @ torch.zeros(op.n, 2, dtype=DOUBLE)).any()
    assert len(taken) == 6


def test_frames_make_the_shape_operators_of_restrictions(tanh_mlp: nn.Module, ragged: Any, whole: Any) -> None:
    """Against the shape operator of f as a function of the block alone, from its own landscape."""
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged).scaled(3.0)
    op = DiagonalBlocks(eg.hessian(land), MEMBERS)
    gradient = op.gathered(land.gradient())
    frames = [TangentFrame(0.0, gradient[at], norm(gradient[at])) for at in op.places]
    shapes = dense_matrix(Congruence(op, BlockFrames(op.places, frames)))
    theta = land.theta
    for at, where in zip(op.places, coordinates(land), strict=True):

        def restricted(x: torch.Tensor, where: torch.Tensor = where) -> torch.Tensor:
            parts = land.unflatten(theta.index_put((where,), x))
            return 3 * F.cross_entropy(torch.func.functional_call(tanh_mlp, parts, (whole[0],)), whole[1])

        own = eg.Landscape.from_function(restricted, theta[where])
        alone = dense_matrix(eg.shape_operator(own))
        torch.testing.assert_close(shapes[at, at], alone, atol=1e-12, rtol=1e-9)


def test_a_cut_graph_is_said() -> None:
    net = nn.Linear(2, 1)
    land = eg.Landscape(net, lambda z, y: (z.detach() - y).square().mean(), (torch.ones(2, 2), torch.ones(2, 1)))
    op = DiagonalBlocks(eg.hessian(land), [(0,)])
    with pytest.raises(LossError, match="graph was cut"):
        op @ torch.ones(2, 1)

"""Traces by parts and the dual in normalised coordinates, where parameters have factors: against dense matrices."""

from collections.abc import Callable

import pytest
import torch
from tests.layerwise.networks import CASES, landscape
from torch import Tensor, nn

import egregium as eg
from egregium.layerwise import chain_remainder_trace, exact_gauss_newton_trace, structure, trace_pass
from egregium.layerwise.kinds import known
from egregium.layerwise.known import Factors, Signs
from egregium.operators import dense_matrix

CE = nn.CrossEntropyLoss()
WHOLE = [name for name, case in CASES.items() if case.whole]
every_way = pytest.mark.parametrize("by", ["filter", "tensor"])


def plain_landscape(name: str) -> eg.Landscape:
    """Away from the initialisation, where biases of norms are 0 and their gains 1."""
    land = landscape(name)
    return land.at(land.theta + 0.2 * torch.randn(land.n, dtype=torch.float64))


def matrices(name: str, by: str) -> tuple[eg.Landscape, Tensor, Tensor]:
    """The landscape in its coordinates, and D H D and D G D from the plain one."""
    plain = plain_landscape(name)
    land = plain.normalised(by)  # type: ignore[arg-type]
    D = land.norms
    H, G = (D.unsqueeze(1) * dense_matrix(op(plain)) * D for op in (eg.hessian, eg.ggn))
    return land, H, G


@every_way
@pytest.mark.parametrize("name", CASES)
def test_the_same_structure_is_found(name: str, by: str) -> None:
    """The layers' gradients agree with those in x: the factors are right, parameter by parameter."""
    plain = plain_landscape(name)
    assert structure(plain.normalised(by)) == structure(plain)  # type: ignore[arg-type]


@every_way
@pytest.mark.parametrize("name", WHOLE)
def test_exact_traces_and_the_dual(name: str, by: str) -> None:
    land, H, G = matrices(name, by)
    found = structure(land)
    assert exact_gauss_newton_trace(land, found) == pytest.approx(float(G.trace()), rel=1e-10)
    square = eg.squared_frobenius(land, method="dual", operator="ggn").value
    assert square == pytest.approx(float(G.square().sum()), rel=1e-9)
    if found.chain:
        assert chain_remainder_trace(land) == pytest.approx(float((H - G).trace()), rel=1e-9)


@every_way
@pytest.mark.parametrize(("name", "part"), [(name, part) for name in WHOLE for part in ("hessian", "remainder")])
def test_passes_are_unbiased(name: str, part: str, by: str) -> None:
    """200 passes, fixed seed: within 4.5 of their own standard errors (two-sided chance 7e-6 a case)."""
    land, H, G = matrices(name, by)
    found = structure(land)
    truth = float((H if part == "hessian" else H - G).trace())
    x = torch.tensor([trace_pass(land, found, part, 11, j).total for j in range(200)], dtype=torch.float64)  # type: ignore[arg-type]
    assert abs(float(x.mean()) - truth) <= 4.5 * float(x.std()) / 200**0.5 + 1e-9 * float(G.trace())


@every_way
@pytest.mark.parametrize("name", ["relu", "tanh", "convolutions"])
def test_a_bias_that_is_not_measured_has_no_factor(name: str, by: str) -> None:
    whole = plain_landscape(name)
    assert whole.model is not None
    land = eg.Landscape(whole.model, CE, whole.data, params=["*weight"]).normalised(by)  # type: ignore[arg-type]
    found, G = structure(land), dense_matrix(eg.ggn(land))
    assert found.whole
    assert exact_gauss_newton_trace(land, found) == pytest.approx(float(G.trace()), rel=1e-10)


@pytest.mark.parametrize("name", ["relu", "batch norm", "recurrent"])
def test_single_numbers_as_blocks_are_left_to_the_general_way(name: str) -> None:
    """There is no one factor a row; where gradients of single samples give tr G, they do it in x, under vmap."""
    land, _, G = matrices(name, "element")
    found = structure(land, complete=True)
    assert not found.covered
    assert found.singles is not None
    assert not found.singles.looped
    assert exact_gauss_newton_trace(land, found) == pytest.approx(float(G.trace()), rel=1e-10)


def test_layers_without_a_bias_are_left_to_it_too() -> None:
    model = nn.Sequential(nn.Linear(5, 4, bias=False), nn.ReLU(), nn.Linear(4, 3, bias=False)).double()
    data = (torch.randn(9, 5, dtype=torch.float64), torch.randint(0, 3, (9,)))
    land = eg.Landscape(model, CE, data).normalised("element")
    found = structure(land, complete=True)
    assert not found.covered
    assert exact_gauss_newton_trace(land, found) == pytest.approx(float(dense_matrix(eg.ggn(land)).trace()), rel=1e-10)


#: With an input, and how many rows have factors of their own.
LAYERS: dict[str, Callable[[], tuple[nn.Module, Tensor, int]]] = {
    "dense": lambda: (nn.Linear(3, 4), torch.randn(2, 3), 4),
    "dense, positions": lambda: (nn.Linear(3, 4), torch.randn(2, 5, 3), 4),
    "convolution": lambda: (nn.Conv2d(2, 4, 2, groups=2), torch.randn(2, 2, 3, 3), 4),
    "embedding": lambda: (nn.Embedding(5, 3), torch.tensor([[0, 1, 1], [4, 0, 2]]), 5),
    "norm": lambda: (nn.LayerNorm(4), torch.randn(2, 4), 1),
    "norm, positions": lambda: (nn.GroupNorm(2, 4), torch.randn(2, 4, 3), 1),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_nudge_has_the_mean_square_of_the_gradient(name: str) -> None:
    """E (e . V a)^2 = |gradient of e . z|^2 of each sample; of 4,000 draws, kurtosis below 9, 5 deviations are 0.23."""
    module, a, rows = LAYERS[name]()
    module, a = module.double(), a.double() if a.is_floating_point() else a
    z = module(a)
    factors = Factors(torch.rand(rows, dtype=torch.float64) + 0.1, 0.0 if name == "embedding" else 0.3)
    layer = known(module, a, z, factors)
    assert layer is not None
    e = torch.randn_like(z)
    squares = layer.products(e, e)
    for i in range(2):
        (slope,) = torch.autograd.grad(z[i], [module.weight], e[i], retain_graph=True)
        scaled = slope * factors.rows.view(-1, *[1] * (slope.ndim - 1))  # type: ignore[union-attr]
        bias = torch.autograd.grad(z[i], [module.bias], e[i], retain_graph=True)[0] if factors.bias else torch.zeros(1)
        expected = scaled.square().sum() + factors.bias**2 * bias.square().sum()
        torch.testing.assert_close(squares[i], expected)
    draw = Signs(torch.Generator().manual_seed(0), torch.float64, torch.device("cpu"))
    found = torch.stack([(e * layer.nudge(draw)).flatten(1).sum(1).square() for _ in range(4000)]).mean(0)
    torch.testing.assert_close(found, squares, rtol=0.23, atol=0)

"""Traces by parts and the dual in normalised coordinates, where parameters have factors: against dense matrices."""

import pytest
import torch
from tests.layerwise.networks import CASES, landscape
from torch import Tensor

import egregium as eg
from egregium.layerwise import chain_remainder_trace, exact_gauss_newton_trace, structure, trace_pass
from egregium.operators import dense_matrix

WHOLE = [name for name, case in CASES.items() if case.whole]
every_way = pytest.mark.parametrize("by", ["filter", "tensor"])


def matrices(name: str, by: str) -> tuple[eg.Landscape, Tensor, Tensor]:
    """The landscape in its coordinates, and D H D and D G D from the plain one."""
    plain = landscape(name)
    land = plain.normalised(by)  # type: ignore[arg-type]
    D = land.norms
    H, G = (D.unsqueeze(1) * dense_matrix(op(plain)) * D for op in (eg.hessian, eg.ggn))
    return land, H, G


@every_way
@pytest.mark.parametrize("name", CASES)
def test_the_same_structure_is_found(name: str, by: str) -> None:
    """The layers' gradients agree with those in x: the factors are right, parameter by parameter."""
    plain = landscape(name)
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


@pytest.mark.parametrize("name", ["relu", "batch norm", "recurrent"])
def test_single_numbers_as_blocks_are_left_to_the_general_way(name: str) -> None:
    """There is no one factor a row; where gradients of single samples give tr G, they do it in x."""
    land, _, G = matrices(name, "element")
    found = structure(land, complete=True)
    assert not found.covered
    assert exact_gauss_newton_trace(land, found) == pytest.approx(float(G.trace()), rel=1e-10)

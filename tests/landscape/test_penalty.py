"""Weight decay as an analytic part of f, against loss + (lam / 2) |theta|^2 by dense autodiff."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from zoo.parameters import Tied
from zoo.row import DOUBLE, TOKENS
from zoo.row import ragged as cut

import egregium as eg
from egregium.errors import ArgumentError
from egregium.landscape.penalty import penalty
from egregium.operators import dense_matrix

CE = nn.CrossEntropyLoss()


class Penalised(nn.Module):
    """A loss with its penalty, lam by name."""

    def __init__(self, model: nn.Module, x: Tensor, y: Tensor, lams: dict[str, float]) -> None:
        super().__init__()
        self.model, self.x, self.y, self.lams = model, x, y, lams

    def forward(self) -> Tensor:
        squares = {name: p.square().sum() for name, p in self.model.named_parameters()}
        return F.cross_entropy(self.model(self.x), self.y) + sum(
            lam / 2 * squares[name] for name, lam in self.lams.items()
        )


NAMES = ("0.weight", "0.bias", "2.weight", "2.bias")
#: weight_decay=, and lam by name.
DECAYS: dict[str, tuple[Any, dict[str, float]]] = {
    "a number": (0.01, dict.fromkeys(NAMES, 0.01)),
    "an integer": (2, dict.fromkeys(NAMES, 2.0)),
    "none": (0.0, {}),
    "weights": ({"*weight": 0.01}, {"0.weight": 0.01, "2.weight": 0.01}),
    "the first that matches": ({"2.bias": 0.0, "2.*": 0.3, "*": 1.0}, {"2.weight": 0.3, "0.weight": 1, "0.bias": 1}),
    "no pattern": ({}, {}),
}
every_decay = pytest.mark.parametrize(("decay", "lams"), DECAYS.values(), ids=DECAYS.keys())


def close(found: Any, expected: Tensor) -> None:
    torch.testing.assert_close(torch.as_tensor(found, dtype=DOUBLE), expected, rtol=1e-11, atol=1e-13)


@every_decay
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_it_is_a_part_of_f(
    decay: Any, lams: dict[str, float], scale: float, tanh_mlp: nn.Module, ragged: Any, whole: Any, reference: Any
) -> None:
    land = eg.Landscape(tanh_mlp, CE, ragged, weight_decay=decay).scaled(scale)
    plain = eg.Landscape(tanh_mlp, CE, ragged).scaled(scale)
    there = land.theta + 0.3
    for at in (None, there):
        if at is not None:
            nn.utils.vector_to_parameters(at, tanh_mlp.parameters())
        expected = reference(Penalised(tanh_mlp, *whole, lams), lambda forward: forward())
        for point in (land, land.at(land.theta)):
            close(point.value(), scale * expected.value)
            close(point.gradient(), scale * expected.gradient)
            close(dense_matrix(eg.hessian(point)), scale * expected.hessian)
        each = {name: lams.get(name, 0.0) * torch.ones(shape, dtype=DOUBLE) for name, shape in land.shapes.items()}
        diagonal = land.flatten(each)
        close(dense_matrix(eg.ggn(land)), dense_matrix(eg.ggn(plain)) + scale * diagonal.diag())


def test_all_that_is_measured_has_it(tanh_mlp: nn.Module, ragged: Any) -> None:
    """tr(H + lam I) = tr H + lam n, and every eigenvalue moves by lam."""
    plain = eg.Landscape(tanh_mlp, CE, ragged)
    land = eg.Landscape(tanh_mlp, CE, ragged, weight_decay=0.5)
    assert eg.trace(land).value == pytest.approx(eg.trace(plain).value + 0.5 * 31, rel=1e-12)
    assert eg.trace(land, operator="ggn").value == pytest.approx(
        eg.trace(plain, operator="ggn").value + 15.5, rel=1e-12
    )
    close(eg.eigenpairs(land, 2).values, eg.eigenpairs(plain, 2).values + 0.5)
    g, H = land.gradient(), dense_matrix(eg.hessian(land))
    n, W = torch.eye(31, dtype=DOUBLE), 1 + g @ g
    S = torch.linalg.solve(n + torch.outer(g, g), H) / W.sqrt()
    expected = S.trace() ** 2 - (S @ S).trace()
    assert eg.scalar_curvature(land).value == pytest.approx(float(expected), rel=1e-9)


def test_it_does_not_depend_on_batches_and_dtype(tanh_mlp: nn.Module, ragged: Any, whole: Any) -> None:
    land, other = (eg.Landscape(tanh_mlp, CE, data, weight_decay=0.1) for data in (ragged, whole))
    close(land.gradient(), other.gradient())
    single = land.to(dtype=torch.float32)
    assert single.gradient().dtype == torch.float32
    assert single.value() == pytest.approx(land.value(), rel=1e-6)
    torch.testing.assert_close(single.gradient().double(), land.gradient(), rtol=1e-4, atol=1e-6)


def test_with_batch_loss_and_sums(tanh_mlp: nn.Module, whole: Any) -> None:
    """It is added to f once, and not to each term."""

    def total(model: nn.Module, batch: Any) -> tuple[Tensor, int]:
        return F.cross_entropy(model(batch[0]), batch[1], reduction="sum"), len(batch[1])

    penalty_alone = 0.05 * float(sum(p.detach().square().sum() for p in tanh_mlp.parameters()))
    for arguments in ({"batch_loss": total}, {"loss": nn.CrossEntropyLoss(reduction="sum")}):
        plain = eg.Landscape(tanh_mlp, data=whole, **arguments)
        land = eg.Landscape(tanh_mlp, data=whole, weight_decay=0.1, **arguments)
        assert land.value() == pytest.approx(plain.value() + penalty_alone, rel=1e-12)
        close(land.gradient(), plain.gradient() + 0.1 * plain.theta)


def test_a_tied_parameter_is_decayed_once_and_a_frozen_one_not() -> None:
    model = Tied().to(DOUBLE)
    model.mix.bias.requires_grad_(False)
    land = eg.Landscape(model, CE, cut(TOKENS), weight_decay=0.2)
    plain = eg.Landscape(model, CE, cut(TOKENS))
    close(land.gradient(), plain.gradient() + 0.2 * plain.theta)
    assert land.value() == pytest.approx(plain.value() + 0.1 * float(plain.theta @ plain.theta), rel=1e-12)


def test_the_penalty_of_float32_parameters_is_added_in_float64() -> None:
    assert penalty((1.0, 0.0), [torch.full((10**5,), 0.1), torch.full((2,), torch.nan)]) == pytest.approx(
        10**5 / 2 * float(torch.tensor(0.1)) ** 2, rel=1e-13
    )


@pytest.mark.parametrize("lam", [-1.0, math.nan, math.inf, -math.inf, "0.1", True, None, [0.1], 1j], ids=repr)
@pytest.mark.parametrize("pattern", [None, "*"])
def test_what_is_no_decay(lam: Any, pattern: str | None, tanh_mlp: nn.Module, ragged: Any) -> None:
    decay = lam if pattern is None else {pattern: lam}
    with pytest.raises(ArgumentError, match=r"weight_decay must be a finite number >= 0, or \{pattern: number\}, got "):
        eg.Landscape(tanh_mlp, CE, ragged, weight_decay=decay)


def test_patterns_that_match_nothing(tanh_mlp: nn.Module, ragged: Any) -> None:
    tanh_mlp[0].requires_grad_(False)
    with pytest.raises(ArgumentError, match=r"weight_decay='2\.wieght' matches no parameter\. There are: 2\.weight"):
        eg.Landscape(tanh_mlp, CE, ragged, weight_decay={"2.wieght": 0.1})
    with pytest.raises(ArgumentError, match=r"weight_decay='0\.\*' matches parameters that do not require grad"):
        eg.Landscape(tanh_mlp, CE, ragged, weight_decay={"0.*": 0.1})

"""The battery that every operator passes: what `SymmetricOperator` promises."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import egregium as eg
from egregium.errors import ArgumentError
from egregium.operators import Congruence, Dense, Stretch, SymmetricOperator
from egregium.operators.dense import Foreign
from egregium.results import Cost

N = 7
DTYPES = (torch.float64, torch.float32)


@dataclass(frozen=True, eq=False)
class Case:
    op: SymmetricOperator
    matrix: Tensor
    model: nn.Module | None = None


class Stranger:
    """Not a SymmetricOperator, but with all that one needs."""

    def __init__(self, matrix: Tensor) -> None:
        self.shape, self.dtype, self.device, self._matrix = matrix.shape, matrix.dtype, "cpu", matrix

    def __matmul__(self, V: Tensor) -> Tensor:
        return self._matrix @ V


def symmetric(dtype: torch.dtype) -> Tensor:
    A = torch.randn(N, N, dtype=dtype)
    return A + A.T


def stretch(dtype: torch.dtype) -> Case:
    u = torch.randn(N, dtype=dtype)
    return Case(Stretch(u, -0.3), torch.eye(N, dtype=dtype) - 1.3 * torch.outer(u, u) / (u @ u))


def congruence(dtype: torch.dtype) -> Case:
    A, P = symmetric(dtype), symmetric(dtype)
    return Case(Congruence(Dense(A), Dense(P), 0.5), 0.5 * P @ A @ P)


def quartic(x: Tensor) -> Tensor:
    return (x**4).sum() / 12 + x[0] * x[1] * x[2] + x[0]


def quartic_hessian(x: Tensor) -> Tensor:
    H = torch.diag(x**2)
    for i, j, k in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        H[i, j] = H[j, i] = H[i, j] + x[k]
    return H


def quartic_shape(dtype: torch.dtype) -> Case:
    x = torch.randn(N, dtype=dtype)
    g = x**3 / 3
    g[:3] += torch.stack([x[1] * x[2] + 1, x[0] * x[2], x[0] * x[1]])
    values, vectors = torch.linalg.eigh(torch.eye(N, dtype=dtype) + torch.outer(g, g))
    P = vectors @ torch.diag(values**-0.5) @ vectors.T
    expected = P @ quartic_hessian(x) @ P / (1 + g @ g).sqrt()
    return Case(eg.shape_operator(eg.Landscape.from_function(quartic, x)), expected)


def quartic_case(dtype: torch.dtype) -> Case:
    x = torch.randn(N, dtype=dtype)
    return Case(eg.hessian(eg.Landscape.from_function(quartic, x)), quartic_hessian(x))


def regression(dtype: torch.dtype) -> tuple[nn.Module, eg.Landscape, Tensor]:
    """Least squares with a linear model in two unequal batches: H = G = 2 X^T X / N, here with ones for the bias."""
    model = nn.Sequential(nn.Linear(N - 1, 1), nn.Dropout(), nn.Identity()).to(dtype)
    x, y = torch.randn(9, N - 1, dtype=dtype), torch.randn(9, 1, dtype=dtype)
    X = torch.cat([x, torch.ones(9, 1, dtype=dtype)], dim=1)
    land = eg.Landscape(model, nn.MSELoss(), [(x[:7], y[:7]), (x[7:], y[7:])])
    return model, land, 2 * X.T @ X / 9


def model_hessian(dtype: torch.dtype) -> Case:
    model, land, matrix = regression(dtype)
    return Case(eg.hessian(land), matrix, model)


def model_ggn(dtype: torch.dtype) -> Case:
    model, land, matrix = regression(dtype)
    return Case(eg.ggn(land), matrix, model)


def dense(dtype: torch.dtype) -> Case:
    A = symmetric(dtype)
    return Case(Dense(A), A)


def foreign(dtype: torch.dtype) -> Case:
    A = symmetric(dtype)
    return Case(Foreign(Stranger(A)), A)


CASES: dict[str, Callable[[torch.dtype], Case]] = {
    "Dense": dense,
    "Foreign": foreign,
    "Stretch": stretch,
    "Congruence": congruence,
    "Hessian of a function": quartic_case,
    "Hessian of a model": model_hessian,
    "GaussNewton": model_ggn,
    "shape operator": quartic_shape,
}

every_operator = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def close(a: Tensor, b: Tensor, factor: float = 100.0) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=factor * torch.finfo(b.dtype).eps * max(1.0, float(b.abs().max())))


@every_operator
@every_dtype
def test_products_are_those_of_the_known_matrix(case: Any, dtype: torch.dtype) -> None:
    c = case(dtype)
    close(c.op @ torch.eye(N, dtype=dtype), c.matrix)


@every_operator
@every_dtype
def test_linear(case: Any, dtype: torch.dtype) -> None:
    op = case(dtype).op
    a, b = torch.randn(N, 2, dtype=dtype), torch.randn(N, 2, dtype=dtype)
    close(op @ (2 * a - 3 * b), 2 * (op @ a) - 3 * (op @ b), 300)


@every_operator
@every_dtype
def test_symmetric(case: Any, dtype: torch.dtype) -> None:
    op = case(dtype).op
    a, b = torch.randn(N, dtype=dtype), torch.randn(N, dtype=dtype)
    close(a @ (op @ b), b @ (op @ a), 300)


@every_operator
def test_a_block_is_its_columns(case: Any) -> None:
    op = case(torch.float64).op
    V = torch.randn(N, 3, dtype=torch.float64)
    close(op @ V, torch.stack([op @ v for v in V.T], dim=1))


@every_operator
def test_strided_vectors_give_the_same(case: Any) -> None:
    op = case(torch.float64).op
    V = torch.randn(N, 4, dtype=torch.float64)
    close(op @ V[:, ::2], op @ V[:, ::2].contiguous())
    close(op @ V[:, 1], op @ V[:, 1].contiguous())


@every_operator
@every_dtype
@pytest.mark.parametrize("shape", [(N,), (N, 1), (N, 3), (N, 0)], ids=str)
def test_shape_dtype_and_device_of_the_product(case: Any, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    op = case(dtype).op
    product = op @ torch.ones(shape, dtype=dtype)
    assert product.shape == shape
    assert (product.dtype, product.device.type) == (dtype, "cpu")
    assert (op.n, op.shape, op.dtype, op.device.type) == (N, (N, N), dtype, "cpu")


@every_operator
def test_the_argument_is_not_written_to(case: Any, untouched: Any) -> None:
    op = case(torch.float64).op
    V = torch.randn(N, 2, dtype=torch.float64)
    with untouched(None, V):
        op @ V


@every_operator
def test_model_and_generators_are_untouched(case: Any, untouched: Any) -> None:
    c = case(torch.float64)
    with untouched(c.model):
        c.op @ torch.ones(N, 2, dtype=torch.float64)


@every_operator
@pytest.mark.parametrize("shape", [(N + 1,), (2, N + 1), (N, 1, 1), ()], ids=str)
def test_a_wrong_shape_says_both_shapes(case: Any, shape: tuple[int, ...]) -> None:
    op = case(torch.float64).op
    wanted = rf"needs X of shape \({N},\) or \({N}, k\), got \({', '.join(map(str, shape))},?\)\.$"
    with pytest.raises(ArgumentError, match=wanted):
        op @ torch.ones(shape, dtype=torch.float64)


@every_operator
def test_rows_for_columns_give_a_hint(case: Any) -> None:
    op = case(torch.float64).op
    with pytest.raises(ArgumentError, match=rf"got \(3, {N}\)\. Did you mean X\.T\?"):
        op @ torch.ones(3, N, dtype=torch.float64)


@every_operator
def test_a_wrong_dtype_says_both(case: Any) -> None:
    op = case(torch.float64).op
    with pytest.raises(ArgumentError, match=r"dtype torch\.float64 on cpu, got torch\.float32 on cpu\. Use X\.to"):
        op @ torch.ones(N, dtype=torch.float32)


@every_operator
def test_a_wrong_device_says_both(case: Any) -> None:
    op = case(torch.float64).op
    with pytest.raises(ArgumentError, match=r"on cpu, got torch\.float64 on meta"):
        op @ torch.ones(N, dtype=torch.float64, device="meta")


@every_operator
def test_the_cost_of_a_block_grows_with_it(case: Any) -> None:
    op = case(torch.float64).op
    one, three = op.cost(1), op.cost(3)
    assert three.total_products == 3 * one.total_products
    assert three.effort <= 3 * one.effort


def test_a_matrix_of_unknown_price_counts_products() -> None:
    assert Dense(torch.eye(3)).cost(4) == Cost(products=4)


def test_the_price_of_second_derivatives() -> None:
    _, land, _ = regression(torch.float64)
    assert eg.hessian(land).cost(3) == Cost(gradients=1 + 2 * 3, hvps=3)
    assert eg.ggn(land).cost(3) == Cost(gradients=1 + 2 * 3, ggn_products=3)
    assert eg.shape_operator(land).cost(3) == eg.hessian(land).cost(3)  # the frame is free


def test_an_operator_without_matmat_cannot_be_made() -> None:
    class Nothing(SymmetricOperator):
        pass

    with pytest.raises(TypeError, match="matmat"):
        Nothing()


def test_float32_operators_of_a_float64_sum_are_not_less_exact() -> None:
    """Batches add up in float64: a float32 mean over 2,000 equal batches has one rounding, not 2,000."""
    model = nn.Linear(1, 1, bias=False)
    x = torch.full((1, 1), 0.1)
    land = eg.Landscape(model, F.mse_loss, [(x, x)] * 2000)
    exact = float(2 * x.double() ** 2)
    assert abs(float((eg.hessian(land) @ torch.ones(1))[0]) - exact) < 2e-7 * exact


def test_a_product_is_never_its_argument() -> None:
    """The identity may return what it is given; algorithms work in place on what they get."""

    class Identity(SymmetricOperator):
        def __init__(self) -> None:
            self.n, self.dtype, self.device = 20, torch.float64, torch.device("cpu")

        def matmat(self, V: Tensor) -> Tensor:
            return V

    op, V = Identity(), torch.randn(20, 3, dtype=torch.float64)
    for X in (V, V[:, 0], V.T.contiguous().T):
        before = X.clone()
        (op @ X).zero_()
        assert torch.equal(X, before)

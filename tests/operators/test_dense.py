"""Matrices as operators, operators as matrices, and operators of others."""

from types import SimpleNamespace

import pytest
import torch

from egregium.errors import ArgumentError
from egregium.operators import Dense, Stretch, dense_matrix, square_operator
from egregium.operators.dense import Foreign, column_blocks


@pytest.fixture
def matrix() -> torch.Tensor:
    A = torch.randn(10, 10, dtype=torch.float64)
    return A + A.T


@pytest.mark.parametrize("block", [1, 3, 10, 64])
def test_dense_matrix_is_the_matrix_for_any_block(matrix: torch.Tensor, block: int) -> None:
    assert torch.equal(dense_matrix(Dense(matrix), block), matrix)


def test_dense_matrix_is_exactly_symmetric(matrix: torch.Tensor) -> None:
    rounded = matrix + 1e-14 * torch.randn(10, 10, dtype=torch.float64)
    found = dense_matrix(Dense(rounded))
    assert torch.equal(found, found.T)


@pytest.mark.parametrize("block", [1, 3, 10, 64])
def test_column_blocks_cover_each_column_once(matrix: torch.Tensor, block: int) -> None:
    blocks = list(column_blocks(Dense(matrix), block))
    assert [c for columns, _ in blocks for c in range(10)[columns]] == list(range(10))
    assert all(part.shape[1] <= block and torch.equal(part, matrix[:, columns]) for columns, part in blocks)


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 3)], ids=str)
def test_only_square_matrices(shape: tuple[int, ...]) -> None:
    with pytest.raises(ArgumentError, match=r"square"):
        Dense(torch.ones(shape))
    with pytest.raises(ArgumentError, match=r"square operator of shape \(n, n\)"):
        square_operator(torch.ones(shape))


def test_square_operator_passes_operators_and_wraps_others(matrix: torch.Tensor) -> None:
    op = Stretch(torch.ones(3), 4.0)
    assert square_operator(op) is op
    assert isinstance(square_operator(matrix), Dense)

    class Stranger:
        shape, dtype, device = (10, 10), torch.float64, "cpu"

        def __matmul__(self, V: torch.Tensor) -> torch.Tensor:
            return matrix @ V

    foreign = square_operator(Stranger())
    assert isinstance(foreign, Foreign)
    assert foreign.device == torch.device("cpu")
    assert torch.equal(dense_matrix(foreign), matrix)


@pytest.mark.parametrize(
    ("thing", "missing"),
    [
        (3.0, "float has no shape, dtype, device, __matmul__"),
        (SimpleNamespace(shape=(2, 2), dtype=torch.float32), "SimpleNamespace has no device, __matmul__"),
    ],
)
def test_what_is_no_operator_is_told_what_it_lacks(thing: object, missing: str) -> None:
    with pytest.raises(ArgumentError, match=missing):
        square_operator(thing)

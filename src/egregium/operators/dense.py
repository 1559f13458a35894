"""Dense matrices as operators, operators as dense matrices, and foreign operators adapted."""

from collections.abc import Iterator
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.operators.base import SymmetricOperator

#: Columns of the identity that are multiplied at once.
BLOCK = 64


@final
class Dense(SymmetricOperator):
    """The operator of a symmetric matrix of shape (n, n).

    >>> Dense(torch.tensor([[2.0, 1.0], [1.0, 3.0]])) @ torch.tensor([1.0, 0.0])
    tensor([2., 1.])
    """

    def __init__(self, matrix: Float[Tensor, "n n"]) -> None:
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ArgumentError(f"Dense needs a square matrix of shape (n, n), got {tuple(matrix.shape)}.")
        self.n, self.dtype, self.device = matrix.shape[0], matrix.dtype, matrix.device
        self.matrix = matrix

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        return self.matrix @ V


@final
class Foreign(SymmetricOperator):
    """Anything square with `.shape`, `.dtype`, `.device` and `@`, such as an operator of curvlinops."""

    def __init__(self, matrix: Any) -> None:
        self.n, self.dtype, self.device = int(matrix.shape[0]), matrix.dtype, torch.device(matrix.device)
        self._matrix = matrix

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        product = self._matrix @ V
        if not isinstance(product, Tensor) or product.shape != V.shape:
            got = tuple(product.shape) if isinstance(product, Tensor) else type(product).__name__
            raise ArgumentError(
                f"{type(self._matrix).__name__} @ V must be a tensor of shape {tuple(V.shape)} for V of that shape, "
                f"got {got}."
            )
        return product


def square_operator(matrix: Any) -> SymmetricOperator:
    """`matrix` as a SymmetricOperator: operators pass unchanged, tensors and foreign operators are wrapped.

    Raises ArgumentError where it is not square or lacks `.shape`, `.dtype`, `.device` or `@`.
    """
    if isinstance(matrix, SymmetricOperator):
        return matrix
    missing = [name for name in ("shape", "dtype", "device", "__matmul__") if not hasattr(matrix, name)]
    if missing:
        raise ArgumentError(
            f"A square operator with .shape, .dtype, .device and @ was expected; {type(matrix).__name__} has no "
            f"{', '.join(missing)}. Pass a Landscape, a tensor of shape (n, n) or an operator such as eg.hessian(land)."
        )
    if not isinstance(matrix.dtype, torch.dtype) or not matrix.dtype.is_floating_point:
        raise ArgumentError(
            f"A real floating-point dtype of torch was expected, got {matrix.dtype}. Use torch.as_tensor(X).double()."
        )
    shape = tuple(matrix.shape)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ArgumentError(f"A square operator of shape (n, n) was expected, got shape {shape}.")
    return Dense(matrix) if isinstance(matrix, Tensor) else Foreign(matrix)


def column_blocks(op: SymmetricOperator, block: int = BLOCK) -> Iterator[tuple[slice, Float[Tensor, "n k"]]]:
    """The columns of the matrix, `block` at a time: pairs (which columns, A[:, columns]). n products in all."""
    for start in range(0, op.n, block):
        stop = min(start + block, op.n)
        columns = torch.zeros(op.n, stop - start, dtype=op.dtype, device=op.device)
        columns[torch.arange(start, stop), torch.arange(stop - start)] = 1
        yield slice(start, stop), op @ columns


def dense_matrix(op: SymmetricOperator, block: int = BLOCK) -> Float[Tensor, "n n"]:
    """The matrix itself, symmetrised: n products and n^2 numbers of memory.

    >>> dense_matrix(Dense(torch.tensor([[2.0, 1.0], [1.0, 3.0]])))
    tensor([[2., 1.],
            [1., 3.]])
    """
    matrix = torch.cat([columns for _, columns in column_blocks(op, block)], dim=1)
    return (matrix + matrix.T) / 2

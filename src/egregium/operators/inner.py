"""Inner products of long vectors in float64, chunk by chunk: no float64 copy of a block is ever made.

Vectors are rows here: a block of k vectors of length n has shape (k, n), each contiguous.
"""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

#: Numbers that are converted to float64 at once: 4 MiB.
CHUNK = 2**19


def gram(A: Float[Tensor, "k n"], B: Float[Tensor, "l n"]) -> Float[Tensor, "k l"]:
    """A B^T in float64.

    >>> gram(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [1.0, 0.0]]))
    tensor([[11.,  1.]], dtype=torch.float64)
    """
    total = torch.zeros(A.shape[0], B.shape[0], dtype=torch.float64, device=A.device)
    for part in chunks(A.shape[1], A.shape[0] + B.shape[0]):
        left = A[:, part].double()
        total += left @ (left if A is B else B[:, part].double()).T
    return total


def dots(A: Float[Tensor, "k n"], B: Float[Tensor, "k n"]) -> Float[Tensor, " k"]:
    """The inner products of the rows of A with those of B, one by one, in float64.

    >>> dots(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]))
    tensor([11.], dtype=torch.float64)
    """
    total = torch.zeros(A.shape[0], dtype=torch.float64, device=A.device)
    for part in chunks(A.shape[1], 2 * A.shape[0]):
        total += (A[:, part].double() * B[:, part].double()).sum(1)
    return total


def norm(v: Float[Tensor, " n"]) -> float:
    """The Euclidean norm, in float64.

    >>> norm(torch.tensor([3.0, 4.0]))
    5.0
    """
    row = v.reshape(1, -1)
    return math.sqrt(float(dots(row, row)))


def chunks(n: int, k: int) -> Iterator[slice]:
    """Slices of range(n) such that k rows of each are about 4 MiB in float64."""
    size = max(CHUNK // max(k, 1), 1)
    return (slice(start, start + size) for start in range(0, n, size))

"""Vectors in two blocks: orthogonal to rounding, rotated in place, also across the blocks and chunks."""

import pytest
import torch

from egregium.estimators.basis import Basis
from egregium.operators import Dense, inner


def basis(n: int, head: int, tail: int, dtype: torch.dtype = torch.float64) -> Basis:
    b = Basis(Dense(torch.eye(n, dtype=dtype)), head, tail)
    for i in range(head + tail):
        b.draw_(i, i, 0, 9)
    return b


def whole(b: Basis) -> torch.Tensor:
    return torch.cat([b.head, b.tail]).double()


@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
def test_drawn_rows_are_orthonormal(dtype: torch.dtype, off: float) -> None:
    Q = whole(basis(500, 30, 70, dtype))
    assert (Q @ Q.T - torch.eye(100)).abs().max() < off


def test_what_is_nearly_in_the_span_is_still_made_orthogonal() -> None:
    """Twice is not enough where little is left: 1e-9 of a vector beside the span."""
    b = basis(200, 10, 20)
    v = b.head.sum(0) + 1e-9 * torch.randn(200, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    size = b.orthogonalise_(v, 30)
    assert size == pytest.approx(float(v.norm()))
    assert (whole(b) @ v).abs().max() < 1e-14 * size


@pytest.mark.parametrize(("first", "kept", "count"), [(0, 3, 9), (2, 5, 7), (5, 2, 4), (0, 9, 9)])
def test_a_rotation_is_the_product_with_the_rows(
    first: int, kept: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inner, "CHUNK", 64)
    b = basis(100, 4, 6)
    before = whole(b)
    turn = torch.randn(kept, count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    b.rotate_(turn, first)
    before[first : first + kept] = turn @ before[first : first + count]
    assert torch.allclose(whole(b), before, atol=1e-13)

"""Inner products in float64, chunk by chunk, against one float64 product."""

import pytest
import torch

from egregium.operators import inner
from egregium.operators.inner import chunks, dots, gram, norm


@pytest.mark.parametrize("n", [1, 7, 1000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_against_one_product(n: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner, "CHUNK", 64)
    A, B = torch.randn(3, n).to(dtype), torch.randn(3, n).to(dtype)
    torch.testing.assert_close(gram(A, B), A.double() @ B.double().T, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(gram(A, A), A.double() @ A.double().T, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(dots(A, B), (A.double() * B.double()).sum(1), rtol=1e-13, atol=1e-13)
    assert norm(A[0]) == pytest.approx(float(A[0].double().norm()), rel=1e-14)


def test_float32_loses_nothing() -> None:
    """1 + 2^-30 is not a float32, but a sum of two of its products."""
    v = torch.tensor([[1.0, 2.0**-15]])
    assert float(dots(v, v)) == 1 + 2.0**-30
    assert float(gram(v, v)) == 1 + 2.0**-30


@pytest.mark.parametrize(("n", "k"), [(1, 1), (10, 3), (100, 1000), (0, 2)])
def test_chunks_cover_everything_once(n: int, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner, "CHUNK", 12)
    assert [i for part in chunks(n, k) for i in range(n)[part]] == list(range(n))

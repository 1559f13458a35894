"""Operators made of others."""

import pytest
import torch

from egregium.operators import Congruence, Dense, Stretch, dense_matrix
from egregium.results import Cost


@pytest.mark.parametrize("norm", [0.0, 1e-9, 0.7, 3.0, 1e4])
def test_the_frame_is_the_inverse_root_of_the_metric(norm: float) -> None:
    """P = I + (1/W - 1) u u^T has P G P = I for G = I + g g^T, W = sqrt(1 + |g|^2)."""
    u = torch.nn.functional.normalize(torch.randn(5, dtype=torch.float64), dim=0)
    g, W = norm * u, (1 + norm**2) ** 0.5
    P = dense_matrix(Stretch(u, 1 / W))
    metric = torch.eye(5, dtype=torch.float64) + torch.outer(g, g)
    torch.testing.assert_close(P @ metric @ P, torch.eye(5, dtype=torch.float64), rtol=0, atol=1e-15 * (1 + norm**2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_strong_shrinking_keeps_its_digits(dtype: torch.dtype) -> None:
    """I - (1 - s) u u^T, applied by one subtraction, would leave eps |x| of s |x|, all of it for these s."""
    eps = torch.finfo(dtype).eps
    u = torch.randn(50, dtype=dtype)
    found = Stretch(u, eps / 4) @ u
    along = float(found.double() @ u.double()) / float(u.double() @ u.double())
    assert along == pytest.approx(eps / 4, rel=0.05)


def test_a_stretch_is_free_and_congruence_costs_its_inside() -> None:
    P = Stretch(torch.ones(4), 3.0)
    assert P.cost(10) == Cost()
    assert Congruence(Dense(torch.eye(4)), P).cost(3) == Cost(products=3)
    assert Congruence(Dense(torch.eye(4)), Dense(torch.eye(4))).cost(3) == Cost(products=9)


def test_congruence_keeps_the_spectrum_under_an_orthogonal_map() -> None:
    A = torch.diag(torch.tensor([1.0, -2.0, 5.0], dtype=torch.float64))
    u = torch.nn.functional.normalize(torch.randn(3, dtype=torch.float64), dim=0)
    reflection = Stretch(u, -1.0)
    values = torch.linalg.eigvalsh(dense_matrix(Congruence(Dense(A), reflection)))
    torch.testing.assert_close(values, torch.tensor([-2.0, 1.0, 5.0], dtype=torch.float64), rtol=0, atol=1e-14)

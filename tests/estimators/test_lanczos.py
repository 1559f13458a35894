"""Lanczos: the recurrence, the residuals, no copies."""

import pytest
import torch
from known_spectra import matrix

from egregium.estimators.lanczos import lanczos
from egregium.operators import Dense


def start(n: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype)


def test_the_recurrence_holds() -> None:
    A = matrix("network", 60)
    *_, last = lanczos(Dense(A), start(60), 20)
    T = torch.diag(last.diagonal) + torch.diag(last.beyond[:-1], 1) + torch.diag(last.beyond[:-1], -1)
    left = A @ last.basis - last.basis @ T
    assert left[:, :-1].abs().max() < 1e-12
    assert left[:, -1].norm() == pytest.approx(last.beyond[-1].item(), rel=1e-10)
    assert (last.basis.T @ last.basis - torch.eye(20)).abs().max() < 1e-13


def test_residuals_bound_the_distance_to_an_eigenvalue() -> None:
    A = matrix("network", 60)
    truth = torch.linalg.eigvalsh(A)
    for state in lanczos(Dense(A), start(60), 30):
        values, _, residuals = state.ritz()
        distance = (values.unsqueeze(1) - truth).abs().amin(1)
        assert (distance <= residuals + 1e-12).all()


def test_long_runs_find_no_copies_of_converged_pairs() -> None:
    """peers' failure D2: without reorthogonalisation the largest eigenvalue comes back again and again."""
    *_, last = lanczos(Dense(matrix("huge", 120).float()), start(120, torch.float32), 100)
    assert (last.ritz()[0] > 500).sum() == 1


@pytest.mark.parametrize(("kind", "steps"), [("flat", 1), ("traceless", 2), ("rank 3", 4)])
def test_an_exhausted_space_ends_it(kind: str, steps: int) -> None:
    states = list(lanczos(Dense(matrix(kind, 40)), start(40), 40))
    assert len(states) == steps
    assert states[-1].beyond[-1] == 0
    assert states[-1].cost.products == steps


def test_the_zero_matrix() -> None:
    (only,) = lanczos(Dense(torch.zeros(5, 5)), start(5, torch.float32), 5)
    assert only.ritz()[0].tolist() == [0]

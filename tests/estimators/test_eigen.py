"""Eigenpairs at both ends, with residuals that say the truth."""

import pytest
import torch
from known_spectra import matrix, spectrum

from egregium.errors import ArgumentError
from egregium.estimators import Goal
from egregium.estimators.eigen import eigenpairs, extreme_eigenpairs
from egregium.operators import Dense
from egregium.results import Cost


@pytest.mark.parametrize("n", [40, 200])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [1, 5])
def test_the_outermost_pairs(n: int, largest: bool, k: int) -> None:
    A = matrix("network", n)
    truth = spectrum("network", n).sort(descending=largest).values[:k]
    pairs = eigenpairs(Dense(A), k, largest=largest, tol=1e-8)
    assert pairs.converged
    assert torch.allclose(pairs.values, truth, rtol=1e-7, atol=1e-6)
    images = A @ pairs.vectors - pairs.vectors * pairs.values
    assert torch.allclose(images.norm(dim=0), pairs.residuals, atol=1e-12)
    assert (pairs.vectors.T @ pairs.vectors - torch.eye(k)).abs().max() < 1e-8


def test_eigenvalues_near_zero_converge() -> None:
    """The smallest of a positive spectrum that piles up at 0: the tolerance is of the spread, not of the value."""
    A = matrix("decay", 300)
    pairs = eigenpairs(Dense(A), 1, largest=False)
    assert pairs.converged
    assert pairs.residuals[0] <= 2e-3
    assert pairs.values[0] >= 1 / 300 - 1e-12


def test_too_few_products_are_said() -> None:
    pairs = eigenpairs(Dense(matrix("flat", 200) + matrix("decay", 200)), 5, largest=False, tol=1e-12, products=20)
    assert not pairs.converged


@pytest.mark.parametrize("k", [0, 41, -1])
def test_k_out_of_range(k: int) -> None:
    with pytest.raises(ArgumentError, match="1 <= k <= n = 40"):
        eigenpairs(Dense(matrix("decay", 40)), k)
    with pytest.raises(ArgumentError, match="tol"):
        eigenpairs(Dense(matrix("decay", 40)), 1, tol=0.0)


@pytest.mark.parametrize("kind", ["network", "decay", "flat", "traceless", "huge", "rank 3"])
def test_both_extremes_in_one_run(kind: str) -> None:
    truth = spectrum(kind)
    top, bottom = extreme_eigenpairs(Dense(matrix(kind)), Goal())
    assert top.converged
    assert abs(top.values[0] - truth.max()) <= top.residuals[0] + 1e-9
    assert truth.min() - 1e-9 <= bottom.values[0]
    assert (truth - bottom.values[0]).abs().min() <= bottom.residuals[0] + 1e-9
    assert top.cost.products <= 120


def test_extremes_end_with_the_budget_or_the_caller() -> None:
    op = Dense(matrix("decay"))
    top, _ = extreme_eigenpairs(op, Goal(budget=7), spent=Cost(products=2))
    assert (top.cost.products, top.converged) == (5, False)
    top, _ = extreme_eigenpairs(op, Goal(), progress=lambda report: False)
    assert top.cost.products == 1


@pytest.mark.parametrize("n", [2, 4, 100])
def test_eigenvectors_orthogonal_to_signs_are_found(n: int) -> None:
    """x0 x1: the eigenvectors (1, 1) and (1, -1) are orthogonal to half of all sign vectors."""
    A = torch.zeros(n, n, dtype=torch.float64)
    A[0, 1] = A[1, 0] = 1
    for seed in range(10):
        top, bottom = extreme_eigenpairs(Dense(A), Goal(), seed=seed)
        assert (top.values[0].item(), bottom.values[0].item()) == pytest.approx((1, -1), abs=1e-6)


def test_the_zero_matrix_and_the_same_seed_twice() -> None:
    assert eigenpairs(Dense(torch.zeros(100, 100)), 2).values.tolist() == [0, 0]
    A = torch.diag(torch.tensor([1.0, -1.0] * 3 + [0.0] * 94, dtype=torch.float64))
    first, again = (eigenpairs(Dense(A), 5, seed=0) for _ in range(2))
    assert torch.equal(first.values, again.values)
    assert torch.equal(first.vectors, again.vectors)

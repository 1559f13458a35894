"""Eigenpairs at both ends, with residuals that say the truth."""

import math
from typing import final

import pytest
import torch
from known_spectra import matrix, spectrum
from scipy.sparse.linalg import eigsh

from egregium.autodiff.allocation import PeakAllocation
from egregium.errors import ArgumentError, OutOfMemoryError
from egregium.estimators import Goal, Room, probes
from egregium.estimators.eigen import eigenpairs, extreme_eigenpairs
from egregium.operators import Dense, SymmetricOperator, inner
from egregium.results import Cost, Eigenpairs


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


@final
class Diagonal(SymmetricOperator):
    """diag(values), of any size."""

    def __init__(self, values: torch.Tensor) -> None:
        self.n, self.dtype, self.device, self.values = values.numel(), values.dtype, values.device, values

    def matmat(self, V: torch.Tensor) -> torch.Tensor:
        return self.values.unsqueeze(1) * V


def bulk(n: int) -> torch.Tensor:
    """Dense in (-1, 1), and at its ends."""
    return torch.cos(torch.pi * (torch.arange(n, dtype=torch.float64) + 0.5) / n)


def checked(pairs: Eigenpairs, values: torch.Tensor, k: int, largest: bool, tol: float) -> None:
    """Against the spectrum, which is known: all k, at the end asked for, with multiplicities, orthonormal."""
    truth = values.double().sort(descending=largest).values[:k]
    spread, rounding = float(values.max() - values.min()), 1e-5 if values.dtype == torch.float32 else 1e-12
    assert pairs.converged
    assert pairs.values.shape == (k,)
    assert (pairs.values - truth).abs().max() <= tol * spread + rounding
    assert ((pairs.values - truth).abs() <= pairs.bounds + pairs.beyond + rounding).all()
    V = pairs.vectors.double()
    assert (V.T @ V - torch.eye(k)).abs().max() < 1e-6
    off = (values.double().unsqueeze(1) * V - V * pairs.values).norm(dim=0)
    assert torch.allclose(off, pairs.residuals, atol=rounding)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize(
    ("outer", "k", "tol"),
    [
        ([10.0, 10, 10, 5, 4, 3], 3, 1e-5),
        ([10.0, 10, 10, 5, 4, 3], 5, 1e-5),
        ([10.0] * 7 + [9.0] * 6, 12, 1e-3),
        ([10.0, 10 - 1e-4, 10 - 2e-4], 2, 1e-6),
        ([10.0], 1, 1e-3),
    ],
)
def test_multiplicities(outer: list[float], k: int, tol: float, largest: bool, dtype: torch.dtype) -> None:
    values = torch.cat([torch.tensor(outer, dtype=torch.float64), bulk(500)]) * (1 if largest else -1)
    for seed in range(3):
        checked(
            eigenpairs(Diagonal(values.to(dtype)), k, largest=largest, tol=tol, seed=seed),
            values.to(dtype),
            k,
            largest,
            tol,
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [1, 5, 50])
@pytest.mark.parametrize("ones", [0, 3, 100, 300])
def test_clusters_like_the_identity(ones: int, k: int, dtype: torch.dtype) -> None:
    """A projection: both eigenvalues many times, and Krylov spaces of dimension two at the most."""
    values = torch.cat([torch.ones(ones, dtype=dtype), torch.zeros(300 - ones, dtype=dtype)])
    for largest in (True, False):
        checked(eigenpairs(Diagonal(values), k, largest=largest), values, k, largest, 1e-5)


@pytest.mark.parametrize("k", [1, 5, 50])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize(("kind", "tol"), [("network", 1e-7), ("both signs", 1e-7), ("decay", 1e-4)])
def test_against_arpack(kind: str, tol: float, largest: bool, k: int) -> None:
    """scipy's eigsh at full precision, on the dense rotated matrix: an oracle that shares no code with ours."""
    A, values = matrix(kind, 300), spectrum(kind, 300)
    pairs = eigenpairs(Dense(A), k, largest=largest, tol=tol)
    truth = eigsh(A.numpy(), k, which="LA" if largest else "SA", ncv=150, return_eigenvectors=False)
    off = (pairs.values - torch.from_numpy(truth.copy()).sort(descending=largest).values).abs()
    assert pairs.converged
    assert off.max() <= tol * float(values.max() - values.min())
    assert (off <= pairs.bounds + pairs.beyond).all()


def test_the_quadratic_bound_holds_and_is_tighter() -> None:
    values = torch.cat([torch.tensor([10.0, 8, 6, 4], dtype=torch.float64), bulk(500)])
    tighter = 0
    for seed in range(20):
        pairs = eigenpairs(Diagonal(values), 4, tol=1e-2, seed=seed)
        assert ((pairs.values - values[:4]).abs() <= pairs.bounds + 1e-13).all()
        tighter += int((pairs.bounds[:3] < pairs.residuals[:3] / 10).sum())
    assert tighter >= 50


def test_products_end_it_within_one() -> None:
    values = torch.cat([torch.tensor([10.0, 9, 8, 7, 6]), bulk(500).float()])
    for most in (1, 8, 12, 20, 25, 30):
        pairs = eigenpairs(Diagonal(values), 5, products=most)
        assert pairs.cost.products <= max(most, 5 + 1)
        assert pairs.values.shape == pairs.residuals.shape == (pairs.vectors.shape[1],)
        assert (pairs.residuals <= 1e-3 * 11).all()
        assert pairs.converged == (most >= 25)


@final
class Noisy(SymmetricOperator):
    """diag(values) and noise of norm 0.1, another at each product: what a loss that changes would be."""

    def __init__(self, values: torch.Tensor) -> None:
        self.n, self.dtype, self.device, self.values = values.numel(), values.dtype, values.device, values
        self.draw = torch.Generator().manual_seed(0)

    def matmat(self, V: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(V.shape, generator=self.draw, dtype=self.dtype)
        return self.values.unsqueeze(1) * V + 0.1 * noise / self.n**0.5


def test_pairs_that_only_seem_to_converge_are_left_out() -> None:
    """The run's own residuals fall below tol; those computed afresh do not."""
    values = torch.cat([torch.tensor([10.0, 9, 8, 7, 6], dtype=torch.float64), bulk(500)])
    pairs = eigenpairs(Noisy(values), 5)
    assert not pairs.converged
    assert pairs.values.numel() == pairs.vectors.shape[1] == 0
    assert pairs.beyond == math.inf


@pytest.mark.parametrize("k", [1, 5, pytest.param(50, marks=pytest.mark.slow)])
def test_memory_is_two_k_and_ten_vectors(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tensors alive at once, in float32: no vector is ever copied to float64, no block rotated aside."""
    n = 100_000
    monkeypatch.setattr(inner, "CHUNK", n // 8)
    monkeypatch.setattr(probes, "CHUNK", n // 8)
    values = torch.cat([torch.linspace(50, 10, 60), bulk(n - 60).float()])
    with PeakAllocation() as counted:
        eigenpairs(Diagonal(values), k, products=3 * k + 20)  # restarts, and the residuals
    assert 2 * k + 8 <= counted.peak / (4 * n) <= 2 * k + 10


def test_pairs_coupled_to_those_locked_before_are_found_again() -> None:
    """Copies found late, beside pairs locked at tol: three of 50 come out above it, and a stricter run takes over."""
    i = torch.arange(1, 2001, dtype=torch.float64)
    values = torch.where(i <= 10, 13 - i, torch.where(i % 3 == 0, -1.0, 1.0) * 3 / i)
    pairs = eigenpairs(Diagonal(values), 50, seed=1)
    checked(pairs, values, 50, True, 1e-3)
    assert pairs.residuals.max() <= 1e-3 * float(values.max() - values.min())
    assert not eigenpairs(Diagonal(values), 50, seed=1, products=300).converged  # too few for a second run


def test_less_room_gives_the_same_pairs() -> None:
    values = torch.cat([torch.tensor([10.0, 10, 8, 7, 6], dtype=torch.float64), bulk(300)])
    checked(eigenpairs(Diagonal(values), 5, tol=1e-4, room=Room(1, 11)), values, 5, True, 1e-4)
    with pytest.raises(OutOfMemoryError, match="need 11 vectors beside the block; memory= leaves 10"):
        eigenpairs(Diagonal(values), 5, room=Room(1, 10))

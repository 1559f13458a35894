"""The spectral density: mass one, the right moments, peaks where the eigenvalues are."""

from dataclasses import replace

import pytest
import torch
from known_spectra import matrix, spectrum

import egregium as eg
from egregium.errors import ArgumentError
from egregium.estimators.density import spectral_density
from egregium.operators import Dense


@pytest.mark.parametrize("kind", ["network", "decay", "traceless", "rank 3"])
def test_mass_and_moments(kind: str) -> None:
    """Mass 1; mean and mean square within 5 standard errors over 30 probes of tr A / n and |A|_F^2 / n."""
    truth = spectrum(kind)
    d = spectral_density(Dense(matrix(kind)), probes=30)
    assert torch.trapezoid(d.density, d.grid).item() == pytest.approx(1, abs=1e-3)
    for power in (1, 2):
        each = (d.weights * d.nodes**power).sum(1)
        assert abs(each.mean() - (truth**power).mean()) <= 5 * each.std() / 30**0.5 + 1e-9
    assert torch.allclose(d.weights.sum(1), torch.ones(30, dtype=torch.float64))


def test_peaks_stand_at_the_eigenvalues() -> None:
    d = spectral_density(Dense(matrix("traceless")), sigma=0.05)
    peaks = d.grid[d.density > d.density.max() / 2]
    assert (peaks.abs() - 1).abs().max() < 0.1


def test_the_error_is_that_of_repetitions() -> None:
    """Over 6 seeds of 40 probes, the mean square of (estimate - truth) / stderr is near 1 where there is density."""
    truth, op = spectrum("network"), Dense(matrix("network"))
    squares = []
    for seed in range(6):
        d = spectral_density(op, probes=40, steps=60, sigma=0.3, seed=seed)
        exact = torch.exp(-(((d.grid.unsqueeze(1) - truth) / 0.3) ** 2) / 2).mean(1) / (0.3 * (2 * torch.pi) ** 0.5)
        seen = exact > 1e-3 * exact.max()
        squares.append((((d.density - exact) / d.stderr)[seen] ** 2).mean())
    assert 0.5 < torch.stack(squares).mean() < 2


@pytest.mark.parametrize("options", [{"probes": 1}, {"steps": 0}, {"sigma": 0.0}])
def test_arguments_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match="probes >= 2"):
        spectral_density(Dense(matrix("decay", 10)), **options)


def test_the_band_holds_the_density() -> None:
    """Over 20 seeds of 6 probes at 90 %, pointwise where there is density: at least 85 %, points being correlated."""
    truth, op = spectrum("network"), Dense(matrix("network"))
    held = []
    for seed in range(20):
        d = spectral_density(op, probes=6, steps=60, sigma=0.3, seed=seed, confidence=0.9)
        exact = torch.exp(-(((d.grid.unsqueeze(1) - truth) / 0.3) ** 2) / 2).mean(1) / (0.3 * (2 * torch.pi) ** 0.5)
        seen = exact > 1e-3 * exact.max()
        held.append(((d.lower <= exact) & (exact <= d.upper))[seen].double().mean())
        assert (d.lower >= 0).all()
        assert (d.lower <= d.density + 1e-12).all()
        assert (d.density <= d.upper + 1e-12).all()
    assert torch.stack(held).mean() >= 0.85


@pytest.mark.parametrize("kind", ["network", "decay", "traceless", "both signs"])
def test_moments_agree_with_the_estimators_of_their_own(kind: str) -> None:
    """tr A and |A|_F^2 by sketch and fresh probes, which share neither vectors nor formula: within joint errors."""
    A = matrix(kind)
    d = spectral_density(Dense(A), probes=30, steps=8, seed=1)
    for power, other in ((1, eg.trace), (2, eg.squared_frobenius)):
        ours, theirs = d.moment(power), other(A, method="stochastic", rtol=0.2, budget=200)
        joint = (ours.stderr**2 + theirs.stderr**2) ** 0.5
        assert abs(ours.value - theirs.value) <= 4.5 * joint + ours.rounding + theirs.rounding
        assert ours.samples.shape == (30,)
    assert d.moment(0).value == pytest.approx(200)


def test_intervals_of_moments_cover() -> None:
    """200 seeds at 90 %: with p = 0.9 fewer than 166 have a chance below 0.001 (binomial)."""
    A = matrix("network")
    for power, truth in ((1, A.trace()), (2, (A**2).sum())):
        found = (spectral_density(Dense(A), probes=8, steps=3, seed=s, confidence=0.9) for s in range(200))
        intervals = [d.moment(power).interval() for d in found]
        assert sum(low <= truth <= high for low, high in intervals) >= 166


@pytest.mark.parametrize("power", [-1, 6, 1.5, True])
def test_moments_that_the_rules_do_not_know(power: int) -> None:
    d = spectral_density(Dense(matrix("decay")), probes=2, steps=3)
    assert d.moment(5).value > 0
    with pytest.raises(ArgumentError, match=r"3 steps knows the moments 0, \.\.\., 5 .* got power"):
        d.moment(power)
    with pytest.raises(ArgumentError, match="n = unknown"):
        replace(d, n=0).moment(1)


@pytest.mark.parametrize("confidence", [0, 1.0, "x"])
def test_a_confidence_out_of_range(confidence: float) -> None:
    with pytest.raises(ArgumentError, match="confidence must be between 0 and 1"):
        spectral_density(Dense(matrix("decay")), confidence=confidence)

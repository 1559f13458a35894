"""The spectral density: mass one, the right moments, peaks where the eigenvalues are."""

import pytest
import torch
from known_spectra import matrix, spectrum

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

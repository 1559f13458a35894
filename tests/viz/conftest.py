"""Two measurements to draw: one sampled, with everything in it, and one exact."""

import pytest
import torch

import egregium as eg


@pytest.fixture(scope="session")
def sampled() -> eg.Measurement:
    matrix = torch.diag(torch.linspace(-1, 2, 80, dtype=torch.float64))
    land = eg.Landscape.from_function(lambda x: x @ matrix @ x / 2, torch.full((80,), 0.1, dtype=torch.float64))
    return eg.measure(land, method="stochastic", rtol=0.2, density=True, confidence=0.9)


@pytest.fixture(scope="session")
def saddle() -> eg.Measurement:
    land = eg.Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=torch.float64))
    return eg.measure(land, extremes=False)


@pytest.fixture(scope="session")
def session(sampled: eg.Measurement, saddle: eg.Measurement) -> eg.Session:
    points = {"sampled": sampled, "a <saddle> & $x": saddle}
    return eg.Session("Two", "egregium two", points, "2026-11-24T09:00:00Z")

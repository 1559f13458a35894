"""A session with one point of each kind: sampled, exact, and not converged."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from opened import DESK, Opened
from playwright.sync_api import Browser

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
def poor(sampled: eg.Measurement) -> eg.Measurement:
    note = "The budget ended before the interval was as narrow as asked."
    curvature = replace(sampled.scalar_curvature, stderr=999.0, converged=False, notes=(note,))
    return replace(sampled, scalar_curvature=curvature, largest=None, smallest=None, density=None)


@pytest.fixture(scope="session")
def session(sampled: eg.Measurement, saddle: eg.Measurement, poor: eg.Measurement) -> eg.Session:
    points = {"sampled": sampled, "a <saddle> & $x": saddle, "poor": poor}
    return eg.Session("Three <b>points</b>", 'egregium "three" && more', points, "2026-11-24T09:00:00Z", ("<i>hm</i>",))


@pytest.fixture
def opened(browser: Browser, address: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """The page at `address` with the test's options; a picture of it is kept in $PICTURES, where that is set."""
    context = browser.new_context(**({"viewport": DESK} | getattr(request, "param", {})))
    shown = Opened(context, address)
    yield shown
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    shown.page.screenshot(path=Path(os.environ.get("PICTURES", tmp_path)) / f"{name}.png", full_page=True)
    context.close()

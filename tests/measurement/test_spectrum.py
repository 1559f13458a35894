"""Extremes and density respect budget, time and caller."""

import numpy as np
import pytest
import torch

import egregium as eg
from egregium.estimators import Goal, Progress
from egregium.measurement.spectrum import measured_spectrum
from egregium.operators import Dense
from egregium.results import Cost

OP = Dense(torch.diag(torch.linspace(-1, 3, 200, dtype=torch.float64)))


def spectrum(goal: Goal, progress: object = None) -> object:
    return measured_spectrum(OP, goal, extremes=True, density=True, seed=0, spent=Cost(products=10), progress=progress)


def test_everything_where_there_is_room() -> None:
    found = spectrum(Goal())
    assert found.largest.values[0] == pytest.approx(3, rel=1e-3)
    assert found.density.density.shape == found.density.grid.shape
    assert found.cost.products == found.largest.cost.products + found.density.cost.products


@pytest.mark.parametrize("budget", [10, 15, 60, 137])
def test_the_budget_is_kept(budget: float) -> None:
    found = spectrum(Goal(budget=budget))
    assert 10 + found.cost.products <= budget
    assert found.density is None


@pytest.mark.parametrize("no", [False, np.bool_(False), 0])
@pytest.mark.parametrize("phase", ["extreme eigenvalues", "spectral density"])
def test_a_stop_stays_a_stop(no: object, phase: str) -> None:
    heard: list[str] = []

    def progress(report: Progress) -> object:
        heard.append(report.phase)
        return no if report.phase == phase else None

    found = spectrum(Goal(), progress)
    assert heard.count(phase) == 1
    assert found.density is None


@pytest.mark.parametrize("budget", [15, 24, 100, 570])
def test_measure_keeps_its_budget(budget: float) -> None:
    land = eg.Landscape.from_function(lambda x: (x**4).sum() + x.sum() ** 2, torch.linspace(0, 1, 300))
    m = eg.measure(land, budget=budget, rtol=1e-9, density=True)
    assert m.cost.gradients <= budget

"""What is measured of a network, against the library's own functions."""

import dataclasses

import pytest
import torch
from torch import nn

import egregium as eg
from egregium.study.measures import MEASURES, SOURCES, Subject, measured

LAND_SEED = 3


def subject(wanted: tuple[str, ...]) -> Subject:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    x, y = torch.randn(40, 6, dtype=torch.float64), torch.randint(0, 3, (40,))
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (x, y))
    return Subject(land, torch.zeros(land.n, dtype=torch.float64), 0.05, LAND_SEED, wanted)


def test_every_measure_has_one_source_and_a_meaning() -> None:
    names = [name for names in SOURCES.values() for name in names]
    assert sorted(names) == sorted(MEASURES)
    assert set(measured(subject(tuple(MEASURES)))) == set(MEASURES)


def test_they_are_those_of_the_hessian() -> None:
    """n = 53: everything is exact, and equal to what the dense Hessian says."""
    whole = subject(tuple(MEASURES))
    found = measured(whole)
    H = (eg.hessian(whole.land) @ torch.eye(whole.land.n, dtype=torch.float64)).double()
    values = torch.linalg.eigvalsh((H + H.T) / 2)
    expected = {
        "scalar_curvature": eg.scalar_curvature(whole.land, method="exact").value,
        "trace": float(values.sum()),
        "frobenius_norm": float(values.norm()),
        "nuclear_norm": float(values.abs().sum()),
        "largest_eigenvalue": float(values[-1]),
        "effective_rank": float(values.sum() ** 2 / values.square().sum()),
        "gauss_newton_scalar_curvature": eg.scalar_curvature(whole.land, method="exact", operator="ggn").value,
        "normalised_scalar_curvature": eg.scalar_curvature(whole.land.normalised("filter"), method="exact").value,
        "gradient_norm": float(whole.land.gradient().norm()),
        "weight_norm": float(whole.land.theta.norm()),
        "distance": float(whole.land.theta.norm()),
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, rel=1e-6, abs=found[name].half_width), name


def test_only_what_is_wanted_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    few = subject(("weight_norm",))
    monkeypatch.setattr(eg.Landscape, "value_and_gradient", lambda *_, **__: pytest.fail("a gradient was taken"))
    assert list(measured(few)) == ["weight_norm"]
    assert list(measured(dataclasses.replace(few, wanted=("distance", "weight_norm")))) == ["distance", "weight_norm"]

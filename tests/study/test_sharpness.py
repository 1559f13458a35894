"""The worst rise within a ball, where it is known."""

import pytest
import torch

from egregium.landscape import Landscape
from egregium.study.sharpness import worst_rise

DOUBLE = torch.float64


def quadratic(*eigenvalues: float) -> Landscape:
    d = torch.tensor(eigenvalues, dtype=DOUBLE)
    start = torch.full_like(d, 1e-6)
    return Landscape.from_function(lambda x: (d * x**2).sum() / 2, start)


@pytest.mark.parametrize("eigenvalues", [(3.0, 1.0), (5.0, 4.0, 0.1), (2.0,)])
def test_at_a_minimum_it_is_the_largest_eigenvalue(eigenvalues: tuple[float, ...]) -> None:
    found = worst_rise(quadratic(*eigenvalues), 0.3, steps=60)
    assert found == pytest.approx(max(eigenvalues) * 0.3**2 / 2, rel=1e-3)


def test_it_is_a_lower_bound_that_more_steps_raise() -> None:
    land = quadratic(5.0, 4.9, 4.8, 0.1)
    few, many = (worst_rise(land, 0.3, steps=steps) for steps in (1, 40))
    assert 0 < few <= many <= 5.0 * 0.3**2 / 2 * (1 + 1e-4)


def test_a_plane_rises_by_its_slope() -> None:
    land = Landscape.from_function(lambda x: 3 * x[0] - 4 * x[1], torch.ones(2, dtype=DOUBLE))
    assert worst_rise(land, 0.5) == pytest.approx(5 * 0.5)
    assert worst_rise(land, 0.5, land.theta.abs()) == pytest.approx(5 * 0.5)


def test_relative_to_the_parameters_it_does_not_see_their_units() -> None:
    theta, units = torch.tensor([0.5, -2.0], dtype=DOUBLE), torch.tensor([10.0, 0.1], dtype=DOUBLE)

    def f(x: torch.Tensor) -> torch.Tensor:
        return (x[0] ** 2 * 3 + (x[1] + 2) ** 2 + torch.sin(x).sum()) / 2

    one = Landscape.from_function(f, theta)
    other = Landscape.from_function(lambda v: f(v / units), theta * units)
    assert worst_rise(one, 0.2, one.theta.abs()) == pytest.approx(worst_rise(other, 0.2, other.theta.abs()), rel=1e-9)
    assert worst_rise(one, 0.2) != pytest.approx(worst_rise(other, 0.2), rel=0.1)


def test_beyond_all_bounds_is_infinite() -> None:
    land = Landscape.from_function(lambda x: -torch.log(x).sum(), torch.tensor([0.1], dtype=DOUBLE))
    assert worst_rise(land, 0.2) == float("inf")
    flat = Landscape.from_function(lambda x: 0 * x.sum(), torch.ones(2, dtype=DOUBLE))
    assert worst_rise(flat, 1.0) == 0

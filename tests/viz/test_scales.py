"""Axes that flatten nothing."""

import pytest
from matplotlib.figure import Figure

from egregium.viz.scales import decade, magnitudes, set_vertical_scale, steep, symmetric_ticks


@pytest.mark.parametrize(
    ("values", "scale", "said"),
    [
        ([1.0, 2.0, 3.0], "linear", ""),
        ([], "linear", ""),
        ([float("nan")], "linear", ""),
        ([x**2 / 400 for x in range(-20, 21)], "linear", ""),
        ([1e-9, 1e-8, 1.0, 1e6], "log", ", logarithmic axis"),
        ([-1e6, 1e-3, 1.0, 2.0, 3.0], "symlog", ", symmetric logarithmic axis"),
        ([0.0, 1e-3, 1.0, 1e3, 1e6], "symlog", ", symmetric logarithmic axis"),
    ],
)
def test_scale_is_said_in_the_label(values: list[float], scale: str, said: str) -> None:
    ax = Figure().add_subplot()
    assert set_vertical_scale(ax, values) == said
    assert ax.get_yscale() == scale


def test_steep_is_about_the_lower_quarter() -> None:
    assert not steep([1e-9, 1.0, 1.0, 1.0, 1.0])  # a single crossing of zero
    assert steep([1e-9, 1e-9, 1.0, 1.0, 1.0])


def test_ticks() -> None:
    assert magnitudes([-2.0, 0.0, float("inf"), 1.0]) == [1.0, 2.0]
    assert decade(350.0) == 100.0
    assert symmetric_ticks(1.0, 1e6) == [-1e6, -1e4, -1e2, 0.0, 1e6, 1e4, 1e2]

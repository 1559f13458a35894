"""What may be asked."""

import math

import pytest

from egregium.errors import ArgumentError
from egregium.estimators import Goal
from egregium.results import Cost, Estimate


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rtol", 0.0),
        ("rtol", -0.1),
        ("rtol", math.nan),
        ("rtol", math.inf),
        ("atol", -1.0),
        ("confidence", 0.0),
        ("confidence", 1.0),
        ("confidence", 95.0),
        ("budget", 0.0),
        ("budget", -3.0),
        ("max_seconds", 0.0),
    ],
)
def test_values_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(ArgumentError, match=f"{name} must be .*got"):
        Goal(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("rtol", "0.1"), ("rtol", None), ("budget", "9")])
def test_what_is_no_number(name: str, value: object) -> None:
    with pytest.raises(ArgumentError, match=f"{name} must be a number"):
        Goal(**{name: value})


def test_reached_by_rtol_or_atol() -> None:
    estimate = Estimate(100.0, 1.0)  # half-width 1.96
    assert Goal(rtol=0.02).reached(estimate)
    assert not Goal(rtol=0.019).reached(estimate)
    assert Goal(rtol=0.001, atol=2.0).reached(estimate)
    assert not Goal(rtol=0.02, confidence=0.99).reached(estimate)


def test_what_is_left() -> None:
    assert Goal(budget=100).left(Cost(gradients=30, products=5)) == 65
    assert not Goal().late()
    assert Goal(max_seconds=1e-9).late()

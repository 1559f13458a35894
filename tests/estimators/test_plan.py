"""The plan: wider where depth does not pay, deeper where it does, within the budget."""

import math

import pytest

from egregium.errors import BudgetError
from egregium.estimators.plan import FEWEST_PROBES, PILOTS, next_step, pilot


def price(k: int) -> float:
    return 1 + 2 * k


def test_the_largest_pilot_that_fits() -> None:
    assert pilot(1000, price, 1e9) == PILOTS[0]
    for depth, probes in PILOTS:
        room = (2 * price(depth) if depth else 0) + price(probes)
        assert pilot(1000, price, room) == (depth, probes)
    assert pilot(5, price, 1e9)[0] == 5


def test_too_small_a_budget_says_what_would_do() -> None:
    with pytest.raises(BudgetError, match=f"leaves 6 gradients .* {FEWEST_PROBES} probes.* cost 7"):
        pilot(1000, price, 6.0)


def test_flat_spectra_widen_and_decaying_ones_deepen() -> None:
    flat = ((16, 10.0, 16), (32, 10.0, 16))
    steep = ((16, 10.0, 16), (32, 1.0, 16))
    assert not next_step(flat, 16, 3.0).deeper
    assert next_step(steep, 16, 0.05).deeper


def test_close_to_the_goal_it_widens_just_enough() -> None:
    plan = next_step(((16, 10.0, 16),), 16, 4.5)  # (2 * 10 / 4.5)^2 * 1.1 = 21.7 probes are needed, 16 are there
    assert (plan.deeper, plan.more) == (False, 6)


def test_a_goal_out_of_reach() -> None:
    assert next_step(((16, 1.0, 16),), 16, 0.0).products == math.inf
    assert not next_step(((0, 1.0, 16),), 0, 1e-3).deeper

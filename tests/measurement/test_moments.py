"""The choice of method."""

import pytest
import torch

from egregium.errors import BudgetError
from egregium.estimators import Goal, gauss_statistic
from egregium.measurement.moments import EXACT_BELOW, trace_moments
from egregium.operators import Dense


def operator(n: int) -> Dense:
    """Eigenvalues from 1 to 2, not along the axes: random signs know a diagonal matrix exactly."""
    u = torch.randn(n, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    reflection = torch.eye(n, dtype=torch.float64) - 2 * u @ u.T / u.square().sum()
    return Dense(reflection @ torch.diag(torch.linspace(1, 2, n, dtype=torch.float64)) @ reflection)


@pytest.mark.parametrize(("n", "exact"), [(EXACT_BELOW - 1, True), (4 * EXACT_BELOW, False)])
def test_auto_is_exact_where_that_is_cheap(n: int, exact: bool) -> None:
    moments, _, words, ended = trace_moments(operator(n), gauss_statistic, "auto", Goal(rtol=0.2))
    assert moments.exact is exact
    assert words.startswith("exact" if exact else "deflating sketch")
    assert ended == ""


def test_auto_turns_exact_where_sampling_would_cost_more() -> None:
    moments, _, words, _ = trace_moments(operator(150), gauss_statistic, "auto", Goal(rtol=1e-6))
    assert moments.exact
    assert "cheaper than sampling" in words


def test_auto_respects_the_budget() -> None:
    moments, cost, _, ended = trace_moments(operator(1_000), gauss_statistic, "auto", Goal(rtol=1e-6, budget=200))
    assert not moments.exact
    assert cost.products <= 200
    assert ended == "budget"


def test_a_part_of_the_columns_is_no_estimate() -> None:
    with pytest.raises(BudgetError, match="ended before its last one"):
        trace_moments(operator(300), gauss_statistic, "exact", Goal(), progress=lambda report: report.fraction < 0.3)

"""C6 holds, says where it does not, and is caught where an order, a formula or the minimum is broken."""

import pytest
import torch

from egregium import Landscape
from egregium.claims import CLAIMS, Run, reproduced, robustness
from egregium.claims.leading_order import (
    ASCENT,
    ATTAINED,
    MEAN,
    NO_BOUND,
    NO_SADDLE,
    NO_SQUARE,
    SQUARE,
    LeadingOrder,
    order_checks,
)
from egregium.claims.minima import digit_minimum
from egregium.claims.networks import digit_landscape
from egregium.claims.perturbation import Differences
from egregium.claims.spectra import Sampled
from egregium.results import Check, ClaimResult

QUADRATIC, CUBIC, SPHERE = robustness._surfaces()


@pytest.fixture(scope="module")
def result() -> ClaimResult:
    return reproduced(CLAIMS["C6"], Run())


def checks_of(name: str, land: Landscape | None = None, directions: int = 1500) -> list[Check]:
    generator = torch.Generator().manual_seed(0)
    land = robustness._surfaces()[name] if land is None else land
    steps = robustness._steps(name, land, (directions, 100), generator, Run())
    return robustness._at_minimum(steps, generator)


def failing(checks: list[Check]) -> set[str]:
    return {check.what for check in checks if check.verdict == "fails"}


def test_it_holds_at_minima_and_not_elsewhere(result: ClaimResult) -> None:
    assert result.verdict == "holds"
    subjects = {check.subject for check in result.checks}
    assert subjects >= {QUADRATIC, CUBIC, SPHERE, "tanh network on digits, n = 310, at its minimum"}
    outside = [check for check in result.checks if check.outside]
    assert {check.what for check in outside} == {NO_SQUARE, NO_BOUND, NO_SADDLE}
    assert all(check.found > 5 * check.expected for check in outside)


def test_the_mean_needs_no_minimum(result: ClaimResult) -> None:
    (check,) = (c for c in result.checks if c.what == MEAN and "initialisation" in c.subject)
    assert check.verdict == "holds"
    assert not check.outside


def test_the_bound_is_nearly_reached(result: ClaimResult) -> None:
    found = [check for check in result.checks if check.what in (ATTAINED, ASCENT)]
    assert all(check.found > 0.95 * check.expected for check in found)


@pytest.mark.parametrize(
    ("name", "wrong", "what"),
    [
        ("mean", lambda self: Sampled(self.trace.value / self.n, 0.0), MEAN),
        ("square", lambda self: Sampled(self.trace.value**2 / (4 * self.n**2), 0.0), SQUARE),
        ("worst", lambda self: self.norm_bound, ATTAINED),
    ],
)
def test_wrong_formulas_are_caught(name: str, wrong: object, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LeadingOrder, name, property(wrong))  # type: ignore[arg-type]
    assert failing(checks_of(CUBIC)) == {what}


def test_a_bound_by_too_small_an_eigenvalue_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LeadingOrder, "worst", property(lambda self: Sampled(self.largest.value**2 / 8, 0.0)))
    assert failing(checks_of(CUBIC)) >= {ATTAINED, ASCENT}


def test_a_point_that_is_no_minimum_holds_nothing_but_the_mean() -> None:
    """The next order, as measured, is then larger than what has to be seen."""
    on_its_way = digit_landscape((4,), 200, steps=12, decay=1e-3)
    told = {check.what: check.verdict for check in checks_of("network", on_its_way, 1000)}
    assert told[MEAN] == "holds"
    assert {told[what] for what in (SQUARE, ATTAINED, ASCENT)} == {"undecided"}


def test_a_next_term_of_odd_order_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    surfaces = robustness._surfaces()
    steps = robustness._steps(SPHERE, surfaces[SPHERE], (50, 50), torch.Generator().manual_seed(0), Run())
    assert {check.verdict for check in order_checks(SPHERE, steps.at)} == {"holds"}
    monkeypatch.setattr(Differences, "first", property(lambda self: self.even / self.eps**2 + self.eps / 10))
    assert [check.verdict for check in order_checks(SPHERE, steps.at)] == ["fails", "holds"]


def test_too_few_directions_are_undecided() -> None:
    told = {check.what: check.verdict for check in checks_of(QUADRATIC, directions=100)}
    assert told[SQUARE] == "undecided"


def test_on_a_minimum_of_the_users_own_all_of_it_is_looked_at() -> None:
    result = reproduced(CLAIMS["C6"], Run(), digit_minimum(), "mine")
    assert result.verdict == "holds"
    assert [check.what for check in result.checks] == [MEAN, SQUARE, ATTAINED]


def test_on_a_maximum_the_bound_is_passed() -> None:
    """The largest eigenvalue is −1 there, the largest absolute one 3: the bound is not by λ_max."""
    d = torch.tensor([1.0, 3.0, 2.0], dtype=torch.float64)
    top = Landscape.from_function(lambda x: -(d * x.square()).sum() / 2, torch.zeros(3, dtype=torch.float64))
    result = reproduced(CLAIMS["C6"], Run(), top, "mine")
    passed = {check.what: check for check in result.checks}[NO_SADDLE]
    assert passed.outside
    assert (passed.found, passed.expected) == (pytest.approx(9 / 4), pytest.approx(1 / 4))
    assert ATTAINED not in {check.what for check in result.checks}


def test_on_an_untrained_network_the_mean_is_left() -> None:
    result = reproduced(CLAIMS["C6"], Run(), digit_landscape((4,), 200, steps=0), "mine")
    assert result.verdict == "holds"
    assert [check.what for check in result.checks if not check.outside] == [MEAN]


def test_on_a_loss_with_kinks_nothing_is_claimed() -> None:
    land = digit_landscape((4,), 100, activation="relu", steps=0)
    result = reproduced(CLAIMS["C6"], Run(), land, "mine")
    assert all(check.outside for check in result.checks)
    assert any("kinks" in told for told in (*result.notes, *(check.what for check in result.checks)))

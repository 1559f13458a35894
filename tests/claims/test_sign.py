"""C3 holds, finds no converse, and is caught where R, a rank or the condition is broken."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from egregium import Landscape
from egregium.claims import CLAIMS, Run, reproduced, sign, sign_target
from egregium.claims.minima import digit_minimum
from egregium.claims.networks import digit_landscape
from egregium.measurement import measure, scalar_curvature
from egregium.results import Check, ClaimResult


@pytest.fixture(scope="module")
def result() -> ClaimResult:
    return reproduced(CLAIMS["C3"], Run())


def bowls(n: int = 2, rank: int = 2) -> list[Landscape]:
    generator = torch.Generator().manual_seed(0)
    return [sign._bowl(n, rank, generator) for _ in range(20)]


def verdicts(checks: list[Check]) -> dict[str, str]:
    return {check.what: check.verdict for check in checks}


def test_it_holds_on_surfaces_regression_and_a_network(result: ClaimResult) -> None:
    assert result.verdict == "holds"
    subjects = {check.subject for check in result.checks}
    assert subjects >= {"softmax regression on digits, n = 650", "exp(a·x) plus a plane, n = 5", "saddle u² − v²"}
    inside = {check.subject for check in result.checks if not check.outside}
    assert any("at its minimum" in subject for subject in inside)
    assert any("uphill" in subject for subject in inside)


def test_there_is_no_converse(result: ClaimResult) -> None:
    found = {check.subject: check.found for check in result.checks if check.outside and "λ_min = " in check.what}
    assert sorted(found.values()) == pytest.approx([-8, 0, 4, 16.8])


def test_an_r_that_ignores_the_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_rest(land: Landscape, **how: Any) -> Any:
        return replace(scalar_curvature(land, **how), value=sign.spectrum(land).at_rest)

    monkeypatch.setattr(sign, "scalar_curvature", at_rest)
    found = verdicts(sign._bounds("bowls", [sign._place(land) for land in bowls()]))
    assert found == {sign.DEFINITE: "holds", sign.LOWER: "holds", sign.UPPER: "fails"}


def test_an_r_that_falls_faster_with_the_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_small(land: Landscape, **how: Any) -> Any:
        R = scalar_curvature(land, **how)
        return replace(R, value=R.value / (1 + float(land.gradient().norm()) ** 2))

    monkeypatch.setattr(sign, "scalar_curvature", too_small)
    found = verdicts(sign._bounds("bowls", [sign._place(land) for land in bowls()]))
    assert found == {sign.DEFINITE: "holds", sign.LOWER: "fails", sign.UPPER: "holds"}


@pytest.mark.parametrize("power", [1, 1.5, 2])
def test_a_power_of_beta_in_place_of_the_gradient_s_terms_is_caught(
    power: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the bounds, so that only where they are attained it is seen."""

    def between(land: Landscape, **how: Any) -> Any:
        beta = 1 / (1 + float(land.gradient().norm()) ** 2)
        return replace(scalar_curvature(land, **how), value=beta**power * sign.spectrum(land).at_rest)

    def told() -> set[str]:
        generator = torch.Generator().manual_seed(0)
        across = [sign._place(sign._bowl(3, 2, generator, across=True)) for _ in range(5)]
        plane = [sign._place(land) for land in bowls()]
        lower = sign._attained(sign.EXACT_LOWER, plane, lambda p: p.beta**2)
        return {lower.verdict, sign._attained(sign.EXACT_UPPER, across, lambda p: p.beta).verdict}

    assert told() == {"holds"}
    monkeypatch.setattr(sign, "scalar_curvature", between)
    assert "fails" in told()


def test_a_second_direction_where_one_was_said_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    bowl = sign._bowl
    monkeypatch.setattr(sign, "_bowl", lambda n, rank, generator, second=1.0: bowl(n, 2, generator, second))
    checks = sign._one_direction(5, torch.Generator().manual_seed(0))
    assert [check.verdict for check in checks] == ["fails", "holds", "holds"]


def test_one_direction_where_two_were_said_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign, "SLIGHT", 0.0)
    checks = sign._one_direction(5, torch.Generator().manual_seed(0))
    assert [check.verdict for check in checks] == ["holds", "holds", "fails"]


def test_a_loss_that_is_not_convex_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign, "digit_landscape", lambda hidden, *rest, **how: digit_landscape((2,), 100, steps=0))
    _, places = sign._regression(Run(), torch.Generator().manual_seed(0))
    assert verdicts(sign._bounds("network", places))[sign.DEFINITE] == "fails"


def test_the_sampled_sign_fails_where_r_is_negative_and_is_undecided_where_it_is_vague() -> None:
    m = measure(digit_minimum(), rtol=0.02, confidence=sign_target.LEVEL)
    R = m.scalar_curvature
    negative, vague = replace(R, value=-R.value), replace(R, stderr=R.value, tail=0.0, bend=None)
    told = [sign_target.sign_checks("", replace(m, scalar_curvature=r))[0].verdict for r in (R, negative, vague)]
    assert told == ["holds", "fails", "undecided"]


def test_on_a_target_with_negative_eigenvalues_the_sign_is_free() -> None:
    result = reproduced(CLAIMS["C3"], Run(), digit_landscape((4,), 200, steps=0), "mine")
    assert [check.outside for check in result.checks] == [True]
    assert result.verdict == "undecided"


def test_on_a_target_whose_sign_cannot_be_told_there_is_a_note() -> None:
    """diag(1, 1, -1/2) has R = 0."""
    d = torch.tensor([1.0, 1.0, -0.5], dtype=torch.float64)
    land = Landscape.from_function(lambda x: (d * x.square()).sum() / 2, torch.zeros(3, dtype=torch.float64))
    result = reproduced(CLAIMS["C3"], Run(), land, "mine")
    assert result.verdict == "undecided"
    assert "cannot be told from 0" in result.notes[0]

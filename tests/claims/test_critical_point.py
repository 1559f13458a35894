"""C2 holds, says where its forms fail, and is caught where a form, a spectrum or the minimum is broken."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from egregium import Landscape
from egregium.claims import CLAIMS, Run, critical_point, reproduced
from egregium.claims.minima import digit_minimum
from egregium.claims.networks import digit_landscape
from egregium.claims.spectra import Spectrum
from egregium.measurement import scalar_curvature
from egregium.results import ClaimResult

DOUBLE = torch.float64


@pytest.fixture(scope="module")
def result() -> ClaimResult:
    return reproduced(CLAIMS["C2"], Run())


def failing(result: ClaimResult) -> set[str]:
    return {check.what for check in result.checks if check.verdict == "fails"}


def test_it_holds_on_surfaces_and_a_network(result: ClaimResult) -> None:
    assert result.verdict == "holds"
    subjects = {check.subject for check in result.checks}
    assert subjects >= {"saddle u² − v²", "sphere of radius 2, at its pole", "the network at initialisation"}
    assert any("at a minimum" in subject for subject in subjects)
    assert {check.what for check in result.checks if check.outside} == {
        critical_point.NOT_FIRST,
        critical_point.NOT_SECOND,
        critical_point.NOT_TRACE,
    }


def test_the_saddle_has_minus_eight_where_the_nuclear_norm_says_eight(result: ClaimResult) -> None:
    (check,) = (c for c in result.checks if c.subject.startswith("saddle") and c.what == critical_point.NOT_SECOND)
    assert check.found == pytest.approx(-8)
    assert check.expected == pytest.approx(8)


def test_the_departure_on_the_chart_falls_as_the_square_of_the_gradient(result: ClaimResult) -> None:
    first, _, bound = result.charts[0].series
    assert max(first.y) / min(first.y) > 1e6
    most = dict(zip(bound.x, bound.y, strict=True))
    assert all(y <= most[x] + 1e-9 for x, y in zip(first.x, first.y, strict=True))


def test_forms_without_the_frobenius_norm_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spectrum, "squared_frobenius", property(lambda self: 0.0))
    forms = {critical_point.FIRST, critical_point.SECOND, critical_point.SAMPLED, critical_point.BOUNDED}
    assert failing(reproduced(CLAIMS["C2"], Run())) >= forms


def test_a_trace_in_place_of_the_nuclear_norm_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """At saddles alone: at minima the two are the same."""
    monkeypatch.setattr(Spectrum, "nuclear", property(lambda self: self.trace))
    assert failing(reproduced(CLAIMS["C2"], Run())) == {critical_point.NOT_SECOND, critical_point.NOT_TRACE}


def test_r_without_the_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """If (tr H)^2 - |H|_F^2 were R everywhere, it would be where the gradient is large."""
    flat = critical_point.tensors

    def at_rest(f: Any, theta: Any) -> Any:
        H = torch.autograd.functional.hessian(f, theta)
        return replace(flat(f, theta), scalar_curvature=float(H.trace() ** 2 - H.square().sum()))

    monkeypatch.setattr(critical_point, "tensors", at_rest)
    assert failing(reproduced(CLAIMS["C2"], Run())) == {critical_point.NOT_FIRST}


@pytest.mark.parametrize("share", [0.0, 0.5, -1.0])
def test_gradient_terms_that_are_off_are_caught(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them, half of them, and the wrong sign; the inequalities alone would not tell."""
    exact = critical_point.scalar_curvature

    def off(land: Landscape, **how: Any) -> Any:
        R, s = exact(land, **how), critical_point.spectrum(land)
        at_rest = s.at_rest / (1 + float(land.gradient().norm()) ** 2)
        return replace(R, value=at_rest + share * (R.value - at_rest))

    monkeypatch.setattr(critical_point, "scalar_curvature", off)
    assert critical_point._place("network", digit_landscape((4,), 200, steps=6)).closed_form_check.verdict == "fails"


def test_a_network_that_is_not_at_its_minimum_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    on_its_way = digit_landscape((4,), 200, steps=12, decay=1e-3)
    monkeypatch.setattr(critical_point, "digit_minimum", lambda *_: on_its_way)
    assert failing(reproduced(CLAIMS["C2"], Run())) >= {"λ_min ≥ 0"}


def test_an_interval_too_wide_to_tell_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    def vague(land: Landscape, **how: Any) -> Any:
        e = scalar_curvature(land, **how)
        return e if how["method"] == "exact" else replace(e, stderr=e.value, tail=0.0, bend=None)

    monkeypatch.setattr(critical_point, "scalar_curvature", vague)
    result = reproduced(CLAIMS["C2"], Run())
    assert result.verdict == "undecided"
    assert {check.what for check in result.checks if check.verdict == "undecided"} == {critical_point.SAMPLED}


def test_on_a_minimum_of_the_users_own_both_forms_are_held_against_r() -> None:
    result = reproduced(CLAIMS["C2"], Run(), digit_minimum(), "mine")
    assert result.verdict == "holds"
    assert [check.outside for check in result.checks] == [False, False]


def test_on_an_untrained_network_both_forms_fail() -> None:
    result = reproduced(CLAIMS["C2"], Run(), digit_landscape((16,), 400, steps=0), "mine")
    assert result.verdict == "undecided"
    assert [check.outside for check in result.checks] == [True, True]


def test_where_the_nuclear_norm_is_vague_there_is_a_note() -> None:
    result = reproduced(CLAIMS["C2"], Run(), digit_landscape((4,), 200, steps=0), "mine")
    assert result.verdict == "undecided"
    assert [check.what for check in result.checks] == [critical_point.NOT_FIRST]
    assert "cannot be told apart" in result.notes[0]


def test_on_a_saddle_the_second_form_fails() -> None:
    land = Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=DOUBLE))
    result = reproduced(CLAIMS["C2"], Run(), land, "mine")
    assert [check.outside for check in result.checks] == [False, True]
    assert result.verdict == "holds"

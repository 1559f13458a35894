"""C4 holds, and is caught where R is a function of the trace or the trace is another norm."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from egregium import Landscape
from egregium.claims import CLAIMS, Run, flatness, levels, reproduced
from egregium.claims.minima import digit_minimum
from egregium.claims.spectra import Spectrum
from egregium.measurement import scalar_curvature
from egregium.results import ClaimResult


@pytest.fixture(scope="module")
def result() -> ClaimResult:
    return reproduced(CLAIMS["C4"], Run())


def failing(result: ClaimResult) -> set[str]:
    return {check.what for check in result.checks if check.verdict == "fails"}


def test_it_holds_on_saddles_a_family_and_a_network(result: ClaimResult) -> None:
    assert result.verdict == "holds"
    subjects = {check.subject for check in result.checks}
    assert subjects >= {"saddle u² − v²", "quadratic of trace 4, n = 8, unevenness 1.5", "tanh network on digits"}
    assert any("a point with tr H = 0" in subject for subject in subjects)
    assert "R orders" in result.notes[0]


def test_the_network_has_a_pair_that_trace_and_r_order_differently(result: ClaimResult) -> None:
    """At this seed; the margins are far beyond rounding."""
    assert "The clearest pair: after" in result.notes[1]


def test_the_measures_stand_side_by_side(result: ClaimResult) -> None:
    family, training, _ = result.charts
    assert {series.name for series in family.series} >= {"tr H", "|H|₂", "|H|_F", "|H|_*"}
    assert {series.name for series in training.series} >= {"tr H", "|H|₂", "|H|_F", "|H|_*"}


def test_an_r_that_is_the_square_of_the_trace_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def squared_trace(land: Landscape, **how: Any) -> Any:
        return replace(scalar_curvature(land, **how), value=levels.spectrum(land).trace ** 2)

    monkeypatch.setattr(levels, "scalar_curvature", squared_trace)
    result = reproduced(CLAIMS["C4"], Run())
    assert failing(result) == {
        "R = −|H|²_F at a critical point with tr H = 0",
        "R = (1 − s²)(1 − 1/n) (tr H)², s the unevenness",
        "R tells apart what the trace does not",
        "R / (tr H)² at initialisation is not that of the trained network",
        "R = −β |H|²_F + 2β² |H g|² where tr H = 0",
        "R is not 0",
    }
    assert not any(check.what == "and more R" for check in result.checks)
    assert "R orders 0 other than tr H" in result.notes[0]


def test_a_nuclear_norm_in_place_of_the_trace_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spectrum, "trace", property(lambda self: self.nuclear))
    assert failing(reproduced(CLAIMS["C4"], Run())) >= {"tr H = 0: flat by its trace", "tr H = 4"}


def test_a_network_whose_trace_keeps_its_sign_is_told() -> None:
    d = torch.tensor([1.0, 2.0], dtype=torch.float64)
    bowl = Landscape.from_function(lambda x: (d * x.square()).sum() / 2, torch.zeros(2, dtype=torch.float64))
    checks, notes = flatness._network_without_trace(bowl)
    assert not checks
    assert "no change of sign" in notes[0]


def test_on_a_minimum_of_the_users_own_r_is_below_what_the_trace_allows() -> None:
    result = reproduced(CLAIMS["C4"], Run(), digit_minimum(), "mine")
    assert result.verdict == "holds"
    assert "R is not what the trace alone would let one think" in {check.what for check in result.checks}


def test_on_an_even_bowl_trace_and_r_go_together() -> None:
    land = Landscape.from_function(lambda x: x @ x, torch.zeros(3, dtype=torch.float64))
    result = reproduced(CLAIMS["C4"], Run(), land, "mine")
    assert (result.verdict, result.checks) == ("undecided", ())
    assert "go together" in result.notes[0]
    assert "go together" in result.why_nothing

"""C1 holds, and is caught where the closed form is broken."""

from dataclasses import replace
from typing import Any

import pytest

from egregium.claims import CLAIMS, Run, reproduced, tensor_definition
from egregium.measurement import scalar_curvature


def test_it_holds_on_surfaces_and_a_network() -> None:
    result = reproduced(CLAIMS["C1"], Run())
    assert result.verdict == "holds"
    assert {check.subject for check in result.checks} >= {"saddle u² − v²", "tanh network on digits, 30 steps"}
    assert result.charts


def test_a_closed_form_without_its_gradient_terms_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """(tr H)^2 - |H|_F^2 is R at critical points alone."""

    def at_rest(land: Any, **how: Any) -> Any:
        flat = scalar_curvature(land, **how)
        g = float(land.gradient().norm())
        return replace(flat, value=flat.value * (1 + g**2))

    monkeypatch.setattr(tensor_definition, "scalar_curvature", at_rest)
    result = reproduced(CLAIMS["C1"], Run())
    assert result.verdict == "fails"
    assert {check.verdict for check in result.checks if "saddle" in check.subject} == {"holds"}  # its gradient is 0

"""C8 holds, and is caught where a formula, the fall, the level or the limit is broken."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from egregium.claims import CLAIMS, Run, kernel_limit, reproduced, width
from egregium.claims.curves import Curve
from egregium.claims.features import Moments
from egregium.claims.networks import train
from egregium.errors import ArgumentError
from egregium.landscape import Landscape
from egregium.results import Check, ClaimResult

DOUBLE = torch.float64


@pytest.fixture(scope="module")
def result() -> ClaimResult:
    return reproduced(CLAIMS["C8"], Run())


def test_it_holds_at_fixed_and_growing_data_untrained_and_trained(result: ClaimResult) -> None:
    assert result.verdict == "holds"
    assert {check.subject for check in result.checks} >= {
        "random ReLU features of 64 digits",
        "random Fourier features, as many samples as features, dimension growing too",
        "tanh networks at initialisation, 64 digits",
        "tanh networks at initialisation, a digit for 16 units",
        "trained tanh networks, 64 digits",
    }
    assert len(result.charts) == 2
    assert all(series.half_widths for chart in result.charts for series in chart.series if series.mark == "points")


def test_the_limit_itself_is_shown_to_fail_at_fixed_data(result: ClaimResult) -> None:
    outside = [check for check in result.checks if check.outside and "R → (tr H)²" in check.what]
    assert len(outside) == 5
    assert {check.relation for check in outside} == {"differs from"}


def _curve(law: Any, noise: float = 0.001) -> Curve:
    draw, widths = torch.Generator().manual_seed(0), (8, 32, 128, 2048)
    values = tuple(law(w) * (1 + noise * torch.randn(16, generator=draw, dtype=DOUBLE)) for w in widths)
    return Curve("", widths, values)


def test_a_fall_that_ends_holds_and_one_that_goes_on_does_not() -> None:
    assert _curve(lambda w: 0.06 + 0.4 / w).level(128).verdict == "holds"
    assert _curve(lambda w: w**-0.5).level(128).verdict == "fails"
    assert _curve(lambda w: 0.06 + 0.4 / w, noise=0.5).level(128).verdict == "undecided"


def test_no_fall_is_caught_and_noise_is_no_fall() -> None:
    assert _curve(lambda w: 0.06 + 0.4 / w).fall(128, 0.5).verdict == "holds"
    assert _curve(lambda w: 0.06).fall(128, 0.5).verdict == "fails"
    assert _curve(lambda w: 0.06, noise=1.0).fall(128, 0.5).verdict == "undecided"


def test_a_rank_that_grows_without_end_reaches_the_limit() -> None:
    assert _curve(lambda w: 0.06 + 0.4 / w).short_of_limit().verdict == "holds"
    values = torch.linspace(-1e-3, 1e-3, 16, dtype=DOUBLE)
    assert Curve("", (8, 128), (values, values)).short_of_limit().verdict != "holds"


def test_networks_whose_rank_grows_with_their_parameters_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(width, "_inverse_rank_of_ggn", lambda land: land.n**-0.5)
    curves = width._initialised(Run(), torch.Generator().manual_seed(0))
    assert [curve.fall(width.WIDE, 0.5).verdict for curve in curves] == ["holds", "holds"]
    assert [curve.level(width.WIDE).verdict for curve in curves] == ["fails", "fails"]


def _kernel(number: int) -> list[Check]:
    draw = torch.Generator().manual_seed(0)
    regime = kernel_limit.regimes(Run(), width._digits(width.SAMPLES)[0])[number]
    narrower = replace(regime, widths=(8, 32, 128))
    return kernel_limit.against_kernel(narrower, 256, draw)[0]


def test_a_closed_form_without_its_correction_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Moments.inverse_rank
    monkeypatch.setattr(Moments, "inverse_rank", lambda self, w=math.inf: whole(self))
    for number in range(3):
        assert _kernel(number)[0].verdict == "fails"


def test_another_kernel_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def linear(x: Tensor) -> Moments:
        K = x @ x.T / 2
        return Moments(float(K.square().mean()), float(K.diagonal().mean()), float(K.square().mean()))

    monkeypatch.setattr(kernel_limit, "relu_moments", linear)
    assert {check.verdict for check in _kernel(0)[1:3]} == {"fails"}


def test_curvature_of_another_model_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def unscaled(phi: Tensor, draw: torch.Generator) -> Landscape:
        model = nn.Linear(phi.shape[1], 1, bias=False, dtype=DOUBLE)
        return Landscape(model, nn.MSELoss(), (phi, model(phi).detach()))

    monkeypatch.setattr(kernel_limit, "least_squares", unscaled)
    assert next(check for check in _kernel(0) if check.what.startswith("R = ")).verdict == "fails"


def test_data_whose_dimension_does_not_grow_do_not_reach_the_limit() -> None:
    draw = torch.Generator().manual_seed(0)
    _, fixed, growing = kernel_limit.regimes(Run(), width._digits(4)[0])
    mistaken = replace(growing, features=fixed.features, widths=(8, 128))
    checks = kernel_limit.against_kernel(mistaken, 256, draw)[0]
    assert next(check for check in checks if "→ 1" in check.what).verdict == "fails"


def test_a_hessian_without_negative_eigenvalues_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = width.dense_matrix
    monkeypatch.setattr(width, "dense_matrix", lambda op: dense(op) @ dense(op))
    assert [c.verdict for c in width._indefinite(torch.Generator().manual_seed(0))] == ["fails"]


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    model = width._network(16, torch.Generator().manual_seed(0))
    train(model, *width._digits(width.SAMPLES), 60, width.DECAY)
    return model


def test_a_penalty_that_is_left_out_is_caught(trained: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [c.verdict for c in width._at_minimum(trained, 16)] == ["holds", "holds"]
    landscape = width._landscape
    monkeypatch.setattr(width, "_landscape", lambda model, data, decay=0.0: landscape(model, data))
    assert [c.verdict for c in width._at_minimum(trained, 16)] == ["holds", "fails"]


def test_a_curvature_that_is_the_squared_trace_is_caught(trained: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    _, trace, square = width.NUMBERS

    def squared_trace(land: Landscape, **how: Any) -> Any:
        t = trace(land, **how)
        return replace(t, value=t.value**2)

    monkeypatch.setattr(width, "NUMBERS", (squared_trace, trace, square))
    assert width._at_minimum(trained, 16)[0].verdict == "fails"


def test_one_landscape_has_one_width(trained: nn.Module) -> None:
    with pytest.raises(ArgumentError, match="different widths"):
        reproduced(CLAIMS["C8"], Run(), width._landscape(trained, width._digits(8)))

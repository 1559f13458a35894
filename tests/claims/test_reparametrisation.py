"""C10 holds, and each kind of its comparisons is caught where it is broken."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from egregium.claims import CLAIMS, Run, reparametrisation, reparametrisation_surfaces, reproduced, rescaled_network
from egregium.claims.coordinates import Curvature, Point, curvature
from egregium.claims.digit_classifiers import digit_classifier
from egregium.claims.relu_unit import FAR, MINIMUM, Unit
from egregium.claims.rescaled_network import (
    Rescaled,
    curvature_checks,
    function_checks,
    measure_checks,
    neuron_checks,
    normalised_checks,
    normalised_curvatures,
    rescaled,
)
from egregium.claims.rescaling import Pair, pairs_of, rescaling
from egregium.landscape import Landscape
from egregium.results import Check, ClaimResult

FACTORS = (1.0, 1 / 3, 5.0)


@pytest.fixture(scope="module")
def result() -> ClaimResult:
    return reproduced(CLAIMS["C10"], Run())


def _failing(checks: Sequence[Check]) -> set[str]:
    return {check.what for check in checks if check.verdict == "fails"}


def _land(activation: str = "relu") -> Landscape:
    return digit_classifier(activation, (3,), pool=4, classes=2)


def _pair() -> Pair:
    (pair,) = pairs_of(_land())
    return pair


def _path(factors: Sequence[float] = FACTORS) -> list[Rescaled]:
    return rescaled(_land(), _pair(), factors)


def test_it_holds_on_surfaces_and_networks(result: ClaimResult) -> None:
    assert result.verdict == "holds"
    assert {check.subject for check in result.checks} == {
        *("saddle u² − v²", "sphere of radius 2", "paraboloid 0.7 |x|²/2", "x₁ sin x₀ + x₀ x₂² + x₁³/3 + x₁ x₂"),
        *("ReLU unit, large residual", "ReLU unit at a minimum"),
        *("tanh network of 23 parameters on digits", "ReLU network of 23 parameters on digits, α = 3"),
        "trained ReLU network of 2 layers on digits, layers 0 and 2",
        *("untrained ReLU network on digits", "trained tanh network on digits"),
    }
    assert {check.subject for check in result.checks if check.outside} == {
        *("ReLU unit at a minimum", "trained tanh network on digits"),
        "trained ReLU network of 2 layers on digits, layers 0 and 2",
    }


def test_the_sign_of_R_changes_on_a_unit_and_on_a_network(result: ClaimResult) -> None:
    signs = [check for check in result.checks if check.what.startswith(("R < 0", "R > 0"))]
    assert [check.subject for check in signs] == [FAR.name] * 2 + ["untrained ReLU network on digits"] * 2
    assert [check.found > 0 for check in signs] == [False, True] * 2


def test_the_measures_that_move_are_told_from_those_that_do_not(result: ClaimResult) -> None:
    said = {check.what.partition(" moves")[0] for check in result.checks if check.what.endswith("relative change")}
    assert said == {
        *("R", "tr H", "|H|_F", "λ_max", "|H|_*", "effective rank", "|g|", "SAM-style sharpness"),
    }
    still = [check for check in result.checks if "does not move" in check.what]
    assert len(still) == 5
    assert all(0 < check.tolerance < 1e-5 * check.resolves for check in still)


def test_its_charts_have_points_and_the_lines_they_should_lie_on(result: ClaimResult) -> None:
    measures, signs = result.charts
    assert [series.name for series in measures.series if series.mark == "points"] == [
        *("R of the graph", "tr H", "λ_max", "R in normalised coordinates (by filter)", "R in the metric pulled back"),
    ]
    assert all(abs(y - 1) < 1e-9 for series in measures.series[-2:] for y in series.y)
    assert all(min(series.y) < 0 < max(series.y) for series in signs.series)


def test_the_small_network_holds_before_anything_is_broken() -> None:
    path = _path()
    checks = [*function_checks("", path), *curvature_checks("", path, path[1:]), *measure_checks("", path)]
    checks += normalised_checks("", path, normalised_curvatures(path))
    checks += neuron_checks("", path[0].land, _pair(), torch.Generator().manual_seed(0))
    assert {check.verdict for check in checks} == {"holds"}


def test_the_wrong_way_of_transforming_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    path = _path()
    monkeypatch.setattr(Point, "transformed", lambda p, A: Point(p.gradient * A, p.hessian * torch.outer(A, A)))
    failing = _failing([*function_checks("", path), *curvature_checks("", path, path[1:])])
    assert {what.partition(" at ")[0] for what in failing} == {
        "|g′ − A⁻¹ g| / |A⁻¹ g|",
        "|H′ − A⁻¹ H A⁻¹|_F / |A⁻¹ H A⁻¹|_F",
        "R of the graph",
    }


def test_a_bias_left_behind_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dinh et al. scale it with its layer."""

    def without_bias(land: Landscape, pair: Pair, a: float) -> Tensor:
        return rescaling(land, Pair(pair.weight, None, pair.following), a)

    monkeypatch.setattr(rescaled_network, "rescaling", without_bias)
    assert {"relative change of f", "relative change of the outputs"} <= _failing(function_checks("", _path()))


def _metric_not_pulled_back(point: Point, A: Tensor | None = None) -> Curvature:
    return curvature(point)


def _length_of_g_not_pulled_back(point: Point, A: Tensor | None = None) -> Curvature:
    """W^2 = 1 + |g|^2 in the place of 1 + g^T A^2 g."""
    found = curvature(point, A)
    g = point.gradient
    W2, wrong = 1 + (g if A is None else A * g).square().sum(), 1 + g.square().sum()
    return Curvature(found.value * float(W2 / wrong), found.size)


@pytest.mark.parametrize("broken", [_metric_not_pulled_back, _length_of_g_not_pulled_back])
def test_another_metric_is_caught(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = reparametrisation_surfaces.unit_path(FACTORS)
    monkeypatch.setattr(rescaled_network, "curvature", broken)
    assert [what[:20] for what in _failing(curvature_checks("", path, []))] == ["R in the metric A⁻² "]
    network = _path()
    assert "R in the metric A⁻² " in {what[:20] for what in _failing(curvature_checks("", network, []))}


def test_tensors_of_the_wrong_metric_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = reparametrisation_surfaces.tensors
    monkeypatch.setattr(
        reparametrisation_surfaces, "tensors", lambda f, x, flat: right(f, x, torch.linalg.inv(flat)), raising=True
    )
    checks = [
        *reparametrisation_surfaces.unit_checks(FACTORS),
        *reparametrisation_surfaces.surface_checks(torch.Generator().manual_seed(0)),
    ]
    failing = [check for check in checks if check.verdict == "fails"]
    assert {check.what.partition(", at")[0] for check in failing} == {reparametrisation_surfaces.PULLED_BACK}
    assert len({check.subject for check in failing}) == 5


def test_a_closed_form_without_its_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """2 e_2(H) in the place of 2 (e_2(H) + g^T adj(H) g) / W^4."""

    def at_rest(unit: Unit, a: float) -> float:
        H = torch.func.hessian(unit.f)(torch.tensor([unit.w[0] * a, unit.w[1] * a, unit.v / a], dtype=torch.float64))
        return float(H.trace() ** 2 - H.square().sum())

    monkeypatch.setattr(Unit, "scalar_curvature", at_rest)
    failing = _failing(reparametrisation_surfaces.unit_checks(FACTORS))
    assert {f"R of the graph at α = {a:.3g} = R in closed form" for a in FACTORS} <= failing


def test_a_unit_that_keeps_its_sign_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reparametrisation_surfaces, "FAR", MINIMUM)
    failing = _failing(reparametrisation_surfaces.unit_checks(FACTORS))
    assert "R < 0 at α = 5" in failing
    assert any(what.startswith("eigenvalues of H below 0") for what in failing)


def test_so_is_a_minimum_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reparametrisation_surfaces, "MINIMUM", FAR)
    failing = _failing(reparametrisation_surfaces.unit_checks(FACTORS))
    assert failing == {"where H ≥ 0 the sign of R cannot change: the least R of all α"}


def test_a_network_that_keeps_its_sign_is_caught() -> None:
    checks, _ = reparametrisation._untrained(digit_classifier("relu", (4,), untrained=1.0), (1.0, 1 / 2, 2.0))
    assert {what[:5] for what in _failing(checks)} == {"R < 0"}


def test_measures_of_a_network_that_stays_do_not_move() -> None:
    failing = _failing(measure_checks("", _path((1.0, 1.0))))
    assert len(failing) == 8
    assert all(what.endswith("moves: its largest relative change") for what in failing)


def test_a_ball_that_does_not_rescale_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rise = rescaled_network.worst_rise
    monkeypatch.setattr(rescaled_network, "worst_rise", lambda land, radius, size=None: rise(land, radius))
    assert [what[:18] for what in _failing(measure_checks("", _path()))] == ["ASAM-style sharpne"]


def test_coordinates_that_are_not_normalised_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = rescaled_network.graph_curvature
    monkeypatch.setattr(rescaled_network, "graph_curvature", lambda land, by=None: plain(land))
    path = _path()
    assert len(_failing(normalised_checks("", path, normalised_curvatures(path)))) == 3


def test_neurons_with_one_factor_are_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescaled_network, "rescaling", lambda land, pair, a: rescaling(land, pair, float(a.mean())))
    failing = _failing(neuron_checks("", _land(), _pair(), torch.Generator().manual_seed(0)))
    assert failing == {f"neurons by factors of their own: normalised R (by {by}) moves" for by in ("filter", "tensor")}


def test_a_homogeneous_network_is_no_counterexample() -> None:
    """In the place of the tanh network."""
    checks = reparametrisation.smooth_checks(_land("relu"), FACTORS)
    assert _failing(checks) == {"rescaled layers: least relative change of f and outputs"}
    assert {check.verdict for check in reparametrisation.smooth_checks(_land("tanh"), FACTORS)} == {"holds"}


def test_nor_is_a_loss_without_a_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reparametrisation, "DECAY", 0.0)
    check = reparametrisation.decay_check("", _land(), rescaling(_land(), _pair(), 3.0))
    assert check.verdict == "fails"


def test_the_global_generator_does_not_move() -> None:
    before = torch.get_rng_state()
    digit_classifier("relu", (2,), pool=4, classes=2, seed=11)
    assert torch.equal(torch.get_rng_state(), before)

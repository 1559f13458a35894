"""C5 holds, and is caught where R, its factor, the exponential map or the volumes are broken."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from egregium.claims import CLAIMS, Run, ball_limits, balls, reproduced, target_balls
from egregium.claims.ball_coefficient import Fit, fitted
from egregium.claims.networks import pooled_digit_landscape
from egregium.claims.surfaces import DOUBLE, paraboloid, saddle
from egregium.errors import ArgumentError
from egregium.geometry import ball_volumes
from egregium.landscape import Landscape
from egregium.measurement import scalar_curvature
from egregium.results import ClaimResult


@pytest.fixture(scope="module")
def result() -> ClaimResult:
    before = torch.get_rng_state()
    found = reproduced(CLAIMS["C5"], Run())
    assert torch.equal(before, torch.get_rng_state())
    return found


def test_it_holds_on_surfaces_and_a_network(result: ClaimResult) -> None:
    assert result.verdict == "holds"
    subjects = {check.subject for check in result.checks if not check.outside}
    assert subjects >= {"saddle u² − v²", "sphere of radius 2", "tanh network on digits, n = 16"}
    assert {check.relation for check in result.checks if check.outside} == {"differs from"}
    assert sum(check.outside for check in result.checks) == 5
    assert len(result.charts) == 2


def test_the_law_of_areas_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balls, "leading_coefficient", balls.area_coefficient)
    assert balls._on_surface(saddle(), Run()).verdict == "fails"


def test_volumes_that_are_off_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def squared(*args: Any, **how: Any) -> Any:
        found = ball_volumes(*args, **how)
        return replace(found, samples=found.samples**2)

    monkeypatch.setattr(balls, "ball_volumes", squared)
    assert balls._on_surface(saddle(), Run()).verdict == "fails"


def test_a_network_has_its_own_curvature_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With R off by a quarter, which is half of what tells n + 2 from n here."""
    land = pooled_digit_landscape(8, 1, classes=2, steps=100, decay=0.01)
    assert land.n == 6
    check, found = balls._on_network(land, 3 * land.n, Run())
    assert check.verdict == "holds"
    monkeypatch.setattr(balls, "ball_volumes", lambda *args, **how: found)
    monkeypatch.setattr(balls, "scalar_curvature", lambda land, **how: scalar_curvature(land, **how).affine(1.25))
    assert balls._on_network(land, 3 * land.n, Run())[0].verdict == "fails"


def test_straight_lines_are_no_geodesics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ball_limits, "exponential", lambda A, start, V: start + V)
    assert balls._by_the_equation(Run()).verdict == "fails"


def test_the_sphere_is_compared_with_its_exact_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the leading term in the exact one's place, and the other way round."""
    radii = [0.2 * k for k in range(1, 11)]
    volumes = ball_volumes(balls.sphere().land, radii, pairs=9, steps=12)
    monkeypatch.setattr(balls, "ball_volumes", lambda *args, **how: volumes)
    right = balls.sphere_ratio
    monkeypatch.setattr(balls, "sphere_ratio", lambda r, rho: 1 + balls.leading_coefficient(6 / rho**2, 3) * r**2)
    exact, leading = balls._far_out(Run())[0]
    assert (exact.verdict, leading.verdict) == ("fails", "holds")
    monkeypatch.setattr(balls, "sphere_ratio", right)
    monkeypatch.setattr(balls, "leading_coefficient", lambda R, n: (right(2, 2) - 1) / 4)
    exact, leading = balls._far_out(Run())[0]
    assert (exact.verdict, leading.verdict) == ("holds", "fails")


def test_without_its_creases_the_surface_obeys(monkeypatch: pytest.MonkeyPatch) -> None:
    smooth = replace(ball_limits.creased(), f=lambda x: x.square().sum())
    monkeypatch.setattr(balls, "creased", lambda: smooth)
    assert balls._creased(Run())[0].verdict == "fails"


def test_without_its_kink_the_pyramid_obeys(monkeypatch: pytest.MonkeyPatch) -> None:
    def plane(X: Tensor) -> Tensor:
        return X.sum(-1) * 0

    monkeypatch.setattr(balls, "pyramid", plane)
    assert balls._not_intrinsic(Run())[0].verdict == "fails"


def test_a_vague_coefficient_says_nothing() -> None:
    assert balls._compared("saddle", Fit(1 / 3, 0.2), -8.0, 2, "").verdict == "undecided"
    assert balls._compared("saddle", Fit(1 / 3, 0.1), -8.0, 2, "").verdict == "holds"


def test_on_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    land = paraboloid(3).land
    result = reproduced(CLAIMS["C5"], Run(), land, "mine")
    assert result.verdict == "holds"
    assert "gradients" in result.notes[0]
    monkeypatch.setattr(target_balls, "leading_coefficient", lambda R, n: -R / (3 * (n + 2)))
    assert reproduced(CLAIMS["C5"], Run(), land).verdict == "fails"


def test_a_flat_target_leaves_it_undecided() -> None:
    land = Landscape.from_function(lambda x: x[0] ** 2, torch.zeros(3, dtype=DOUBLE))
    assert reproduced(CLAIMS["C5"], Run(), land).verdict == "undecided"


def test_the_fit_knows_no_unit() -> None:
    """R of s f is s^2 R of f, on balls of radius r / s: the coefficient of r^2 goes with s^2, at any s."""
    radii, generator = torch.linspace(0.4, 1.0, 5, dtype=torch.float64), torch.Generator().manual_seed(0)
    noise = 1e-3 * torch.randn(20, 5, dtype=torch.float64, generator=generator)
    ratios, left_out = 1 - 0.02 * radii**2 + 0.003 * radii**4 + noise, torch.full((5,), 1e-13, dtype=torch.float64)
    known = fitted(radii, ratios, left_out)
    for s in (1e-8, 1e-3, 1e3, 1e8):
        fit = fitted(radii / s, ratios, left_out)
        assert (fit.value, fit.tolerance) == (pytest.approx(known.value * s**2), pytest.approx(known.tolerance * s**2))


def test_a_target_with_kinks_is_refused() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    land = Landscape(model, nn.CrossEntropyLoss(), (torch.randn(8, 3), torch.randint(2, (8,))))
    with pytest.raises(ArgumentError, match="kinks"):
        reproduced(CLAIMS["C5"], Run(), land)

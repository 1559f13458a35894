"""C7 holds, and is caught where its laws, its noise or its covariance are broken."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from egregium.claims import CLAIMS, Run, descent, diffusion, escape, reproduced, target_descent
from egregium.claims.diffusion import Escape, Law, diffused, doubling
from egregium.claims.networks import digit_landscape, pooled_digit_landscape
from egregium.claims.walkers import Walkers, walkers_of
from egregium.curvature import hessian
from egregium.errors import ArgumentError
from egregium.landscape import Landscape
from egregium.operators import dense_matrix
from egregium.results import ClaimResult


@pytest.fixture(scope="module")
def result() -> ClaimResult:
    before = torch.get_rng_state()
    found = reproduced(CLAIMS["C7"], Run())
    assert torch.equal(before, torch.get_rng_state())
    return found


def test_it_holds_on_quadratics_and_a_network(result: ClaimResult) -> None:
    assert result.verdict == "holds"
    subjects = " ".join(check.subject for check in result.checks)
    assert "tanh network on digits, n = 226" in subjects
    assert "SGD on the tanh network" in subjects
    assert sum(check.outside for check in result.checks) == 8
    assert len(result.charts) == 4
    assert "tr(H C)" in result.notes[0]


def quadratic_escape() -> Escape:
    """A few walkers on the first quadratic."""
    minimum = escape._quadratic(*next(iter(escape.SPECTRA.items())))
    return escape._followed(minimum, escape.SIGMA, doubling(0.05 / 4.5, 6.0), 4000, Run())


def verdicts(found: Escape) -> dict[str, str]:
    return {f"{check.what} {check.subject[-6:]}": check.verdict for check in escape._laws(found, escape.SIGMA, True)}


def failed(found: Escape) -> set[str]:
    return {check.what for check in escape._laws(found, escape.SIGMA, True) if check.verdict == "fails"}


def test_laws_that_are_off_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    found = quadratic_escape()
    assert set(verdicts(found).values()) == {"holds"}
    monkeypatch.setattr(escape, "short_time_gain", lambda sigma, t, F: sigma * t * F)
    assert escape.AT_FIRST in failed(found)
    monkeypatch.undo()
    monkeypatch.setattr(escape, "long_run_gain", lambda sigma, trace_of_H: sigma / 2 * trace_of_H)
    assert failed(found) == {escape.IN_THE_END}
    monkeypatch.undo()
    monkeypatch.setattr(Law, "exact", lambda law, t: float(-law.variances @ torch.expm1(-t * law.eigenvalues)) / 4)
    assert escape.ON_THE_WAY in failed(found)


def test_noise_that_is_off_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "diffused", lambda g, root, *rest: diffused(g, 1.2 * root, *rest))
    assert failed(quadratic_escape()) >= {escape.AT_FIRST, escape.ON_THE_WAY, escape.IN_THE_END}
    assert {check.verdict for check in escape._unrelated_noise(Run())} == {"fails"}


def test_laws_of_any_noise_that_are_off_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Law, "long_run", property(lambda law: float(law.variances.sum()) / 2))
    monkeypatch.setattr(Law, "short", lambda law, t: t * float(law.eigenvalues @ law.variances))
    assert {check.verdict for check in escape._unrelated_noise(Run())} == {"fails"}


def test_isotropic_noise_does_not_escape_as_the_frobenius_norm_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same trace: in the long run it gains the same."""

    def isotropic(g: Any, root: Tensor, *rest: Any) -> Tensor:
        n = len(root)
        return diffused(g, torch.eye(n, dtype=root.dtype) * (float((root.T @ root).trace()) / n) ** 0.5, *rest)

    monkeypatch.setattr(diffusion, "diffused", isotropic)
    found = failed(quadratic_escape())
    assert escape.AT_FIRST in found
    assert escape.IN_THE_END not in found


def test_a_short_time_is_no_long_run() -> None:
    """Where the condition holds, that it stops holding cannot be shown."""
    minimum = escape._quadratic(*next(iter(escape.SPECTRA.items())))
    found = escape._followed(minimum, escape.SIGMA, [0.01 / 4.5], 4000, Run())
    by_name = {check.what: check.verdict for check in escape._laws(found, escape.SIGMA, False)}
    assert by_name[escape.NO_LONGER] != "holds"


def test_descent_comes_first_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "diffused", lambda g, *rest: diffused(torch.zeros_like, *rest))
    assert {check.verdict for check in escape._elsewhere(Run())} == {"fails"}


@pytest.fixture(scope="module")
def small() -> tuple[Walkers, Tensor]:
    """A network of 40 parameters at its minimum, and its Hessian."""
    land = pooled_digit_landscape(4, 2, samples=100, steps=300, decay=0.01)
    return walkers_of(land, 0.01), dense_matrix(hessian(land))


def test_many_points_at_once_are_the_landscape(small: tuple[Walkers, Tensor]) -> None:
    walkers, _ = small
    points = walkers.land.theta + 0.1 * torch.randn(3, walkers.land.n, dtype=torch.float64)
    for point, loss, gradient in zip(points, walkers.losses(points), walkers.gradients(points), strict=True):
        there = walkers.land.at(point)
        assert float(loss) == pytest.approx(there.value(), abs=1e-12)
        assert torch.allclose(gradient, there.gradient(), atol=1e-12)


def test_the_covariance_is_that_of_single_samples(small: tuple[Walkers, Tensor]) -> None:
    walkers, _ = small
    land, (x, y) = walkers.land, walkers.land.data[0]
    singles = [Landscape(land.model, nn.CrossEntropyLoss(), (x[i : i + 1], y[i : i + 1])) for i in range(len(y))]
    rows = torch.stack([single.gradient() for single in singles])
    assert torch.allclose(walkers.noise_covariance(), torch.cov(rows.T, correction=0), atol=1e-12)


def test_a_covariance_that_is_off_is_caught(small: tuple[Walkers, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    walkers, H = small
    assert {check.verdict for check in descent.descent(walkers, H, Run()).checks} == {"holds"}
    monkeypatch.setattr(Walkers, "noise_covariance", lambda self: 0.1 * H)
    found = [check.verdict for check in descent.descent(walkers, H, Run()).checks]
    assert found[0] == found[1] == found[3] == found[4] == "fails"  # a multiple of H, by angle and by ratio


def test_noise_like_the_hessian_is_not_refuted(small: tuple[Walkers, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps with noise of covariance H where SGD's were: that C is not H cannot be shown of them."""
    walkers, H = small
    rate = descent.RATE / float(torch.linalg.eigvalsh(H)[-1])
    root = torch.linalg.cholesky(H + 1e-12 * torch.eye(len(H), dtype=H.dtype)).T

    def like_H(walkers: Walkers, rate: float, count: int, draw: torch.Generator) -> Tensor:
        x, found = walkers.land.theta.expand(count, -1), []
        for k in range(1, descent.LOOKS[-1] + 1):
            noise = torch.randn(x.shape, dtype=x.dtype, generator=draw) @ root / descent.BATCH**0.5
            x = x - rate * ((x - walkers.land.theta) @ H + noise)
            if k in descent.LOOKS:
                found.append(x)
        return torch.stack(found)

    monkeypatch.setattr(descent, "stepped", like_H)
    first, _, as_if_H, *_ = descent.descent(walkers, H, Run()).checks
    assert rate > 0
    assert (first.verdict, as_if_H.verdict) == ("fails", "fails")


def target(batches: int = 5, **how: Any) -> Landscape:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x, y = torch.randn(40, 3), torch.randint(2, (40,))
    data = list(zip(x.chunk(batches), y.chunk(batches), strict=True))
    return Landscape(model, nn.CrossEntropyLoss(**how), data)


def test_on_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    land = target()
    result = reproduced(CLAIMS["C7"], Run(), land, "mine")
    assert result.verdict == "holds"
    assert "gradients" in result.notes[0]
    assert result.charts

    class Doubled:
        def __init__(self, land: Landscape) -> None:
            self.op = hessian(land)

        def __matmul__(self, V: Tensor) -> Tensor:
            return 2 * (self.op @ V)

    monkeypatch.setattr(target_descent, "hessian", Doubled)
    assert reproduced(CLAIMS["C7"], Run(), land).verdict == "fails"


def test_the_norm_of_the_covariance_is_unbiased() -> None:
    """Over walkers that are many, against the covariance itself."""
    land = target().to(dtype=torch.float64).fixed()
    batches, weights = target_descent.mini_batches(land)
    rows = torch.stack([batch.gradient() for batch in batches]) - land.gradient()
    C = rows.T @ (rows * weights.unsqueeze(1))
    chosen = torch.multinomial(weights, 1600, replacement=True).reshape(400, target_descent.STEPS)
    noise = target_descent.noise_of(land, batches, chosen)
    assert noise.squared_norm == pytest.approx(float(C.square().sum()), rel=0.2)
    assert noise.trace_HC == pytest.approx(float((C * dense_matrix(hessian(land))).sum()), rel=0.3)


@pytest.mark.parametrize(
    ("land", "words"),
    [
        (lambda: target(1), "one batch"),
        (lambda: target(reduction="sum"), "a sum"),
        (lambda: Landscape.from_function(lambda x: x @ x, torch.ones(3)), "one batch"),
        (lambda: digit_landscape((4,), 100, activation="relu", steps=0), "its loss has kinks"),
    ],
)
def test_targets_that_it_cannot_use_are_refused(land: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        reproduced(CLAIMS["C7"], Run(), land())

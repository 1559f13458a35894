"""C9 holds, and is caught where weights, gradient terms, pairs or the theory of random batches are broken."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from egregium.claims import CLAIMS, Run, batch_size, batches, pairs, reproduced
from egregium.claims.batch_size import Samples
from egregium.claims.pairs import Parts
from egregium.landscape import Landscape
from egregium.results import Check, ClaimResult

DOUBLE = torch.float64


@pytest.fixture(scope="module")
def result() -> ClaimResult:
    return reproduced(CLAIMS["C9"], Run())


def test_it_holds_on_quadratics_and_a_network(result: ClaimResult) -> None:
    assert result.verdict == "holds"
    assert {check.subject for check in result.checks} >= {
        "u² on one batch, v² on the other",
        "three quadratics with different centres, their mean's critical point",
        "tanh network on 64 digits, 0 steps",
        "tanh network on 64 digits, 60 steps",
    }
    assert len(result.charts) == 4


def test_what_is_not_r_is_shown(result: ClaimResult) -> None:
    outside = {check.what for check in result.checks if check.outside}
    assert outside == {
        "batches of different sizes weighted equally: R",
        "mean of the batches' own R: R",
        "T(H_b, H_b) of a batch: its own R",
        "mean of all single samples' own R: R",
    }


def _of_quadratics() -> list[Check]:
    return batches._different_centres(torch.Generator().manual_seed(0))


def _verdicts(checks: list[Check], what: str) -> set[str]:
    found = {check.verdict for check in checks if what in check.what}
    assert found
    return found


def test_equal_weights_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    by_pairs = Parts.curvature_by_pairs

    def equally(self: Parts, weights: Tensor) -> float:
        return by_pairs(self, torch.full_like(weights, 1 / len(weights)))

    monkeypatch.setattr(Parts, "curvature_by_pairs", equally)
    checks = _of_quadratics()
    assert _verdicts(checks, "weighted by their sizes") == {"fails"}
    assert _verdicts(checks, "R by tensors") == {"fails"}
    assert _verdicts(checks, "R of a batch") == {"holds"}


def test_a_sum_without_the_gradient_is_caught_away_from_critical_points(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_rest(weights: Tensor, of_pairs: Tensor, traces: Tensor, g: Tensor, images: Tensor) -> float:
        return float(weights @ of_pairs @ weights)

    monkeypatch.setattr(pairs, "sum_over_pairs", at_rest)
    checks = _of_quadratics()
    away = [check for check in checks if "away" in check.subject]
    assert _verdicts(away, "weighted by their sizes") == _verdicts(away, "R by tensors") == {"fails"}
    assert _verdicts([c for c in checks if c not in away], "R by tensors") == {"holds"}  # where g of the mean is 0


def test_single_batches_without_pairs_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def alone(self: Parts, weights: Tensor) -> float:
        return float(weights @ self.curvatures(torch.eye(len(weights), dtype=DOUBLE)))

    monkeypatch.setattr(Parts, "curvature_by_pairs", alone)
    assert _verdicts(_of_quadratics(), "R by tensors") == {"fails"}
    assert _verdicts(batches._flat_batches(), "sum over pairs") == {"fails"}


def test_batches_at_rest_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """T(H_b, H_b) given out as the scalar curvature of the batch; and one number for all batches."""
    measured = batches.batch_curvatures

    def at_rest(land: Landscape, **how: Any) -> Any:
        return replace(measured(land, **how), values=pairs.parts_of(land).pairs.diagonal())

    monkeypatch.setattr(batches, "batch_curvatures", at_rest)
    checks = _of_quadratics()
    assert _verdicts(checks, "R of a batch") == _verdicts(checks, "its own R") == {"fails"}

    def one_for_all(land: Landscape, **how: Any) -> Any:
        found = measured(land, **how)
        return replace(found, values=torch.full_like(found.values, found.whole.value))

    monkeypatch.setattr(batches, "batch_curvatures", one_for_all)
    assert _verdicts(_of_quadratics(), "mean of the batches' own R") == {"fails"}


@pytest.fixture(scope="module")
def samples() -> tuple[Samples, Parts]:
    found = batch_size.samples_of_network(60, Run(), torch.Generator().manual_seed(0))
    return found, found.parts()


def _by_size(samples: tuple[Samples, Parts], monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    monkeypatch.setattr(Samples, "parts", lambda self: samples[1])
    return batch_size.by_size(samples[0], Run(), torch.Generator().manual_seed(1))[0]


def test_a_theory_without_batch_size_is_caught(samples: tuple[Samples, Parts], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_size, "expected_pair", lambda of_pairs, m: float(of_pairs.mean()))
    checks = _by_size(samples, monkeypatch)
    assert {_verdicts(checks, f"over batches of {m}").pop() for m in (2, 4, 16)} == {"fails"}


def test_drawing_with_repetition_is_caught_at_half_of_the_data(
    samples: tuple[Samples, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    def repeated(of_pairs: Tensor, m: int) -> float:
        whole = float(of_pairs.mean())
        return whole + (float(of_pairs.diagonal().mean()) - whole) / m

    assert {c.verdict for c in _by_size(samples, monkeypatch)} == {"holds"}
    monkeypatch.setattr(batch_size, "expected_pair", repeated)
    assert _verdicts(_by_size(samples, monkeypatch), "over batches of 32") == {"fails"}


def test_other_samples_than_the_batch_has_are_caught(
    samples: tuple[Samples, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    land = Samples.land
    monkeypatch.setattr(Samples, "land", lambda self, batches: land(self, [b[1:] for b in batches]))
    assert _verdicts(_by_size(samples, monkeypatch), "mean over pairs of its samples") == {"fails"}

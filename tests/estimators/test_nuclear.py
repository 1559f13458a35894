"""The nuclear norm: closed forms, the dense route, and intervals that cover."""

from typing import Any

import pytest
import torch
from known_spectra import matrix, spectrum

import egregium as eg
from egregium.errors import ArgumentError
from egregium.estimators import Room
from egregium.estimators.eigen import start_vector
from egregium.estimators.nuclear import nuclear_norm
from egregium.estimators.quadrature import FIRST, rule_at_zero, runs
from egregium.operators import Dense
from egregium.results import Estimate

SEEDS = 200


@pytest.mark.parametrize("n", [1, 2, 40, 64])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_exact_where_small(n: int, dtype: torch.dtype) -> None:
    """Against the singular values of the matrix, which share no code with its eigenvalues."""
    A = matrix("network", n).to(dtype)
    e = nuclear_norm(Dense(A))
    assert abs(e.value - float(torch.linalg.svdvals(A.double()).sum())) <= e.rounding
    assert (e.stderr, e.bias, e.cost.products) == (0, 0, n)
    assert str(e).endswith("(exact)")


@pytest.mark.parametrize("kind", ["network", "decay", "traceless", "both signs", "flat", "rank 3"])
def test_the_interval_covers(kind: str) -> None:
    """Of 200 seeds at 90 %: with p = 0.9 fewer than 166 have a chance below 0.001 (binomial)."""
    truth, op = float(spectrum(kind).abs().sum()), Dense(matrix(kind))
    found = [nuclear_norm(op, probes=8, steps=12, confidence=0.9, seed=seed) for seed in range(SEEDS)]
    assert sum(low <= truth <= high for low, high in (e.interval() for e in found)) >= 166


@pytest.mark.parametrize("kind", ["network", "decay", "both signs"])
def test_the_error_of_the_rules_is_in_the_bias(kind: str) -> None:
    """With 60 probes hardly any sampling error is left: the mean over 10 seeds is within bias and 4 of its errors."""
    truth, op = float(spectrum(kind).abs().sum()), Dense(matrix(kind))
    for steps in (4, 8, 16):
        found = [nuclear_norm(op, probes=60, steps=steps, seed=seed) for seed in range(10)]
        off = sum(e.value for e in found) / 10 - truth
        error = (sum(e.stderr**2 for e in found) / 100) ** 0.5
        assert abs(off) <= max(e.bias for e in found) + 4 * error


def test_a_definite_matrix_is_its_trace() -> None:
    """|A|_* = tr A, where each rule is exact: no bias, and the samples are n v^T A v."""
    A = matrix("flat") + matrix("decay")
    e = nuclear_norm(Dense(A), probes=6, steps=8)
    assert e.bias < 1e-10 * e.value
    assert abs(e.value - float(A.trace())) <= 5 * e.stderr
    assert e.value == pytest.approx(float(e.samples.mean()))
    assert e.cost.products == 6 * 8
    assert e.degrees == 5


def test_less_room_takes_fewer_steps() -> None:
    e = nuclear_norm(Dense(matrix("network")), probes=3, room=Room(1, 5))
    assert e.cost.products == 15
    assert "3 probes of 5 steps" in e.method


def test_it_is_public_and_counts_its_cost(tmp_path: object) -> None:
    A = matrix("network").float()
    e = eg.nuclear_norm(A, probes=4, steps=10, seed=3, confidence=0.8)
    again = eg.nuclear_norm(A, probes=4, steps=10, seed=3, confidence=0.8)
    assert (e.value, e.interval()) == (again.value, again.interval())
    assert e.cost.products == 40
    assert e.half_width() == pytest.approx(e.half_width(0.8))
    assert e.half_width() > e.bias + e.rounding > e.rounding > 0
    land = eg.Landscape.from_function(lambda x: x[0] ** 2 - 2 * x[1] ** 2, torch.zeros(2, dtype=torch.float64))
    assert eg.nuclear_norm(land).value == pytest.approx(6)


@pytest.mark.parametrize("options", [{"probes": 1}, {"steps": 1}, {"probes": True}, {"probes": 2.5}])
def test_arguments_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match="probes >= 2 and steps >= 2"):
        nuclear_norm(Dense(matrix("decay")), **options)
    with pytest.raises(ArgumentError, match="confidence must be between 0 and 1"):
        nuclear_norm(Dense(matrix("decay")), confidence=1.0)


@pytest.mark.parametrize("kind", ["network", "decay", "both signs"])
def test_a_rule_with_a_node_at_zero_is_a_lower_bound_that_rises(kind: str) -> None:
    """For each start vector, against v^T |A| v of the dense matrix."""
    op = Dense(matrix(kind))
    values, vectors = torch.linalg.eigh(matrix(kind).double())
    for probe, run in enumerate(runs(op, 14, 5, seed=1)):
        v = start_vector(op, 1, FIRST + probe).double()
        truth = float(((vectors.T @ (v / v.norm())) ** 2 * values.abs()).sum())
        rules = [rule_at_zero(run, j) for j in range(2, 14)]
        found = torch.stack([(weights * nodes.abs()).sum() for nodes, weights in rules])
        assert bool((found <= truth * (1 + 1e-9)).all())
        assert bool((found.diff() >= -1e-9 * truth).all())


def test_a_known_trace_leaves_the_negative_part_to_sampling() -> None:
    """At 90 % over 200 seeds, as above, and with less than a quarter of the standard error."""
    truth, A = float(spectrum("network").abs().sum()), matrix("network")
    trace = Estimate(float(A.trace()), 0.0)
    how: dict[str, Any] = {"probes": 8, "steps": 12, "confidence": 0.9}
    found = [nuclear_norm(Dense(A), trace=trace, seed=seed, **how) for seed in range(SEEDS)]
    assert sum(low <= truth <= high for low, high in (e.interval() for e in found)) >= 166
    without = [nuclear_norm(Dense(A), seed=seed, **how).stderr for seed in range(SEEDS)]
    assert sum(e.stderr for e in found) < 0.25 * sum(without)
    vague = nuclear_norm(Dense(A), trace=Estimate(float(A.trace()), 1.0), **how)
    assert vague.half_width() >= found[0].half_width() + 1.0  # the trace's own error is in it

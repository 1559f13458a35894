"""Measurements side by side: the numbers, what is refused, what is said, and how often the intervals hold."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import binom

import egregium as eg
from egregium.errors import ArgumentError
from egregium.results import Comparison, Fingerprint, Row

SIZE = 80


def land(shift: float = 0.0) -> eg.Landscape:
    matrix = torch.diag(torch.linspace(-1, 2, SIZE, dtype=torch.float64) + shift)
    matrix += 0.1 * torch.cos(torch.arange(SIZE).double().outer(torch.arange(SIZE).double()))  # probes do vary
    matrix = (matrix + matrix.T) / 2
    return eg.Landscape.from_function(lambda x: x @ matrix @ x / 2, torch.full((SIZE,), 0.1, dtype=torch.float64))


def measured(shift: float = 0.0, seed: int = 0, **options: Any) -> eg.Measurement:
    return eg.measure(land(shift), method="stochastic", rtol=0.2, seed=seed, extremes=False, **options)


@pytest.fixture(scope="module")
def a() -> eg.Measurement:
    return eg.measure(land(), method="stochastic", rtol=0.2)


@pytest.fixture(scope="module")
def b() -> eg.Measurement:
    return eg.measure(land(0.5), method="stochastic", rtol=0.2, seed=1)


@pytest.mark.parametrize("apart", [0, 1000], ids=["same seeds", "different seeds"])
def test_intervals_of_real_differences_hold_them(apart: int) -> None:
    """80 pairs: no more misses than the binomial at 95 % allows once in 10,000 times."""
    exact = eg.compare({"a": eg.measure(land(), method="exact"), "b": eg.measure(land(0.05), method="exact")})
    truth = {quantity.name: quantity.differences["b"].value for quantity in exact.quantities}
    misses = dict.fromkeys(truth, 0)
    for seed in range(80):
        found = eg.compare({"a": measured(seed=seed), "b": measured(0.05, seed=seed + apart)})
        for quantity in found.quantities:
            low, high = quantity.differences["b"].interval()
            slack = 1e-12 * abs(truth[quantity.name])
            misses[quantity.name] += not low - slack <= truth[quantity.name] <= high + slack
    assert max(misses.values()) <= binom.ppf(1 - 1e-4, 80, 0.05), misses


def test_values_are_the_measurements_own(a: eg.Measurement, b: eg.Measurement) -> None:
    found = eg.compare({"a": a, "b": b})
    quantities = {quantity.name: quantity for quantity in found.quantities}
    assert next(iter(quantities)) == "scalar curvature R"
    for name, attribute in (("scalar curvature R", "scalar_curvature"), ("tr H", "trace"), ("|H|_F", "frobenius_norm")):
        one, other = getattr(a, attribute), getattr(b, attribute)
        assert quantities[name].values["b"].value == other.value
        assert quantities[name].differences["b"].value == other.value - one.value
    assert {
        "effective rank",
        "mean curvature",
        "largest eigenvalue",
        "smallest eigenvalue",
        "β (tr H)²",
    } <= quantities.keys()
    assert quantities["largest eigenvalue"].differences["b"].kind == "bounded"


def test_seeds_decide_on_dependence(a: eg.Measurement, b: eg.Measurement) -> None:
    same = replace(b, environment=replace(b.environment, seed=0))
    apart, together = (eg.compare({"a": a, "b": m}).quantities[0].differences["b"] for m in (b, same))
    assert (apart.independent, together.independent) == (True, False)
    assert together.half_width() > 1.2 * apart.half_width()
    assert any("Another seed than at a: b." in remark for remark in eg.compare({"a": a, "b": b}).remarks)
    assert any("The same seed as at a, 0" in remark for remark in eg.compare({"a": a, "b": same}).remarks)


def test_the_level_is_the_highest_that_was_asked(a: eg.Measurement) -> None:
    strict = measured(0.5, seed=1, confidence=0.99)
    found = eg.compare({"a": a, "b": strict})
    assert found.confidence == 0.99
    assert found.quantities[0].values["a"].interval() == a.scalar_curvature.interval(0.99)
    assert any("All intervals are at 99 %; some were asked for at 95 %." in remark for remark in found.remarks)
    assert eg.compare({"a": a, "b": strict}, confidence=0.9).confidence == 0.9
    for wrong in (1.0, 0.0, 95, "0.9"):
        with pytest.raises(ArgumentError, match="confidence must lie between 0 and 1"):
            eg.compare({"a": a, "b": strict}, confidence=wrong)  # type: ignore[arg-type]


def test_what_is_refused(a: eg.Measurement) -> None:
    cases: list[tuple[Any, str]] = [
        ({"a": a}, "two measurements or more by name, got 1"),
        ([a, a], "two measurements or more by name, got list"),
        ({"a": a, "b": 3}, "b is a int"),
        ({"a": a, "b": replace(a, operator="ggn")}, "the operator hessian, b with ggn"),
        ({"a": a, "b": replace(a, scale=2.0)}, "a factor scale = 1.0, b with 2.0"),
    ]
    for points, words in cases:
        with pytest.raises(ArgumentError, match=words):
            eg.compare(points)


PRINT = Fingerprint(10, 1, "data", "point", "Net 1", "rest", "CrossEntropyLoss()")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fingerprint": replace(PRINT, data="other")}, "Other data at b than at a"),
        ({"fingerprint": replace(PRINT, model="Net 2")}, "Another model at b than at a"),
        ({"n": 81}, "Another model at b than at a (n = 80, n = 81)"),
        ({"fingerprint": None}, "No fingerprint of the data: b."),
        ({}, "The same point as a, on the same data: b."),
        (
            {"fingerprint": replace(PRINT, rest="other")},
            "The same theta as at a, but other buffers or frozen parameters: b.",
        ),
        ({"fingerprint": replace(PRINT, loss="MSELoss()")}, "Another loss at b than at a: R has the units"),
        ({"setting": (Row("weight decay λ", "0.1", ""),)}, "Different weight decay λ: none at a; 0.1 at b."),
        ({"setting": (Row("measured part", "5 %", ""),)}, "Different measured part: none at a; 5 % at b."),
    ],
)
def test_cautions(a: eg.Measurement, change: dict[str, Any], words: str) -> None:
    base = replace(a, fingerprint=PRINT)
    notes = eg.compare({"a": base, "b": replace(base, **change)}).notes
    assert any(words in note for note in notes), notes


def test_a_caution_only_where_there_is_one(a: eg.Measurement) -> None:
    base, moved = replace(a, fingerprint=PRINT), replace(a, fingerprint=replace(PRINT, point="elsewhere"))
    assert eg.compare({"a": base, "b": moved}).notes == ()
    float32 = replace(moved, environment=replace(moved.environment, dtype="float32"))
    assert eg.compare({"a": base, "b": float32}).notes == ("Different precision: float64 at a; float32 at b.",)
    rough = replace(moved, scalar_curvature=replace(moved.scalar_curvature, converged=False, notes=("Stopped.",)))
    (note,) = eg.compare({"a": base, "b": rough}).notes
    assert note == "R at b has not converged: its interval is wider than was asked for. Stopped."


def test_verdicts_in_words(a: eg.Measurement, b: eg.Measurement) -> None:
    assert eg.compare({"a": a, "b": b}).verdict().startswith("R at b is larger than at a: ")
    assert eg.compare({"b": b, "a": a}).verdict().startswith("R at a is smaller than at b: ")
    assert eg.compare({"a": a, "{again}": a}).verdict().startswith("No difference of R between a and {again} is ")
    many = eg.compare({"a": a, "b": b, "c": b, "d": a})
    assert many.verdict() == "Against a, R is larger at b, c; not distinguished at d."
    assert any("on its own" in remark for remark in many.remarks)


def test_exact_points() -> None:
    saddle = eg.Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=torch.float64))
    one = eg.measure(saddle)
    other = eg.measure(saddle.at(torch.ones(2, dtype=torch.float64)))
    found = eg.compare({"a": one, "b": other})
    assert found.quantities[0].differences["b"].kind == "exact"
    assert found.remarks == ()  # nothing was sampled, so nothing depends
    assert all(q.differences["b"].verdict == "not distinguished" for q in eg.compare({"a": one, "b": one}).quantities)


def test_what_is_missing_at_one_point_has_no_difference(a: eg.Measurement) -> None:
    found = eg.compare({"a": a, "b": replace(a, largest=None), "c": a})
    largest = next(q for q in found.quantities if q.name == "largest eigenvalue")
    assert list(largest.differences) == ["c"]
    assert largest.shown("b") == ""
    first = eg.compare({"a": replace(a, largest=None), "b": a})
    assert next(q for q in first.quantities if q.name == "largest eigenvalue").differences == {}


def test_text_notebook_and_document(a: eg.Measurement, b: eg.Measurement, tmp_path: Path) -> None:
    found = eg.compare({"<a>": a, "b": b})
    assert found.verdict() in str(found)
    assert "&lt;a&gt;" in found._repr_html_()
    assert "<a>" not in found._repr_html_()
    found.save(str(tmp_path / "c.json"))
    back = eg.load(tmp_path / "c.json")
    assert isinstance(back, Comparison)
    assert str(back) == str(found)
    assert math.isclose(back.points["b"].scalar_curvature.value, b.scalar_curvature.value, rel_tol=0)

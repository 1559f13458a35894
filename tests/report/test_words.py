"""What the page says in words, against numbers chosen to make it so."""

from dataclasses import replace

import pytest

import egregium as eg
from egregium.report.words import change, dominance, named_estimates, sign, warnings
from egregium.results import TERMS, Estimate


def with_terms(m: eg.Measurement, *values: float, stderr: float = 0.0) -> eg.Measurement:
    return replace(m, terms={name: Estimate(v, stderr) for name, v in zip(TERMS, values, strict=True)})


def with_curvature(m: eg.Measurement, value: float, stderr: float = 0.0) -> eg.Measurement:
    return replace(m, scalar_curvature=Estimate(value, stderr))


@pytest.mark.parametrize(
    ("estimate", "beginning"),
    [
        (Estimate(3.0, 1.0), "Positive"),
        (Estimate(-3.0, 1.0), "Negative"),
        (Estimate(1.0, 1.0), "The interval holds 0"),
        (Estimate(-1.0, 1.0), "The interval holds 0"),
        (Estimate(0.0, 0.0), "Zero"),
        (Estimate(float("nan"), float("nan")), "R has no finite interval"),
    ],
)
def test_sign(estimate: Estimate, beginning: str) -> None:
    assert sign(estimate).startswith(beginning)


@pytest.mark.parametrize(
    ("values", "stderr", "expected"),
    [
        ((10.0, -5.0, 0.0, 0.0), 0.0, "Dominated by β (tr H)²; −β |H|²_F takes away 50 % of it."),
        ((0.0, -8.0, 0.0, -2.0), 0.0, "Dominated by −β |H|²_F; −2β² tr H · gᵀHg adds 25 % of it."),
        ((10.0, -0.05, 0.0, 0.0), 0.0, "Dominated by β (tr H)²; the other terms are below 1 % of it."),
        ((10.0, -9.5, 0.0, 0.0), 0.0, "β (tr H)² and −β |H|²_F nearly cancel."),
        ((10.0, -8.0, 0.0, 0.0), 1.0, "β (tr H)² and −β |H|²_F are of one size within their intervals."),
        ((0.0, 0.0, 0.0, 0.0), 0.0, "All four terms of R vanish."),
    ],
)
def test_dominance(saddle: eg.Measurement, values: tuple[float, ...], stderr: float, expected: str) -> None:
    assert dominance(with_terms(saddle, *values, stderr=stderr)) == expected


def test_change_is_claimed_only_where_intervals_are_apart(saddle: eg.Measurement) -> None:
    def said(first: float, last: float, stderr: float = 0.0) -> str:
        points = {"a<": with_curvature(saddle, first), "b": with_curvature(saddle, last, stderr)}
        return str(change(eg.Session("", "", points, "")))

    assert said(2.0, 1.0, 0.1) == "From a&lt; to b, <i>R</i> falls from 2 to 1.0 ± 0.2."
    assert said(1.0, 2.0) == "From a&lt; to b, <i>R</i> rises from 1 to 2."
    assert "no change of <i>R</i> is established" in said(1.0, 2.0, 1.0)


def test_points_of_other_units_are_not_compared(saddle: eg.Measurement) -> None:
    points = {"a": saddle, "b": replace(with_curvature(saddle, 5.0), scale=2.0)}
    assert "not comparable" in str(change(eg.Session("", "", points, "")))
    assert change(eg.Session("", "", {"a": saddle}, "")) is None


def test_warnings_name_the_point_the_number_and_the_reason(session: eg.Session) -> None:
    (found,) = [w for w in warnings(session) if w.point == "poor"]
    assert "has not converged" in found.text
    assert "The budget ended" in found.text
    assert not [w for w in warnings(session) if w.point != "poor"]


def test_everything_else_that_did_not_converge_is_named(sampled: eg.Measurement) -> None:
    m = replace(
        sampled,
        trace=replace(sampled.trace, converged=False, stderr=0.2 * abs(sampled.trace.value), bend=None),
        mean_curvature=replace(sampled.mean_curvature, value=1.0, stderr=1e-3, converged=False, bend=None, tail=0.0),
        smallest=replace(sampled.smallest, converged=False),
        terms=dict(sampled.terms) | {"gradient": replace(sampled.terms["gradient"], notes=("a note",))},
    )
    texts = [w.text for w in warnings(eg.Session("", "", {"p": m}, ""))]
    assert texts == [
        "a note",
        "<i>R</i> is as precise as asked, but these are known to worse than 10 %: tr <i>H</i>.",
        "Not converged: smallest eigenvalue; the interval is the residual reached.",
    ]


def test_a_number_without_interval_is_warned_of(saddle: eg.Measurement) -> None:
    m = with_curvature(saddle, float("nan"), float("nan"))
    assert warnings(eg.Session("", "", {"p": m}, ""))[0].text == "<i>R</i> has no finite interval."


def test_named_estimates_are_all_of_them(sampled: eg.Measurement) -> None:
    fields = [v for v in vars(sampled).values() if isinstance(v, Estimate)]
    assert len(named_estimates(sampled)) == len(fields) + len(TERMS)
    named = {id(estimate) for _, estimate in named_estimates(sampled)}
    assert {id(e) for e in [*fields, *sampled.terms.values()]} == named
    assert "tr G" in dict(named_estimates(replace(sampled, operator="ggn")))

"""The tables hold every row and every estimate."""

from dataclasses import replace

import pytest

import egregium as eg
from egregium.report.table import HEADINGS, in_full, side_by_side
from egregium.report.typeset import typeset
from egregium.report.words import named_estimates


def test_every_row_of_every_point_has_its_cell(session: eg.Session) -> None:
    lines = {line.name: line for group in side_by_side(session) for line in group.lines}
    for column, measurement in enumerate(session.measurements.values()):
        for row in measurement.rows():
            assert lines[typeset(row.name)].cells[column] == typeset(row.value)


def test_what_a_point_lacks_is_an_empty_cell(session: eg.Session) -> None:
    lines = {line.name: line for group in side_by_side(session) for line in group.lines}
    assert [cell is None for cell in lines["largest eigenvalue"].cells] == [False, True, True]


def test_groups_have_headings_and_the_order_of_the_rows(session: eg.Session, sampled: eg.Measurement) -> None:
    groups = list(dict.fromkeys(row.group for row in sampled.rows()))
    assert set(groups) == set(HEADINGS)
    assert [group.heading for group in side_by_side(session)] == [typeset(HEADINGS[group]) for group in groups]


def test_a_meaning_stands_once_where_points_agree_and_in_each_cell_where_not(session: eg.Session) -> None:
    lines = {line.name: line for group in side_by_side(session) for line in group.lines}
    assert lines["gradient norm"].meaning == "|<i>g</i>|"
    assert lines["gradient norm"].notes == ()
    assert lines["loss"].meaning == ""  # the number of parameters differs
    assert lines["loss"].notes == ("80 parameters", "2 parameters", "80 parameters")


def test_a_meaning_common_to_a_group_is_left_to_its_heading(session: eg.Session) -> None:
    (terms,) = [group for group in side_by_side(session) if "Terms" in group.heading]
    assert {line.meaning for line in terms.lines} == {""}


def test_estimates_in_full(sampled: eg.Measurement) -> None:
    lines = in_full(sampled)
    assert [line.name for line in lines] == [typeset(name) for name, _ in named_estimates(sampled)]
    curvature, first = sampled.scalar_curvature, lines[0]
    low, high = curvature.interval()
    assert (first.value, first.low, first.high) == tuple(typeset(f"{x:.10g}") for x in (curvature.value, low, high))
    assert first.stderr == typeset(f"{curvature.stderr:.3g}")
    assert (first.degrees, first.probes) == (f"{len(curvature.samples) - 1}", f"{len(curvature.samples)}")


@pytest.mark.parametrize("converged", [True, False])
def test_convergence_is_told_for_each(sampled: eg.Measurement, converged: bool) -> None:
    trace = replace(sampled.trace, converged=converged)
    (line,) = [line for line in in_full(replace(sampled, trace=trace)) if line.name == "tr <i>H</i>"]
    assert line.converged is converged


def test_exact_numbers_have_neither_degrees_nor_probes(saddle: eg.Measurement) -> None:
    assert {(line.degrees, line.probes) for line in in_full(saddle)} == {("", "")}

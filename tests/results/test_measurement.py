"""The table of a measurement, in a terminal and a notebook."""

import pytest
import torch

import egregium as eg
from egregium.results import TERMS


@pytest.fixture(scope="module")
def measurement() -> eg.Measurement:
    matrix = torch.diag(torch.linspace(-1, 2, 80, dtype=torch.float64))
    land = eg.Landscape.from_function(lambda x: x @ matrix @ x / 2, torch.full((80,), 0.1, dtype=torch.float64))
    return eg.measure(land, method="stochastic", rtol=0.2)


def test_every_number_has_its_interval_or_is_exact(measurement: eg.Measurement) -> None:
    plain = {"loss", "gradient norm", "cost"}
    for row in measurement.rows():
        assert row.name in plain or "+/-" in row.value or "(exact)" in row.value


def test_rows_are_the_fields(measurement: eg.Measurement) -> None:
    rows = {row.name: row.value for row in measurement.rows()}
    assert rows["scalar curvature R"] == str(measurement.scalar_curvature)
    assert rows["tr H"] == str(measurement.trace)
    assert {TERMS[name] for name in measurement.terms} <= rows.keys()
    assert set(measurement.terms) == set(TERMS)


def test_text_and_notebook_show_all_rows(measurement: eg.Measurement) -> None:
    html = measurement._repr_html_()
    for row in measurement.rows():
        assert row.value in str(measurement)
        assert row.value in html

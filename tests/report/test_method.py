"""How it was computed: everything the document knows of it."""

from dataclasses import fields, replace

import egregium as eg
from egregium.report.method import facts
from egregium.report.typeset import typeset
from egregium.results import Environment, Fingerprint


def text(session: eg.Session) -> str:
    return "\n".join(cell for fact in facts(session) for cell in fact.cells)


def test_methods_costs_and_machine_are_all_there(session: eg.Session, sampled: eg.Measurement) -> None:
    found = text(session)
    for part in (sampled.scalar_curvature, sampled.largest, sampled.density):
        assert typeset(part.method) in found
        assert typeset(str(part.cost)) in found
    assert typeset(str(sampled.cost)) in found


def test_everything_about_the_machine_is_there(saddle: eg.Measurement) -> None:
    names = [field.name for field in fields(saddle.environment)]
    marked = Environment(**{name: f"the {name} it was" for name in names} | {"dtype": "float16"})
    found = text(eg.Session("", "", {"p": replace(saddle, environment=marked)}, ""))
    assert all(getattr(marked, name) in found for name in names)


def test_agreement_is_one_cell_and_difference_one_each(session: eg.Session) -> None:
    cells = {fact.name: fact.cells for fact in facts(session)}
    assert len(cells["Seed"]) == 1
    assert cells["<i>R</i> as precise as asked"] == ("yes", "yes", "no")
    assert cells["Spectral density"][1:] == ("–", "–")


def test_matrix_and_factor_are_named(sampled: eg.Measurement) -> None:
    m = replace(sampled, operator="ggn", scale=2.5)
    cells = {fact.name: fact.cells for fact in facts(eg.Session("", "", {"p": m}, ""))}
    assert cells["Matrix"] == ("ggn, <i>G</i>, in place of the Hessian <i>H</i>",)
    assert cells["Factor on the loss"] == ("2.5",)


def test_an_eigenvalue_that_did_not_converge_says_so(sampled: eg.Measurement) -> None:
    m = replace(sampled, largest=replace(sampled.largest, converged=False))
    cells = {fact.name: fact.cells for fact in facts(eg.Session("", "", {"p": m}, ""))}
    assert cells["Largest eigenvalue"][0].endswith("; not converged")
    assert "not converged" not in cells["Smallest eigenvalue"][0]


def test_words_of_the_machine_are_escaped(saddle: eg.Measurement) -> None:
    m = replace(saddle, environment=replace(saddle.environment, device_name="<GPU>"))
    assert "&lt;GPU&gt;" in text(eg.Session("", "", {"p": m}, ""))


def test_data_and_point_are_told_where_they_are_known(sampled: eg.Measurement) -> None:
    print_ = Fingerprint(1437, 2, "0123456789abcdef", "fedcba9876543210", "Net <1>")
    shown = {fact.name: fact.cells for fact in facts(session_of(replace(sampled, fingerprint=print_)))}
    assert shown["Data"] == ("1,437 samples in 2 batches, SHA-256 0123456789abcdef…",)
    assert shown["Point"] == ("SHA-256 fedcba9876543210…",)
    assert shown["Model"] == ("Net &lt;1&gt;",)
    plain = {fact.name: fact.cells for fact in facts(session_of(sampled))}
    assert "Data" not in plain  # of a plain function
    old = {fact.name for fact in facts(session_of(replace(sampled, fingerprint=None)))}
    assert not {"Data", "Point", "Model"} & old


def session_of(m: eg.Measurement) -> eg.Session:
    return eg.Session("t", "c", {"p": m}, "2026")

"""How a diagnosis reads."""

from egregium.diagnostics import Diagnosis, Finding
from egregium.results import Cost

FAULT = Finding("dropout", "it is on", "fault", "net.py:3: F.dropout(x < 1)", "Pass training=self.training.")
OK = Finding("hooks", "none")


def diagnosis(*findings: Finding, values: tuple[float, float] = (2.0, 2.5)) -> Diagnosis:
    return Diagnosis(findings, values, 4, Cost(gradients=4 / 3))


def test_without_faults_it_is_ok() -> None:
    found = diagnosis(OK, values=(2.0, 2.0))
    assert (found.ok, found.cause, found.faults) == (True, "", ())
    assert str(found).splitlines() == [
        "The loss is the same in every pass over the data: 2.",
        "",
        "✓ hooks          none",
        "",
        "4 passes over the data.",
    ]


def test_a_fault_is_named_with_its_line_and_what_to_change() -> None:
    found = diagnosis(FAULT, OK)
    assert found.cause == "dropout: it is on (net.py:3: F.dropout(x < 1)). Pass training=self.training."
    assert str(found).splitlines()[:5] == [
        "The loss changes between passes over the data: 2, then 2.5.",
        "",
        "✗ dropout        it is on",
        "                 net.py:3: F.dropout(x < 1)",
        "                 → Pass training=self.training.",
    ]


def test_two_values_are_shown_to_where_they_differ() -> None:
    assert "2.0000000001, then 2.0000000002" in diagnosis(FAULT, values=(2.0000000001, 2.0000000002)).verdict


def test_no_line_is_wider_than_a_terminal() -> None:
    long = Finding("data", "word " * 60, "remark", "x.py:1: " + "call(a) " * 30, "Do " * 50)
    assert all(len(line) <= 100 for line in str(diagnosis(long)).splitlines())


def test_a_notebook_gets_a_table_without_markup_of_the_users() -> None:
    html = diagnosis(FAULT, OK)._repr_html_()
    assert '<th scope="row">✗ dropout</th>' in html
    assert "x &lt; 1" in html

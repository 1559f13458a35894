"""Numbers and formulas as HTML."""

import pytest

from egregium.report.typeset import typeset
from egregium.results import TERMS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("103.7 +/- 0.9 (95 %)", "103.7 ± 0.9 <small>(95 %)</small>"),
        ("-8 (exact)", "−8 <small>(exact)</small>"),
        ("-0 (exact)", "0 <small>(exact)</small>"),
        ("1.235e+07 +/- 3e+04", "1.235 × 10<sup>7</sup> ± 3 × 10<sup>4</sup>"),
        ("5 +/- 1e-05", "5 ± 10<sup>−5</sup>"),
        ("-0.00045 +/- 4e-05", "−0.00045 ± 4 × 10<sup>−5</sup>"),
        ("2.1e-05", "2.1 × 10<sup>−5</sup>"),
        ("|H|_F", "|<i>H</i>|<sub>F</sub>"),
        ("(tr S̃)² − |S̃|²_F", "(tr <i>S̃</i>)<sup>2</sup> − |<i>S̃</i>|<sub>F</sub><sup>2</sup>"),
        ("samples (tr, |.|_F^2)", "samples (tr, |·|<sub>F</sub><sup>2</sup>)"),
        ("389 HVPs, GGN products, largest of them", "389 HVPs, GGN products, largest of them"),
    ],
)
def test_typeset(text: str, expected: str) -> None:
    assert typeset(text) == expected


def test_letters_of_the_terms_are_italic() -> None:
    assert [typeset(label) for label in TERMS.values()] == [
        "β (tr <i>H</i>)<sup>2</sup>",
        "−β |<i>H</i>|<sub>F</sub><sup>2</sup>",
        "2β<sup>2</sup> <i>g</i><sup>T</sup><i>H</i><sup>2</sup><i>g</i>",
        "−2β<sup>2</sup> tr <i>H</i> · <i>g</i><sup>T</sup><i>Hg</i>",
    ]


def test_markup_in_the_text_is_escaped() -> None:
    assert typeset("<script>1 & 2</script>") == "&lt;script&gt;1 &amp; 2&lt;/script&gt;"

"""The page of a comparison: complete, safe, offline, valid, and narrow enough."""

import base64
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from reading import Reader, measured_in, ways

import egregium as eg
from egregium.report import comparison_page
from egregium.report.typeset import typeset
from egregium.results import Comparison

NAME = "a <b>saddle</b> & $x"


@pytest.fixture(scope="module")
def comparison(sampled: eg.Measurement, poor: eg.Measurement) -> Comparison:
    other = replace(sampled, scalar_curvature=sampled.scalar_curvature.affine(3.0))
    found = eg.compare({"sampled": sampled, NAME: other, "poor": poor})
    return replace(
        found,
        command='egregium compare "<i>"',
        created="2026-11-25T09:00:00+01:00",
        commands={"sampled": "egregium measure <u>", NAME: "", "poor": ""},
    )


@pytest.fixture(scope="module")
def text(comparison: Comparison) -> str:
    return comparison_page(comparison)


@pytest.fixture(scope="module")
def reader(text: str) -> Reader:
    return Reader(text)


def test_nothing_is_loaded_and_nothing_runs(text: str, reader: Reader) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"'<]*", re.sub(r"base64,[\w+/=]+", "", text)))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not {tag for tag, _ in reader.elements} & {"script", "img", "iframe", "object", "embed", "base", "form"}
    links = [a["href"] for _, a in reader.elements if "href" in a]
    assert all(link.startswith(("#", "data:")) for link in links)


def test_users_words_are_escaped(text: str, reader: Reader) -> None:
    for raw in (NAME, 'egregium compare "<i>"', "egregium measure <u>"):
        assert raw in "".join(reader.words)
    for tag in ("<b>", "<u>", "$x</i>"):
        assert tag not in text


def test_a_name_is_not_set_as_a_number_or_a_symbol(sampled: eg.Measurement) -> None:
    sentence = comparison_page(eg.compare({"<b>1e5</b> R": sampled, "x": sampled})).split('class="lede">')[1]
    assert "&lt;b&gt;1e5&lt;/b&gt; R" in sentence.split("</p>")[0]
    assert "No difference of <i>R</i> between" in sentence  # while ours are


def test_the_document_inside_is_the_comparison(comparison: Comparison, text: str, tmp_path: Path) -> None:
    (link,) = re.findall(r'href="data:application/json;base64,([\w+/=]+)"', text)
    (tmp_path / "c.json").write_bytes(base64.b64decode(link))
    back = eg.load(tmp_path / "c.json")
    assert str(back) == str(comparison)
    assert back.commands == comparison.commands
    assert all(m.density is None for m in back.points.values())


def test_every_value_and_difference_is_on_the_page(comparison: Comparison, text: str) -> None:
    for quantity in comparison.quantities:
        for name in comparison.points:
            assert typeset(quantity.shown(name)) in text
        for found in quantity.differences.values():
            assert f">{typeset(str(found).removesuffix(' (90 %)'))}<small" in text
            assert found.verdict in text


def test_verdict_cautions_and_remarks(comparison: Comparison, reader: Reader) -> None:
    words = " ".join("".join(reader.words).split())
    assert f"Against sampled, R is larger at {NAME}; not distinguished at poor." in words
    for said in (*comparison.notes, *comparison.remarks):
        assert said in words
    assert "R at poor has not converged" in words
    assert "2026-11-25, 08:00 UTC" in words


def test_no_cautions_where_there_are_none(sampled: eg.Measurement) -> None:
    assert sampled.fingerprint is not None
    moved = replace(sampled, fingerprint=replace(sampled.fingerprint, point="elsewhere"))
    found = eg.compare({"a": sampled, "b": moved})
    assert found.notes == ()
    assert "cautions" not in comparison_page(found).split("</style>")[1]


def test_landmarks_headings_labels_and_references(reader: Reader) -> None:
    tags = [tag for tag, _ in reader.elements]
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert tags.count(landmark) == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in a for tag, a in reader.elements if tag == "th")
    assert ways(reader)


def test_the_same_text_for_the_same_comparison(comparison: Comparison, text: str) -> None:
    assert comparison_page(comparison) == text


def test_many_points(sampled: eg.Measurement) -> None:
    many = comparison_page(eg.compare({f"step {i}": sampled for i in range(12)}))
    Reader(many)
    assert "The differences of 5 more points are not drawn" in " ".join(many.split())
    assert len(many) < 3_000_000


@pytest.mark.parametrize("width", [360, 1200])
def test_no_horizontal_scroll(chromium: str, comparison: Comparison, tmp_path: Path, width: int) -> None:
    long = replace(comparison, command="egregium compare " + "/long" * 60)
    content, view = measured_in(chromium, comparison_page(long), width, tmp_path)
    assert content <= view

"""Pictures as SVG: valid, deterministic, accessible, and good neighbours in a page."""

import re
import warnings
from dataclasses import replace
from xml.etree import ElementTree

import pytest

import egregium as eg
from egregium.viz import curvature_figure, probes_figure, spectrum_figure, svg, terms_figure
from egregium.viz.palette import CSS

NAMESPACE = "{http://www.w3.org/2000/svg}"


def named(saddle: eg.Measurement, name: str) -> str:
    return svg(curvature_figure(eg.Session("", "", {name: saddle}, "")))


@pytest.fixture(scope="module")
def drawings(session: eg.Session, sampled: eg.Measurement) -> list[str]:
    return [svg(p) for p in (curvature_figure(session), terms_figure(session), spectrum_figure(sampled))]


def test_the_same_text_each_time(session: eg.Session, sampled: eg.Measurement, drawings: list[str]) -> None:
    again = curvature_figure(session)
    assert svg(again) == svg(again) == drawings[0]
    assert svg(spectrum_figure(sampled)) == drawings[2]


def test_a_reader_hears_title_and_caption(session: eg.Session) -> None:
    picture = curvature_figure(session)
    root = ElementTree.fromstring(svg(picture, "k"))
    parts = {element.get("id"): element.text for element in root[:2]}
    assert root.get("role") == "img"
    assert root.get("aria-labelledby", "").split() == list(parts)
    assert list(parts.values()) == [picture.title, picture.caption]


def test_ids_are_unique_over_pictures_and_every_reference_has_its_own(drawings: list[str], session: eg.Session) -> None:
    twice = [svg(terms_figure(session), key) for key in ("a", "b")]
    ids: list[str] = []
    for drawing in [*drawings, *twice]:
        own = re.findall(r'\bid="([^"]+)"', drawing)
        references = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', drawing)
        assert references
        assert {a or b for a, b in references} <= set(own)
        ids += own
    assert len(ids) == len(set(ids))


def test_no_style_sheet_metadata_or_address(drawings: list[str]) -> None:
    for drawing in drawings:
        assert "<style" not in drawing
        assert "<metadata" not in drawing
        addresses = set(re.findall(r"https?://[^\"' ]+", drawing))
        assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # the names of namespaces


def test_colours_follow_the_page(drawings: list[str]) -> None:
    for drawing in drawings:
        bare = re.sub(r"var\([^)]*\)", "", drawing)
        assert not re.findall(r"#[0-9a-f]{6}\b", bare)
        assert "currentColor" in drawing
    assert set(CSS.values()) <= set(re.findall(r"var\([^)]*\)|currentColor", "".join(drawings)))


def test_text_is_text_in_the_pages_font(drawings: list[str]) -> None:
    root = ElementTree.fromstring(drawings[0])
    assert "font-family: var(--picture-font" in root.get("style", "")
    texts = ["".join(element.itertext()) for element in root.iter(f"{NAMESPACE}text")]
    assert "sampled" in texts
    assert "a <saddle> & $x" in texts
    assert drawings[0].count("font-family") == 1


def test_the_f_of_a_norm_is_lowered(drawings: list[str]) -> None:
    assert "_F" not in "".join(drawings)
    root = ElementTree.fromstring(drawings[0])
    shifts = [float(span.get("dy", 0)) for span in root.iter(f"{NAMESPACE}tspan")]
    assert len(shifts) == 2
    assert sum(shifts) == 0  # back on the line


@pytest.mark.parametrize("name", ["</text><script>alert(1)</script>", "a & b", "\x00\x1b[31m", "$x$", 'id="x"'])
def test_a_hostile_name_stays_text(saddle: eg.Measurement, name: str) -> None:
    drawing = named(saddle, name)
    root = ElementTree.fromstring(drawing)
    assert "<script" not in drawing
    texts = ["".join(element.itertext()) for element in root.iter(f"{NAMESPACE}text")]
    assert any(text.startswith(name[:6].replace("\x00\x1b", "")) for text in texts)


def test_a_name_in_any_script_warns_of_nothing(saddle: eg.Measurement) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert "初期値" in named(saddle, "初期値")
    assert [str(warning.message) for warning in caught] == []


def test_size_of_the_largest(sampled: eg.Measurement) -> None:
    assert len(svg(spectrum_figure(sampled))) < 60_000
    assert len(svg(probes_figure(replace(sampled)))) < 60_000

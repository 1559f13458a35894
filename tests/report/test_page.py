"""The page as a stranger receives it: complete, safe, offline, valid, and narrow enough."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from reading import Reader, measured_in, ways

import egregium as eg
from egregium.errors import DocumentError
from egregium.report import collection, page
from egregium.report.pictures import PICTURES
from egregium.report.scripts import scripts
from egregium.report.typeset import typeset
from egregium.results import Slice


@pytest.fixture(scope="module")
def text(session: eg.Session) -> str:
    return page(session)


@pytest.fixture(scope="module")
def reader(text: str) -> Reader:
    return Reader(text)


def test_nothing_is_loaded_and_nothing_runs_but_our_script(text: str, reader: Reader) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"'<]*", re.sub(r"base64,[\w+/=]+", "", text)))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names of namespaces
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"img", "iframe", "object", "embed", "base", "form"}
    assert "@import" not in text
    assert re.findall(r"url\((?!#picture-)", text) == []
    links = [a["href"] for tag, a in reader.elements if "href" in a]
    assert all(link.startswith(("#", "data:")) for link in links)
    assert not [name for _, a in reader.elements for name in a if name.startswith("on")]
    (policy,) = [m["content"] for m in reader.all("meta") if "http-equiv" in m]
    ours = " ".join(f"'{script.digest}'" for script in scripts(interactive=False))
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {ours}"
    assert reader.all("script") == [{}]


def test_every_interval_is_on_the_page(session: eg.Session, text: str) -> None:
    for m in session.measurements.values():
        for row in m.rows():
            assert typeset(row.value) in text
        for estimate in (m.scalar_curvature, m.squared_frobenius, *m.terms.values()):
            for bound in estimate.interval():
                assert f">{typeset(f'{bound:.10g}')}</td>" in text


def test_summary_says_r_its_interval_and_what_dominates_it(session: eg.Session, text: str) -> None:
    summary = text[text.index('id="summary"') : text.index('id="pictures"')]
    assert "<strong>−8</strong>" in summary
    assert "exact up to rounding" in summary
    assert "Dominated by −β |<i>H</i>|<sub>F</sub><sup>2</sup>" in summary
    value, error = str(session.measurements["sampled"].scalar_curvature).removesuffix(" (90 %)").split(" +/- ")
    assert f"<strong>{value}</strong>" in summary
    assert f">± {error}</span>" in summary
    assert "90 % interval from" in summary


def test_users_words_are_escaped(text: str, reader: Reader) -> None:
    words = "".join(reader.words)
    for raw in ("Three <b>points</b>", 'egregium "three" && more', "a <saddle> & $x", "<i>hm</i>"):
        assert raw in words
    assert "<b>" not in text
    assert "<saddle>" not in text


def test_warning_is_there_exactly_where_something_did_not_converge(session: eg.Session, text: str) -> None:
    assert 'id="cautions"' in text
    assert "The budget ended before the interval was as narrow as asked." in text
    assert text.count('href="#cautions"') == 1
    fine = {name: m for name, m in session.measurements.items() if name != "poor"}
    assert "cautions" not in page(replace(session, measurements=fine)).split("</style>")[1]


def test_the_same_text_for_the_same_session(session: eg.Session, text: str) -> None:
    assert page(session) == text


def test_everything_in_the_session_is_told(session: eg.Session, reader: Reader) -> None:
    words = " ".join("".join(reader.words).split())
    assert "2026-11-24, 09:00 UTC" in words
    assert session.command in words
    assert f"egregium {session.measurements['poor'].environment.egregium}" in words
    (download,) = [a for a in reader.all("a") if "download" in a]
    assert download["download"] == "result.json"


@pytest.mark.parametrize(
    ("created", "shown"), [("2026-11-24T09:00:00", "2026-11-24, 09:00<"), ("yesterday", ">yesterday<")]
)
def test_a_time_without_zone_and_no_time(session: eg.Session, created: str, shown: str) -> None:
    assert shown in page(replace(session, created=created))


def test_landmarks_headings_and_labels(reader: Reader) -> None:
    tags = [tag for tag, _ in reader.elements]
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert tags.count(landmark) == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert reader.all("html")[0]["lang"] == "en"
    assert all("aria-labelledby" in section for section in reader.all("section"))
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in cell for cell in reader.all("th"))
    assert all(drawing["role"] == "img" for drawing in reader.all("svg"))


def test_ids_are_unique_and_every_reference_is_met(reader: Reader) -> None:
    assert ways(reader)


def test_one_point_and_many(session: eg.Session, sampled: eg.Measurement) -> None:
    one = page(replace(session, measurements={"sampled": sampled}))
    assert "1 point<" in one
    assert "side by side" not in one
    many = page(replace(session, measurements={f"step {i}": sampled for i in range(20)}))
    assert len(many) < 2_000_000
    assert "first 8 points only" in many
    assert many.count("step 19") >= 4  # in summary, both tables and the picture of R
    assert "too large for a page" in many
    Reader(many)


def test_a_session_without_measurements_is_refused(session: eg.Session) -> None:
    with pytest.raises(eg.EgregiumError, match="at least one measurement"):
        page(replace(session, measurements={}))


@pytest.mark.parametrize("width", [375, 1200])
def test_no_horizontal_scroll(chromium: str, session: eg.Session, tmp_path: Path, width: int) -> None:
    long = replace(session, title="supercalifragilistic" * 5, command="egregium measure --path=" + "/long" * 60)
    content, view = measured_in(chromium, page(long), width, tmp_path)
    assert view >= width - 20  # less a scroll bar
    assert content <= view


def test_the_probe_sees_an_overflow(chromium: str, session: eg.Session, tmp_path: Path) -> None:
    wide = page(session).replace("<main>", '<main><div style="width:500px">.</div>')
    content, view = measured_in(chromium, wide, 375, tmp_path)
    assert content > view


def test_a_document_that_cannot_be_drawn_does_not_take_the_page_with_it(session: eg.Session, tmp_path: Path) -> None:
    """Losses near the largest float: what a picture makes of them overflows."""
    wild = eg.Landscape.from_function(lambda x: torch.exp(690 * x[0]) + 0 * x[1], torch.zeros(2, dtype=torch.float64))
    eg.slices.plane(wild, torch.eye(2), span=1.0, points=5).save(str(tmp_path / "wild.json"))
    session.save(str(tmp_path / "result.json"))
    (tmp_path / "deep.json").write_text("[" * 200_000)
    text = page(collection([tmp_path]))
    assert "Three &lt;b&gt;points" in text
    assert "deep.json" in text


def test_what_cannot_be_drawn_is_named(session: eg.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(result: object) -> None:
        raise OverflowError

    monkeypatch.setitem(PICTURES, Slice, (broken,))
    land = eg.Landscape.from_function(lambda x: x @ x, torch.zeros(2))
    eg.slices.line(land, torch.eye(2)[0], points=3).save(str(tmp_path / "line.json"))
    with pytest.raises(DocumentError, match="The page cannot be made: OverflowError"):
        page(collection([tmp_path]))
    session.save(str(tmp_path / "result.json"))
    text = page(collection([tmp_path]))
    assert "line.json cannot be shown" in text
    assert "Three &lt;b&gt;points" in text

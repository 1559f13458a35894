"""Statements on a page: verdicts in words, every comparison with its tolerance, and a user's words escaped."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from handmade import line
from handmade_claims import FAILING, HOLDING, OUTSIDE, UNDECIDED, all_kinds, chart, claim
from reading import Reader, in_order, measured_in, ways

import egregium as eg
from egregium.report import collection, page
from egregium.report.claims import OUTSIDE as BEYOND
from egregium.report.claims import statements, verdicts
from egregium.report.collection import Collection
from egregium.report.typeset import typeset
from egregium.results import ClaimResult, save


def folder_of(results: dict[str, ClaimResult], folder: Path) -> Collection:
    folder.mkdir(exist_ok=True)
    for name, result in results.items():
        save(result, folder / f"{name}.json")
    return collection([folder])


def words(text: str) -> str:
    return " ".join("".join(Reader(text).words).split())


@pytest.fixture
def found(tmp_path: Path) -> Collection:
    return folder_of(all_kinds(), tmp_path)


def test_the_first_lines_say_how_many_hold_and_which_do_not(found: Collection) -> None:
    said = words(str(verdicts(statements(found))))
    assert said == (
        "2 of 4 statements hold as stated, with 7 comparisons, 1 of them outside the conditions, to show where the "
        "wording ends. C2 fails in 1 of 2 comparisons. C3 is undecided in 1 of 2 comparisons."
    )


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ((HOLDING,), "The statement holds as stated, with 1 comparison."),
        ((FAILING,), "0 of 1 statements hold as stated, with 1 comparison. C4 fails in 1 of 1 comparison."),
        ((), "0 of 1 statements hold as stated, with 0 comparisons. C4 is undecided since nothing was compared."),
    ],
)
def test_a_single_statement(checks: tuple[eg.results.Check, ...], said: str, tmp_path: Path) -> None:
    found = folder_of({"C4": claim(4, *checks)}, tmp_path)
    assert words(str(verdicts(statements(found)))) == said
    shown = page(found)
    assert ">Statement</h2>" in shown
    assert 'class="overview' not in shown
    assert found.title == "A statement about R, number 4"


def test_c2_comes_before_c10_everywhere(found: Collection) -> None:
    text = page(found)
    ids = ["C1", "C2", "C3", "C10"]
    assert [one.id for one in statements(found)] == ids
    assert [each.name for each in found.documents] == ids
    assert re.findall(r'<span class="id">(C\d+)</span>', text) == ids
    assert re.findall(r"<td>(C\d+)</td>", text) == ids


def test_every_comparison_is_there_with_verdicts_in_words(found: Collection) -> None:
    text = page(found)
    for check in (HOLDING, OUTSIDE, FAILING, UNDECIDED):
        for part in (
            check.what,
            check.subject,
            f"{check.found:.6g}",
            f"{check.expected:.6g}",
            f"{check.tolerance:.2g}",
        ):
            assert str(typeset(part)) in text
        assert check.why in text
        assert f'<span class="heard">{check.relation}</span>' in text
    assert "too wide to see a departure of 1<" in text
    for mark, verdict in (("✓", "holds"), ("✗", "fails"), ("?", "undecided")):
        assert f'<span class="verdict {verdict}"><span aria-hidden="true">{mark}</span> {verdict}</span>' in text


def test_what_is_outside_the_condition_stands_apart_and_says_what_it_means(found: Collection) -> None:
    *inside, last = statements(found)
    assert [[group.heading for group in one.groups] for one in inside] == [["Compared where the condition holds"]] * 3
    assert [len(group.lines) for group in last.groups] == [1, 1]
    assert last.groups[1].heading == "Outside the condition"
    assert "Where ≠ holds, the statement as it is worded fails" in last.groups[1].says
    assert page(found).count(BEYOND[1]) == 1


def test_a_claim_says_all_it_has(found: Collection) -> None:
    said = words(page(found))
    one = found.of(ClaimResult)[1][1]
    for part in (one.condition, one.simulated, one.source, one.notes[0]):
        assert words(str(typeset(part))) in said
    assert "Run on its own examples, preset quick, seed 7, in 12.3 s." in said
    assert "2,000 s" in said
    for fact in ("egregium reproduce --seed 7", "Presetquick", "Seed7", "cpu (a processor)", "2026-11-24, 09:00 UTC"):
        assert fact in said


def test_charts_stand_with_their_claim_and_not_among_the_pictures(found: Collection) -> None:
    text = page(found)
    assert 'id="pictures"' not in text
    articles = text.split("<article")[1:]
    assert len(articles) == 4
    for article in articles:
        assert article.count("<svg") == 1
        assert str(typeset(chart().title)) in article


def test_empty_sections_are_left_out(found: Collection) -> None:
    text = page(found)
    for section in ("numbers", "pictures", "surfaces"):
        assert f'id="{section}"' not in text
        assert f'href="#{section}"' not in text
    assert 'class="points"' not in text
    assert 'class="cautions"' not in text  # a claim's notes stand with it
    for section in ("summary", "statements", "method", "formulas", "document"):
        assert f'<section id="{section}"' in text
    assert found.title == "4 statements, each of them run"


def test_landmarks_ids_and_headings(found: Collection) -> None:
    reader = Reader(page(found))
    assert ways(reader)
    in_order(reader)


def test_users_words_are_escaped(tmp_path: Path) -> None:
    target = "mine.py:<script>alert('f')</script> & n"
    kinds = all_kinds(target)
    subject = replace(HOLDING, subject=f"{target} at its point", what="<b>R</b>")
    kinds["C1"] = replace(kinds["C1"], checks=(subject,), title="<i>R</i> & f", notes=("<img src=x>",), source="<hr>")
    found = folder_of(kinds, tmp_path)
    text = page(found)
    assert len(Reader(text).all("script")) == 1  # that of tables
    for tag in ("<img", "<hr>", "<b>", "<script>alert"):
        assert tag not in text
    assert found.title == f"4 statements, each of them run on {target}"
    said = words(text)
    assert said.count(target) >= 6
    assert f"{target} at its point" in said
    assert "&lt;script&gt;alert(&#39;f&#39;)&lt;/script&gt; &amp; n at its point" in text  # no letter of it is typeset


def test_the_same_claims_of_two_runs_are_told_apart(tmp_path: Path) -> None:
    mine = all_kinds("mine.py:net")
    folder_of(all_kinds(), tmp_path / "own")
    folder_of({"C2": mine["C2"]}, tmp_path / "target")
    found = collection([tmp_path / "own", tmp_path / "target"])
    assert [one.where for one in statements(found)][1:3] == ["own · C2", "target · C2"]
    said = words(page(found))
    assert "C2 (own · C2) fails in 1 of 2 comparisons. C2 (target · C2) fails" in said
    assert "Run on mine.py:net, preset quick" in said


def test_beside_points_and_other_documents(session: eg.Session, tmp_path: Path) -> None:
    folder_of(all_kinds(), tmp_path)
    session.save(str(tmp_path / "result.json"))
    save(line(), tmp_path / "line.json")
    found = collection([tmp_path])
    text = page(found)
    for section in ("statements", "pictures", "numbers"):
        assert f'<section id="{section}"' in text
    assert found.title == tmp_path.name
    assert "claim" not in page(session)  # neither words nor style


def test_odd_numbers_are_told(tmp_path: Path) -> None:
    odd = replace(HOLDING, found=float("nan"), expected=float("inf"), tolerance=float("nan"))
    text = page(folder_of({"C1": claim(1, odd)}, tmp_path))
    assert ">nan</td>" in text
    assert "undecided" in text


@pytest.mark.parametrize("width", [360, 1200])
def test_no_horizontal_scroll(chromium: str, tmp_path: Path, width: int) -> None:
    kinds = all_kinds("/".join(["long"] * 40) + ".py:landscape")
    content, view = measured_in(chromium, page(folder_of(kinds, tmp_path / "claims")), width, tmp_path)
    assert content <= view

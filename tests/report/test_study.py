"""A study on a page: what came out first, every ranking, every network, and a user's words escaped."""

from dataclasses import replace
from pathlib import Path

import pytest
from handmade import line
from handmade_study import all_diverged, found_in, one_architecture, study
from reading import Reader, in_order, measured_in, read, ways

import egregium as eg
from egregium.report import collection, page
from egregium.report.collection import Collection
from egregium.report.study import lede, studies, study_cards
from egregium.results import save


@pytest.fixture
def found(tmp_path: Path) -> Collection:
    return found_in(tmp_path, study=study())


def test_the_first_lines_say_how_many_count_and_how_r_ranks(found: Collection) -> None:
    text = page(found)
    assert "<title>Generalisation by hand – scalar curvature and generalisation</title>" in text
    assert lede(found) == "16 of 20 networks count; 1 diverged, and is left out."
    assert text.count("16 of 20 networks count") == 1
    error, loss = study_cards(found)
    assert (error.name, error.quantity, error.value) == ("R and the gap in error", "tau", "0.41")
    assert error.error == "[0.26, 0.56]"
    assert error.certainty == "95 % interval over settings, from 14 networks"
    assert error.says == "Networks of larger <i>R</i> have the larger gap in error."
    assert "Psi, tau where one hyper-parameter alone differs: 0.11 [−0.04, 0.26]." in error.quiet
    assert loss.value == "0.51"
    said = read(text)
    assert said.index("16 of 20 networks count") < said.index("Networks of larger R") < said.rindex("What came out")


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (-0.6, -0.1, "Networks of larger <i>R</i> have the smaller gap in error."),
        (-0.1, 0.2, "Whether <i>R</i> goes with the gap in error or against it cannot be told from chance."),
    ],
)
def test_cards_say_the_other_ways_round(low: float, high: float, says: str, tmp_path: Path) -> None:
    made = study()
    R = made.rankings[0]
    tau = replace(R.tau, value=(low + high) / 2, low=low, high=high)
    bare = replace(R, tau=tau, granulated=None, against_trace=None, beyond_trace=None)
    (card,) = study_cards(found_in(tmp_path, study=replace(made, rankings=(bare,))))
    assert card.says == says
    assert card.quiet == ""


def test_the_way_through_the_page(found: Collection) -> None:
    reader = Reader(page(found))
    assert {"study-1", "study-1-rankings", "study-1-limits", "study-1-plan", "study-1-terms"} <= ways(reader)
    in_order(reader)


def test_findings_come_before_pictures_tables_and_limits(found: Collection) -> None:
    text = page(found)
    places = [
        "Over 14 networks <i>R</i> ranks the gap in error",
        "<h3>The gap in error</h3>",
        "<h3>The gap in loss</h3>",
        "<h3>One hyper-parameter at a time</h3>",
        ">All rankings</h3>",
        "other data may order otherwise",
        ">The plan and its networks</h3>",
    ]
    assert [text.index(place) for place in places] == sorted(text.index(place) for place in places)
    (one,) = studies(found)
    assert [len(part.plates) for part in one.parts] == [3, 3, 1]
    for section in ("pictures", "numbers", "surfaces", "statements"):
        assert f'id="{section}"' not in text


def test_what_is_still_to_be_trained_is_a_caution(found: Collection, tmp_path: Path) -> None:
    assert "1 of 20 networks is still to be trained" in read(page(found))
    (tmp_path / "whole").mkdir()
    assert 'id="cautions"' not in page(found_in(tmp_path / "whole", study=replace(study(), planned=19)))


def test_lines_of_networks_beside_their_study_are_not_waited_for(found: Collection, tmp_path: Path) -> None:
    (tmp_path / "networks.jsonl").write_text("{}\n")
    assert collection([tmp_path]).unread == ()
    (tmp_path / "other.jsonl").write_text("{}\n")
    (said,) = collection([tmp_path]).unread
    assert "other.jsonl is still being written" in said
    (tmp_path / "study.json").rename(tmp_path / "else.json")
    assert len(collection([tmp_path]).unread) == 2


def test_a_study_in_which_all_diverged(tmp_path: Path) -> None:
    found = found_in(tmp_path, study=all_diverged())
    text = page(found)
    assert study_cards(found) == []
    (one,) = studies(found)
    assert (one.parts, one.groups) == ((), ())
    assert read(text).count("0 of 20 networks count; 19 diverged.") == 2  # above, and where it came out
    assert "-rankings" not in text


def test_no_network_yet(tmp_path: Path) -> None:
    empty = replace(study(), networks=(), sweeps={"factorial": ()}, rankings=(), findings=(), limits=(), plan=())
    text = page(found_in(tmp_path, study=empty))
    assert "20 of 20 networks are still to be trained" in read(text)
    assert 'class="networks' not in text
    assert "-limits" not in text


def test_one_architecture_has_one_group(tmp_path: Path) -> None:
    found = found_in(tmp_path, study=one_architecture())
    (one,) = studies(found)
    assert [group.heading for group in one.groups] == ["The factorial part"]
    assert one.networks is not None
    assert "architecture" not in one.networks.columns
    assert "architecture cnn" in read(page(found))


def test_users_words_are_escaped(tmp_path: Path) -> None:
    theirs, name = "nets.py:<b>f</b> & n", "my_<i>g</i>"
    made = study()
    networks = tuple(
        replace(one, setting={**one.setting, "architecture": theirs}, reason="<hr>" if one.reason else "")
        for one in made.networks
    )
    odd = replace(
        made,
        networks=networks,
        title="<script>alert(1)</script>",
        measures={**made.measures, name: "your own"},
        rankings=(replace(made.rankings[0], measure=name), *made.rankings),
        findings=(f"Of {theirs} R is one.", "my <i>g</i> 0.5"),
        limits=(f"One data set ({theirs}).",),
        plan=(replace(made.plan[0], value=theirs),),
        sweeps={**made.sweeps, "<u>f</u>": (0, 1)},
    )
    text = page(found_in(tmp_path, study=odd))
    assert len(Reader(text).all("script")) == 1  # that of tables
    for tag in ("<b>", "<hr>", "<u>", "<script>alert", "my <i>"):
        assert tag not in text
    said = read(text)
    assert f"One data set ({theirs})." in said
    assert "my <i>g</i>" in said
    assert "Of nets.py:&lt;b&gt;f&lt;/b&gt; &amp; n R is one." in text  # no letter of it is typeset


def test_several_studies_and_other_documents(session: eg.Session, tmp_path: Path) -> None:
    found_in(tmp_path, first=study(), second=replace(all_diverged(), title=""))
    session.save(str(tmp_path / "result.json"))
    save(line(), tmp_path / "line.json")
    found = collection([tmp_path])
    text = page(found)
    assert lede(found) is None
    assert [one.where for one in studies(found)] == ["first", "second"]
    assert '<a href="#study-2">second</a>' in text
    assert "first · R and the gap in error" in text
    assert "of a loss landscape" in text
    assert "study" not in page(session)  # neither words nor style


@pytest.mark.parametrize("width", [360, 1200])
def test_no_horizontal_scroll(chromium: str, tmp_path: Path, width: int) -> None:
    made = study()
    long = "/".join(["long"] * 40) + ".py:net"
    networks = tuple(replace(one, setting={**one.setting, "architecture": long}) for one in made.networks)
    text = page(found_in(tmp_path, study=replace(made, networks=networks))).replace("<details", "<details open")
    content, view = measured_in(chromium, text, width, tmp_path)
    assert content <= view

"""A study on a page: what came out first, every ranking, every network, and a user's words escaped."""

import json
import re
from base64 import b64decode
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from handmade import line
from handmade_study import all_diverged, network, odd_numbers, one_architecture, rankings, study
from reading import Reader, measured_in

import egregium as eg
from egregium.report import collection, page
from egregium.report.collection import Collection
from egregium.report.document import LIMIT, embedded
from egregium.report.study import lede, studies, study_cards
from egregium.results import Study, load, save


def found_in(folder: Path, **made: Study) -> Collection:
    for name, result in made.items():
        save(result, folder / f"{name}.json")
    return collection([folder])


def words(text: str) -> str:
    return " ".join("".join(Reader(text).words).split())


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
    assert "Psi, within hyper-parameters: 0.11 [−0.04, 0.26]." in error.quiet
    assert loss.value == "0.51"
    said = words(text)
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
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    wanted = [a["href"][1:] for _, a in reader.elements if a.get("href", "").startswith("#")]
    assert {"study-1", "study-1-rankings", "study-1-limits", "study-1-plan", "study-1-terms"} <= set(wanted)
    wanted += [name for _, a in reader.elements for name in a.get("aria-labelledby", "").split()]
    assert set(wanted) <= set(ids)
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    tags = [tag for tag, _ in reader.elements]
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in cell for cell in reader.all("th"))


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


def test_all_rankings_are_in_tables(found: Collection) -> None:
    (one,) = studies(found)
    assert [group.heading for group in one.groups] == [
        "The factorial part",
        "The factorial part, mlp alone",
        "The factorial part, cnn alone",
    ]
    whole = one.groups[0].grids
    assert [grid.caption for grid in whole] == [
        "Gap in error, ranked",
        "Gap in loss, ranked",
        "Gap in error, within each hyper-parameter",
        "Gap in loss, within each hyper-parameter",
    ]
    first, second = whole[0].lines[:2]
    assert (first.head, second.head) == ("sharpness", "scalar curvature")
    assert [line.strong for line in whole[0].lines] == [False, True, False, False, False]
    assert second.note == "<i>R</i>"
    assert second.cells[0] == '0.41<small class="note">[0.26, 0.56]</small>'
    assert second.cells[-1] == "14"
    trace = whole[0].lines[2]
    assert trace.cells[2:4] == ("–", "–")
    assert whole[2].columns == ("measure", "batch size", "optimiser", "width", "Psi, their mean")
    text = page(found)
    assert text.count("<details") == 4
    assert text.count('<details class="ranked" open>') == 1


def test_without_hyper_parameters_there_is_no_table_of_them(tmp_path: Path) -> None:
    (one,) = studies(found_in(tmp_path, study=replace(study(), rankings=rankings({"all": 14}, by=()))))
    assert [grid.caption for grid in one.groups[0].grids] == ["Gap in error, ranked", "Gap in loss, ranked"]
    assert [len(part.plates) for part in one.parts] == [2, 2, 1]


def test_every_network_is_there_with_what_became_of_it(found: Collection) -> None:
    (one,) = studies(found)
    assert one.networks is not None
    assert one.networks.columns[:6] == ("No.", "architecture", "batch size", "depth", "optimiser", "seed")
    assert len(one.networks.lines) == 19
    assert [line.head for line in one.networks.lines] == [str(i) for i in range(1, 20)]
    first, diverged = one.networks.lines[0], one.networks.lines[3]
    assert first.cells[:6] == ("mlp", "16", "2", "sgd", "0", "trained")
    assert first.cells[8] == "640 ± 130"
    assert diverged.cells[5] == "diverged"
    assert diverged.cells[8] == "–"
    assert one.counts == (
        ("trained", 16, "to the common loss, and measured: these count"),
        ("diverged", 1, "the loss became far larger than that of guessing, or infinite"),
        ("not reached", 1, "the common loss, within the epochs of the plan"),
        ("not measured", 1, "trained, but a measure could not be had"),
        ("still to be trained", 1, "the same command goes on"),
    )
    assert one.reasons == (("No. 19", "A product does not fit into 8 GiB."),)
    said = words(page(found))
    assert "No. 19 not measured: A product does not fit into 8 GiB." in said
    assert "The same for all: learning rate 0.02, width 32, label noise 0." in said
    assert "380 s, 47.5 s of them for training" in said


def test_data_code_and_machines_are_counted_where_there_are_several(tmp_path: Path) -> None:
    made = study()
    networks = [replace(one, data=f"{i:016x}") for i, one in enumerate(made.networks)]
    networks[0] = replace(networks[0], code="0.1.0+bbbbbbbbbbbb")
    networks[1] = replace(
        networks[1], environment=replace(networks[1].environment, device="cuda", device_name="a card")
    )
    found = found_in(tmp_path, study=replace(made, networks=tuple(networks)))
    (one,) = studies(found)
    known = dict(one.origins)
    assert known["Code, version and digest"] == [
        "0.1.0+aaaaaaaaaaaa <small>(18)</small>",
        "0.1.0+bbbbbbbbbbbb <small>(1)</small>",
    ]
    assert known["Device"] == ["cpu (a processor) <small>(18)</small>", "cuda (a card) <small>(1)</small>"]
    assert known["Training data, by their digest"][-1] == "and 7 others (7)"
    assert "of 2 versions of the code" in words(page(found))


def test_what_is_still_to_be_trained_is_a_caution(found: Collection, tmp_path: Path) -> None:
    assert "1 of 20 networks is still to be trained" in words(page(found))
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
    assert words(text).count("0 of 20 networks count; 19 diverged.") == 2  # above, and where it came out
    assert "-rankings" not in text


def test_no_network_yet(tmp_path: Path) -> None:
    empty = replace(study(), networks=(), sweeps={"factorial": ()}, rankings=(), findings=(), limits=(), plan=())
    text = page(found_in(tmp_path, study=empty))
    assert "20 of 20 networks are still to be trained" in words(text)
    assert 'class="networks' not in text
    assert "-limits" not in text


def test_one_architecture_has_one_group(tmp_path: Path) -> None:
    found = found_in(tmp_path, study=one_architecture())
    (one,) = studies(found)
    assert [group.heading for group in one.groups] == ["The factorial part"]
    assert one.networks is not None
    assert "architecture" not in one.networks.columns
    assert "architecture cnn" in words(page(found))


def test_odd_numbers_are_told(tmp_path: Path) -> None:
    found = found_in(tmp_path, study=odd_numbers())
    assert "nan" not in words(page(found))
    (one,) = studies(found)
    assert one.groups[0].grids[0].lines[-1].cells[:2] == ("–", "–")
    assert one.groups[0].grids[0].lines[1].cells[0] == '0.20<small class="note">no interval</small>'
    assert one.networks is not None
    assert one.networks.lines[0].cells[8:11] == ("–", "inf", "-inf")
    assert [card.name for card in study_cards(found)] == ["R and the gap in loss"]


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
    said = words(text)
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


def large(count: int) -> Study:
    """As many networks and rankings as a long study has, with all digits."""
    made = study()
    digits = {f"measure_{i}": 1234.5678901234567 / (i + 1) for i in range(14)}
    some = [
        replace(one, numbers={**one.numbers, **digits}, half_widths={**one.half_widths, **digits})
        for one in (
            network(seed=i, batch_size=16 + i % 7, architecture="cnn" if i % 2 else "mlp") for i in range(count)
        )
    ]
    groups = dict.fromkeys(("all", "mlp", "cnn", "depth", "noise", "optimiser", "activation"), count)
    rows = tuple(replace(each, measure=f"measure_{i}") for each in rankings(groups)[::5] for i in range(14))
    return replace(made, networks=tuple(some), rankings=rows, planned=count, sweeps={"factorial": tuple(range(count))})


def test_a_page_of_164_networks_is_no_burden(tmp_path: Path) -> None:
    text = page(found_in(tmp_path, study=large(164)))
    assert len(text.encode()) < 2_000_000
    assert (tmp_path / "study.json").stat().st_size < 1_500_000
    assert text.count('<tr><th scope="row">1') > 64
    href = re.search(r'href="data:application/json;base64,([^"]+)"', text)
    assert href is not None
    (tmp_path / "read.json").write_bytes(b64decode(href[1]))
    assert len(load(tmp_path / "read.json").networks) == 164


def test_a_larger_study_is_kept_with_fewer_digits() -> None:
    few, many = embedded(large(20)), embedded(large(280))
    assert not few.reduced
    assert many.reduced
    assert 0 < len(many.href) < LIMIT + 100
    kept = json.loads(b64decode(many.href.partition(",")[2]))
    one = kept["result"]["networks"][0]
    assert one["numbers"]["mapping"]["measure_2"] == 411.523
    assert "train_loss" not in one["half_widths"]["mapping"]  # exact: 0 is said by its absence


@pytest.mark.parametrize("width", [360, 1200])
def test_no_horizontal_scroll(chromium: str, tmp_path: Path, width: int) -> None:
    made = study()
    long = "/".join(["long"] * 40) + ".py:net"
    networks = tuple(replace(one, setting={**one.setting, "architecture": long}) for one in made.networks)
    text = page(found_in(tmp_path, study=replace(made, networks=networks))).replace("<details", "<details open")
    content, view = measured_in(chromium, text, width, tmp_path)
    assert content <= view

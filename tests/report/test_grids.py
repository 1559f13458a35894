"""Tables of a study: every ranking, every network, and what of it is inside the page."""

import json
import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from handmade_study import found_in, network, odd_numbers, rankings, study
from reading import read

from egregium.report import page
from egregium.report.collection import Collection
from egregium.report.document import LIMIT, embedded
from egregium.report.study import studies, study_cards
from egregium.results import Study, load


@pytest.fixture
def found(tmp_path: Path) -> Collection:
    return found_in(tmp_path, study=study())


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
    said = read(page(found))
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
    assert "of 2 versions of the code" in read(page(found))


def test_odd_numbers_are_told(tmp_path: Path) -> None:
    found = found_in(tmp_path, study=odd_numbers())
    assert "nan" not in read(page(found))
    (one,) = studies(found)
    assert one.groups[0].grids[0].lines[-1].cells[:2] == ("–", "–")
    assert one.groups[0].grids[0].lines[1].cells[0] == '0.20<small class="note">no interval</small>'
    assert one.networks is not None
    assert one.networks.lines[0].cells[8:11] == ("–", "inf", "-inf")
    assert [card.name for card in study_cards(found)] == ["R and the gap in loss"]


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

"""Sweeps that are killed and go on, over one process and several."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from plans import own_plan, tiny, tiny_file

from egregium.errors import ArgumentError, DataError, DocumentError, EgregiumError
from egregium.results import Network
from egregium.study import plan_of, swept, worker

DIES = """
import multiprocessing, os
from torch import nn
def net(setting, classes):
    if multiprocessing.parent_process() is not None:
        os._exit(9)
    return nn.Linear(64, classes)
"""
SCRIPT = """
from egregium.study import plan_of, swept
if __name__ == "__main__":
    swept(plan_of({plan!r}), {store!r}, jobs=2)
"""


def numbers(networks: list[Network]) -> list[dict[str, float]]:
    return [dict(network.numbers) for network in networks]


def test_a_killed_sweep_goes_on(tmp_path: Path) -> None:
    """SIGKILL in the middle: nothing is lost, nothing done again, and the numbers are those of a sweep left alone."""
    plan, store, script = tiny_file(tmp_path), tmp_path / "networks.jsonl", tmp_path / "sweep.py"
    script.write_text(SCRIPT.format(plan=str(plan), store=str(store)))
    killed = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    begun = time.monotonic()
    while not store.exists() or store.read_bytes().count(b"\n") < 2:
        assert killed.poll() is None
        assert time.monotonic() - begun < 120
        time.sleep(0.005)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    before = store.read_bytes()
    before = before[: before.rfind(b"\n") + 1]
    with store.open("ab") as file:
        file.write(b'{"setting": {"archi')
    trained: list[Network | None] = []
    found = swept(tiny(tmp_path), store, heard=lambda network, *_: trained.append(network) or True)
    assert store.read_bytes().startswith(before)
    assert len([network for network in trained if network]) == 4 - (before.count(b"\n") - 1)
    alone = swept(tiny(tmp_path), tmp_path / "alone.jsonl")
    assert numbers(found) == numbers(alone)
    keys = [json.dumps(json.loads(line)["setting"]) for line in store.read_text().splitlines()[1:]]
    assert len(keys) == len(set(keys)) == 4


def test_it_ends_where_it_is_told_to_and_keeps_what_is_done(tmp_path: Path) -> None:
    plan, store = tiny(tmp_path), tmp_path / "s.jsonl"
    assert len(swept(plan, store, heard=lambda network, done, planned: done < 2)) == 2
    assert len(swept(plan, store, heard=lambda network, done, planned: False)) == 2  # nothing is begun
    heard: list[tuple[int, int]] = []
    assert len(swept(plan, store, heard=lambda network, done, planned: heard.append((done, planned)) or True)) == 4
    assert heard == [(2, 4), (3, 4), (4, 4)]


def test_networks_are_given_in_the_order_of_the_plan(tmp_path: Path) -> None:
    plan = tiny(tmp_path)
    found = swept(plan, tmp_path / "s.jsonl", jobs=2)
    assert [dict(network.setting) for network in found] == [vars(each) for each in plan.settings]


def test_a_file_of_another_study_is_refused(tmp_path: Path) -> None:
    swept(tiny(tmp_path), tmp_path / "s.jsonl", heard=lambda *_: False)
    with pytest.raises(DocumentError, match=r"holds another study: its measures is \['trace', 'weight_norm'\]"):
        swept(tiny(tmp_path, ("trace",)), tmp_path / "s.jsonl")
    (tmp_path / "s.jsonl").write_text((tmp_path / "s.jsonl").read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(DocumentError, match="its version is 2, asked is 1"):
        swept(tiny(tmp_path), tmp_path / "s.jsonl")
    (tmp_path / "s.jsonl").write_text("hello\n")
    with pytest.raises(DocumentError, match="is not a file of studies"):
        swept(tiny(tmp_path), tmp_path / "s.jsonl")


def test_what_no_network_can_be_trained_with_is_said_before_any_work(tmp_path: Path) -> None:
    plan = tiny(tmp_path, more="")
    with pytest.raises(ArgumentError, match="jobs must be at least 1, got 0"):
        swept(plan, tmp_path / "s.jsonl", jobs=0)
    path = tiny_file(tmp_path)
    path.write_text(path.read_text().replace("train = 60", "train = 6000"))
    with pytest.raises(DataError, match="the study asks for 6,000"):
        swept(plan_of(path), tmp_path / "s.jsonl")
    assert not (tmp_path / "s.jsonl").exists()


def test_an_unknown_architecture_in_a_process_is_the_same_sentence(tmp_path: Path) -> None:
    path = tiny_file(tmp_path)
    path.write_text(path.read_text().replace("[base]", '[base]\narchitecture = "resnet"'))
    with pytest.raises(ArgumentError, match="architecture must be one of cnn, mlp"):
        swept(plan_of(path), tmp_path / "s.jsonl", jobs=2)


def test_a_process_that_is_killed_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "dies.py").write_text(DIES)
    path = tiny_file(tmp_path)
    path.write_text(path.read_text().replace("[base]", f'[base]\narchitecture = "{tmp_path / "dies.py"}:net"'))
    with pytest.raises(ArgumentError, match=r"was killed.*run the same command again, with fewer --jobs"):
        swept(plan_of(path), tmp_path / "s.jsonl", jobs=2)


def test_data_that_change_are_refused(tmp_path: Path) -> None:
    """Between two calls, where the function was edited, and between processes, where it is not seeded."""
    store = tmp_path / "s.jsonl"
    worker.data.cache_clear()
    swept(plan_of(own_plan(tmp_path, "seeded")), store, heard=lambda network, done, planned: done < 1)
    before = store.read_bytes()
    worker.data.cache_clear()
    with pytest.raises(DataError, match=r"own_sweep.py:seeded gives other data now than .*s.jsonl was trained on"):
        swept(plan_of(own_plan(tmp_path, "seeded", seed=12)), store)
    assert store.read_bytes() == before
    worker.data.cache_clear()
    assert len(swept(plan_of(own_plan(tmp_path, "seeded")), store)) == 4
    with pytest.raises(
        DataError, match=r"than a moment ago\. All networks must have the same: seed what is random in it"
    ):
        swept(plan_of(own_plan(tmp_path, "unseeded")), tmp_path / "t.jsonl", jobs=2)


@pytest.mark.parametrize(
    ("architecture", "more", "words"),
    [
        ("narrow", "", r"narrow must make an output \(2, 2\) of inputs \(2, 6\); it raised RuntimeError"),
        ("alone", "", r"alone must make an output \(2, 2\) of inputs \(2, 6\), got \(2, 1\)"),
        ("broken", "", "broken failed: ZeroDivisionError"),
        ("missing", "", "has no function 'missing'"),
        ("mlp", 'own_measures = "none.py:measures"\n', "There is no file none.py"),
    ],
)
def test_what_is_the_user_s_is_looked_at_before_the_file_is_made(
    architecture: str, more: str, words: str, tmp_path: Path
) -> None:
    path = own_plan(tmp_path, "seeded", architecture)
    path.write_text(more + path.read_text())
    with pytest.raises(EgregiumError, match=words):
        swept(plan_of(path), tmp_path / "s.jsonl")
    assert not (tmp_path / "s.jsonl").exists()


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="device 'nowhere' cannot be used"):
        swept(tiny(tmp_path), tmp_path / "s.jsonl", device="nowhere")


def test_told_to_end_it_keeps_the_networks_at_work(tmp_path: Path) -> None:
    """Two processes, told after the first network: the other one is finished and kept, and no third is begun."""
    found = swept(tiny(tmp_path), tmp_path / "s.jsonl", jobs=2, heard=lambda network, done, planned: done < 1)
    assert len(found) == 2
    assert len((tmp_path / "s.jsonl").read_text().splitlines()) == 1 + len(found)

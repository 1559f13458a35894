"""Sweeps that are killed and go on, over one process and several."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from plans import tiny, tiny_file

from egregium.errors import ArgumentError, DataError, DocumentError
from egregium.results import Network
from egregium.study import plan_of, swept

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
    (tmp_path / "dies.py").write_text("import os\ndef net(setting, classes):\n    os._exit(9)\n")
    path = tiny_file(tmp_path)
    path.write_text(path.read_text().replace("[base]", f'[base]\narchitecture = "{tmp_path / "dies.py"}:net"'))
    with pytest.raises(ArgumentError, match=r"was killed.*run the same command again, with fewer --jobs"):
        swept(plan_of(path), tmp_path / "s.jsonl", jobs=2)

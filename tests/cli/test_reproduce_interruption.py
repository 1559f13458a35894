"""Ctrl-C while statements are run: those that are done are kept, with their page; nothing else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import heard
from handmade_claims import HOLDING
from made_up import has, made_up, run

from egregium.claims import Outcome, Run, StoppedError
from egregium.errors import DataError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """SIGINT is ignored where the tests run in the background of a script."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_statement_that_was_stopped_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it says so itself, or an estimate in it ended early or in a sentence."""

    def pressed(_: Run) -> Outcome:
        os.kill(os.getpid(), signal.SIGINT)
        return Outcome((HOLDING,))

    def hearing(how: Run) -> Outcome:
        pressed(how)
        with pytest.raises(StoppedError):
            how.advance("next", 0.5)
        raise DataError("there is no estimate")

    def advancing(how: Run) -> Outcome:
        pressed(how)
        how.advance("next", 0.5)
        return Outcome(())

    for i, stopping in enumerate((pressed, hearing, advancing)):
        has(monkeypatch, made_up("C1", HOLDING), made_up("C2", run=stopping), made_up("C3", HOLDING))
        code, said, wrong = run("--out", str(tmp_path / f"out{i}"))
        assert code == 130
        assert "Interrupted: the others were not run." in said
        assert "Stopping at the next step" in wrong
        assert "could not be run" not in said
        assert {path.name for path in (tmp_path / f"out{i}").iterdir()} == {"C1.json", "report.html"}


#: Two statements: one is done at once, the other takes long and listens at each step, or not at all.
SLOW = """
import sys, time
sys.path[:0] = {path!r}
from egregium.cli import reproduce, main
from handmade_claims import HOLDING
from made_up import made_up
from egregium.claims import Outcome

def long(run):
    open("begun", "w").close()
    for _ in range(3000):
        time.sleep(0.02)
        if {listens}:
            run.advance("waiting", 0.5)
    return Outcome(())

first = [made_up("C1", HOLDING)] if {first} else []
reproduce.CLAIMS = {{claim.id: claim for claim in (*first, made_up("C2", run=long), made_up("C3", HOLDING))}}
main()
"""


def begun(folder: Path, *, first: bool = True, listens: bool = True) -> subprocess.Popen[str]:
    path = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "report")]
    (folder / "slow.py").write_text(SLOW.format(path=path, first=first, listens=listens))
    process = subprocess.Popen(
        [sys.executable, "slow.py", "reproduce", "--out", "out"],
        cwd=folder,
        text=True,
        preexec_fn=heard,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not (folder / "begun").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


def ended(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert "Interrupted" in out + err
    return " ".join((out + err).split())


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_what_is_done_and_writes_its_page(kind: signal.Signals, tmp_path: Path) -> None:
    process = begun(tmp_path)
    process.send_signal(kind)
    said = ended(process)
    assert "Stopping at the next step of this statement" in said
    assert "The statement holds as stated, with 1 comparison." in said
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"C1.json", "report.html"}
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_ctrl_c_twice_ends_at_once(tmp_path: Path) -> None:
    process = begun(tmp_path, listens=False)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert "C1.json in out are whole. As a page: egregium report out" in ended(process)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"C1.json"}


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_before_the_first_writes_nothing(times: int, tmp_path: Path) -> None:
    process = begun(tmp_path, first=False, listens=times == 1)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    assert "Interrupted before a statement was done; nothing was written." in ended(process)
    assert not (tmp_path / "out").exists()

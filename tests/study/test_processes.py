"""The processes of a sweep: they end with it, and never hear Ctrl-C."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import heard
from plans import own_plan

from egregium.study.processes import _unheard

SCRIPT = """
from egregium.study import plan_of, swept
if __name__ == "__main__":
    swept(plan_of({plan!r}), {store!r}, jobs=2)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at the processes in /proc")
def test_they_end_with_one_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL says nothing to them; they would compute on, for nobody."""
    plan, script = own_plan(tmp_path, "seeded", "endless"), tmp_path / "sweep.py"
    script.write_text(SCRIPT.format(plan=str(plan), store=str(tmp_path / "s.jsonl")))
    swept = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    try:
        while len(at_work(tmp_path)) < 2:
            assert swept.poll() is None
            time.sleep(0.05)
        workers = at_work(tmp_path)
        swept.kill()
        swept.wait()
        begun = time.monotonic()
        while any(runs(pid) for pid in workers):
            assert time.monotonic() - begun < 30
            time.sleep(0.05)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(swept.pid, signal.SIGKILL)


def at_work(folder: Path) -> list[int]:
    """The processes that are at their first network: each has left a file with its number."""
    return [int(path.name) for path in (folder / "at-work").glob("*")]


def runs(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    return False


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals of POSIX")
def test_one_that_is_begun_unheard_survives_ctrl_c_while_it_imports() -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('alive')"

    def begun() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=heard,
        )

    with _unheard():
        inside = begun()
    assert inside.communicate()[0] == "alive\n"
    assert begun().communicate()[0] == ""
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())

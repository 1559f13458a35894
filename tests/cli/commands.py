"""The command as a user runs it: in a process of its own."""

import signal
import subprocess
import sys
from pathlib import Path

#: What stands before the arguments; unbuffered, so that a test can read along.
MAIN = [sys.executable, "-u", "-c", "from egregium.cli import main; main()"]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`egregium ARGUMENTS` in `folder`, to its end."""
    command = [*MAIN, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def heard() -> None:
    """For `preexec_fn`: SIGINT is ignored where the tests run in the background of a script."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

"""Every code block of README and docs is run: `make docs`."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

ROOT = Path(__file__).parent
#: Commands of a newcomer that a test of the documents does not repeat.
ELSEWHERE = ("git clone ", "cd ", "pip install ")
#: What takes long, and what is asked in its place.
LONG = {
    "make": "make -n",
    "python -m bench": "python -m bench --help",
    "egregium study": "egregium study --help",
    "egregium reproduce all": "egregium reproduce --help",
}


def folder(example: Example) -> Path:
    """One folder a document, kept for its later blocks; or that of `make pictures`."""
    return Path(example.namespace.setdefault("_folder", os.environ.get("PICTURES") or mkdtemp()))


class Shell(CodeBlockParser):
    """Blocks of `sh`: each line is run; what takes long (`LONG`) is only asked whether it knows it."""

    language = "sh"

    def evaluate(self, example: Example) -> None:
        """Fail with the command's own words where it fails."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        for line in filter(None, example.parsed.splitlines()):
            if line.startswith(ELSEWHERE):
                continue
            command, where = line, folder(example)
            for long, asked in LONG.items():
                if line.startswith(long):
                    command, where = line.replace(long, asked, 1), ROOT
            environment = {**os.environ, "PATH": path}
            done = subprocess.run(
                ["bash", "-c", command], cwd=where, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise AssertionError(f"{line} failed with {done.returncode}: {done.stderr or done.stdout}")


class Python(CodeBlockParser):
    """Blocks of `python`: run; one that begins with `# name.py` is also written to that file."""

    language = "python"

    def evaluate(self, example: Example) -> None:
        """Run the block in the document's namespace."""
        first = example.parsed.splitlines()[0]
        if first.startswith("# ") and first.endswith(".py"):
            (folder(example) / first[2:]).write_text(example.parsed)
        with contextlib.chdir(folder(example)):
            PythonEvaluator()(example)


pytest_collect_file = Sybil(parsers=[Python(), Shell()], patterns=["README.md", "docs/*.md"]).pytest()

"""Places of a slice in an append-only file of JSON lines, so that a run that was killed goes on where it ended.

The first line says what is measured, and each other line holds one place: {"q": quantity, "i": [row, column], "v":
value, "w": half-width, "c": gradients}. A half-written last line is dropped.
"""

import importlib
import importlib.util
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from egregium.errors import DocumentError
from egregium.results import Cost
from egregium.slices.quantities import Found

Key = tuple[str, int, int]
#: How the first line begins.
HEAD = b'{"slice"'


class Store:
    """What is known of a slice: in memory, and in a file where one is given."""

    def __init__(self, path: str | os.PathLike[str] | None, what: Mapping[str, Any], anew: bool = False) -> None:
        self.path, self.known = None if path is None else Path(path), dict[Key, Found]()
        self.file: IO[bytes] | None = None
        header = json.dumps({"slice": dict(what)}, sort_keys=True)
        if self.path is None:
            return
        try:
            self.file = self.path.open("a+b")
            _locked(self.file, self.path)
            self._begin(header, anew)
        except OSError as error:
            raise DocumentError(f"{self.path} cannot be written: {error.strerror}. Choose another file.") from error

    def _begin(self, header: str, anew: bool) -> None:
        """What the file knows of this slice; a file of another one is begun anew where that is asked for."""
        assert self.file is not None
        self.file.seek(0)
        content = self.file.read()
        if b"\n" not in content and HEAD.startswith(content[: len(HEAD)]):  # nothing, or half of a header
            content = b""
        if content:
            try:
                self._read(content, header)
            except DocumentError:
                if not anew:
                    raise
                self.known, content = {}, b""
        if not content:
            self.file.truncate(0)
            self._write(header)

    def _read(self, content: bytes, header: str) -> None:
        """The places of the file; what a killed run wrote half of is cut off."""
        assert self.file is not None
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.decode("utf-8", "replace").splitlines()
        if not lines or not lines[0].startswith('{"slice"'):
            raise DocumentError(f"{self.path} is not a file of slices. Name another file, or remove it.")
        if lines[0] != header:
            raise DocumentError(f"{self.path} holds another slice: {_differs(lines[0], header)}. Name another file.")
        for number, line in enumerate(lines[1:], 2):
            try:
                key, there = _place(json.loads(line))
                self.known[key] = there
            except (KeyError, TypeError, ValueError) as error:
                raise DocumentError(
                    f"{self.path} is damaged at line {number}. Remove that line, or the file."
                ) from error
        if len(whole) < len(content):
            self.file.truncate(len(whole))

    def add(self, key: Key, found: Found) -> None:
        """Keep a place, on disk before the next one is begun."""
        self.known[key] = found
        if self.file is None:
            return
        place = {"q": key[0], "i": key[1:], "v": _text(found.value), "w": _text(found.half_width)}
        more = {} if found.converged else {"vague": True}
        self._write(json.dumps(place | {"c": found.cost.gradients} | more))

    def _write(self, line: str) -> None:
        assert self.file is not None
        try:
            self.file.write(line.encode() + b"\n")
            self.file.flush()
        except OSError as error:
            raise DocumentError(f"{self.path} cannot be written: {error.strerror}. Free some space.") from error

    def close(self) -> None:
        """Let go of the file: another run may go on with it."""
        if self.file is not None:
            self.file.close()


def _place(line: dict[str, Any]) -> tuple[Key, Found]:
    """A place as its line says it. Raises ValueError, TypeError or KeyError where a hand has edited it."""
    i, j = line["i"]
    value, width, price = (_number(line[name]) for name in ("v", "w", "c"))
    if not (type(i) is type(j) is int) or not isinstance(line["q"], str) or width < 0 or not 0 <= price < math.inf:
        raise ValueError("no place")
    return (line["q"], i, j), Found(value, width, Cost(gradients=price), converged="vague" not in line)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or value in ("nan", "inf", "-inf")):
        raise ValueError("no number")
    return float(value)


def _locked(file: IO[bytes], path: Path) -> None:
    """Keep other processes from the file until it is closed, where the system can."""
    if importlib.util.find_spec("fcntl") is None:
        return
    fcntl = importlib.import_module("fcntl")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise DocumentError(
            f"{path} is being written by another process. Wait for it, or name another file."
        ) from error


def _text(value: float) -> float | str:
    """A number as JSON has it; as text where it has none: "nan", "inf", "-inf"."""
    return value if math.isfinite(value) else str(value)


def _differs(old: str, new: str) -> str:
    """What two headers do not agree on."""
    try:
        before, after = json.loads(old)["slice"], json.loads(new)["slice"]
        names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
        return ", ".join(f"its {name} is {before.get(name)!r}, asked is {after.get(name)!r}" for name in names[:3])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "its first line cannot be read"

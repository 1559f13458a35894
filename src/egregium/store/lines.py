"""An append-only file of JSON lines: a first line that says what the others belong to, and one line an entry.

A line is on disk before the next entry is begun; of what a killed run wrote half of, nothing is kept.
"""

import importlib
import importlib.util
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from egregium.errors import DocumentError

Entry = TypeVar("Entry")
#: Reads a line's object; raises ValueError, TypeError or KeyError where a hand has edited it.
Reader = Callable[[Any], Entry]


class LineFile(Generic[Entry]):
    """The file at `path`, open and locked until `close`; `entries` is what it held.

    Args:
        path: made where it is missing, in a folder that exists.
        kind: what it is a file of, in one word; the first line is {kind: what}.
        what: by what two runs tell whether they may share a file.
        read: makes an entry of a line's object.
        anew: begin a file of something else anew, instead of refusing it.

    Raises DocumentError where the file is of another kind or run, damaged, locked, or cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        kind: str,
        what: Mapping[str, Any],
        read: Reader[Entry],
        anew: bool = False,
    ) -> None:
        self.path, self.entries, self._kind = Path(path), list[Entry](), kind
        header = json.dumps({kind: dict(what)}, sort_keys=True)
        try:
            self._file = self.path.open("a+b")
            _lock(self._file, self.path)
            self._begin(header, read, anew)
        except OSError as error:
            raise DocumentError(f"{self.path} cannot be written: {error.strerror}. Choose another file.") from error
        except DocumentError:
            self.close()
            raise

    def _begin(self, header: str, read: Reader[Entry], anew: bool) -> None:
        """What the file holds of this run; a file of another one is begun anew where that is asked for."""
        self._file.seek(0)
        content = self._file.read()
        if _half_a_header(content, self._kind):
            content = b""
        if content:
            try:
                self.entries, length = _read(content, self.path, self._kind, read, header)
                if length < len(content):
                    self._file.truncate(length)
            except DocumentError:
                if not anew:
                    raise
                content = b""
        if not content:
            self._file.truncate(0)
            self._write(header)

    def add(self, line: Mapping[str, Any]) -> None:
        """Append an entry as its line; it is on disk when this returns."""
        self._write(json.dumps(line))

    def _write(self, line: str) -> None:
        try:
            self._file.write(line.encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise DocumentError(f"{self.path} cannot be written: {error.strerror}. Free some space.") from error

    def close(self) -> None:
        """Let go of the file: another run may go on with it."""
        self._file.close()


def lines_of(path: str | os.PathLike[str], kind: str, read: Reader[Entry]) -> tuple[dict[str, Any], list[Entry]]:
    """What the first line says, and the entries; the file is only read, and a half-written last line is left out.

    Raises DocumentError where it cannot be read, is of another kind, or damaged.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DocumentError(f"Cannot read {path}: {error.strerror}. Pass the path of a file of {kind}.") from error
    entries, _ = _read(content, Path(path), kind, read, None)
    what: dict[str, Any] = json.loads(content.splitlines()[0])[kind]
    return what, entries


def _half_a_header(content: bytes, kind: str) -> bool:
    """Nothing, or what a killed run leaves of its first line."""
    begins = f'{{"{kind}"'.encode()
    return b"\n" not in content and begins.startswith(content[: len(begins)])


def _read(content: bytes, path: Path, kind: str, read: Reader[Entry], header: str | None) -> tuple[list[Entry], int]:
    """The entries, and how many bytes of the file are whole lines."""
    length = content.rfind(b"\n") + 1
    lines = content[:length].decode("utf-8", "replace").splitlines()
    if not lines or not lines[0].startswith(f'{{"{kind}"'):
        raise DocumentError(f"{path} is not a file of {_several(kind)}. Name another file, or remove it.")
    if header is not None and lines[0] != header:
        raise DocumentError(f"{path} holds another {kind}: {_differs(lines[0], header, kind)}. Name another file.")
    entries = []
    for number, line in enumerate(lines[1:], 2):
        try:
            entries.append(read(json.loads(line)))
        except (KeyError, TypeError, ValueError) as error:
            raise DocumentError(f"{path} is damaged at line {number}. Remove that line, or the file.") from error
    return entries, length


def _several(kind: str) -> str:
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def _lock(file: IO[bytes], path: Path) -> None:
    """Keep other processes from the file until it is closed, where the system can."""
    if importlib.util.find_spec("fcntl") is None:
        return
    fcntl = importlib.import_module("fcntl")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DocumentError(
            f"{path} is being written by another process. Wait for it, or name another file."
        ) from error


def _differs(old: str, new: str, kind: str) -> str:
    """What two headers do not agree on."""
    try:
        before, after = json.loads(old)[kind], json.loads(new)[kind]
        names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
        return ", ".join(f"its {name} is {before.get(name)!r}, asked is {after.get(name)!r}" for name in names[:3])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "its first line cannot be read"

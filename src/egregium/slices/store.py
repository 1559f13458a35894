"""Places of a slice in an append-only file of JSON lines, so that a run that was killed goes on where it ended.

The first line says what is measured, and each other line holds one place: {"q": quantity, "i": [row, column], "v":
value, "w": half-width, "c": gradients}. A half-written last line is dropped.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from egregium.errors import DocumentError
from egregium.results import Cost
from egregium.slices.quantities import Found

Key = tuple[str, int, int]


class Store:
    """What is known of a slice: in memory, and in a file where one is given."""

    def __init__(self, path: str | os.PathLike[str] | None, what: Mapping[str, Any]) -> None:
        self.path, self.known = None if path is None else Path(path), dict[Key, Found]()
        header = json.dumps({"slice": dict(what)}, sort_keys=True)
        if self.path is None:
            return
        try:
            if self.path.exists() and self.path.stat().st_size:
                self._read(header)
            else:
                self.path.write_text(header + "\n", encoding="utf-8")
        except OSError as error:
            raise DocumentError(f"{self.path} cannot be written: {error.strerror}. Choose another file.") from error

    def _read(self, header: str) -> None:
        """The places of the file; what a killed run wrote half of is cut off."""
        assert self.path is not None
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.decode("utf-8", "replace").splitlines()
        if not lines or not lines[0].startswith('{"slice"'):
            raise DocumentError(f"{self.path} is not a file of slices. Name another file, or remove it.")
        if lines[0] != header:
            raise DocumentError(f"{self.path} holds another slice: {_differs(lines[0], header)}. Name another file.")
        for number, line in enumerate(lines[1:], 2):
            try:
                place = json.loads(line)
                i, j = place["i"]
                key = (str(place["q"]), int(i), int(j))
                self.known[key] = Found(float(place["v"]), float(place["w"]), Cost(gradients=float(place["c"])))
            except (KeyError, TypeError, ValueError) as error:
                raise DocumentError(
                    f"{self.path} is damaged at line {number}. Remove that line, or the file."
                ) from error
        if len(whole) < len(content):
            os.truncate(self.path, len(whole))

    def add(self, key: Key, found: Found) -> None:
        """Keep a place, on disk before the next one is begun."""
        self.known[key] = found
        if self.path is None:
            return
        place = {"q": key[0], "i": key[1:], "v": _text(found.value), "w": _text(found.half_width)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(place | {"c": found.cost.gradients}) + "\n")


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

"""Places of a slice in memory, and in a file where one is given, so that a killed run goes on.

Each line of the file holds one place: {"q": quantity, "i": [row, column], "v": value, "w": half-width, "c": gradients}.
"""

import math
import os
from collections.abc import Mapping
from typing import Any

from egregium.results import Cost
from egregium.slices.quantities import Found
from egregium.store import LineFile

Key = tuple[str, int, int]


class Store:
    """What is known of a slice."""

    def __init__(self, path: str | os.PathLike[str] | None, what: Mapping[str, Any], anew: bool = False) -> None:
        self.file = None if path is None else LineFile(path, "slice", what, _place, anew)
        self.known: dict[Key, Found] = dict(self.file.entries) if self.file is not None else {}

    def add(self, key: Key, found: Found) -> None:
        """Keep a place, on disk before the next one is begun."""
        self.known[key] = found
        if self.file is None:
            return
        place = {"q": key[0], "i": key[1:], "v": _text(found.value), "w": _text(found.half_width)}
        more = {} if found.converged else {"vague": True}
        self.file.add(place | {"c": found.cost.gradients} | more)

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


def _text(value: float) -> float | str:
    """A number as JSON has it; as text where it has none: "nan", "inf", "-inf"."""
    return value if math.isfinite(value) else str(value)

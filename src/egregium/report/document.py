"""The documents inside the page, as links that work offline."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from egregium.results import Between, ClaimResult, Estimate, Measurement, ModePath, Network
from egregium.results.document import text

#: Characters of all links above which the page would become unwieldy.
LIMIT = 800_000
#: To which the numbers of a study's networks are rounded where its document is too large.
DIGITS = 6


@dataclass(frozen=True)
class Embedded:
    """A data: URI of the JSON document, how large the document is, and whether parts of it are left out.

    `href` is empty where the document is too large even without them.
    """

    href: str
    kilobytes: int
    reduced: bool


def embedded(result: Any) -> Embedded:
    """The document as `egregium.load` reads it; without samples, densities, trained points, charts where too large."""
    return all_embedded([result])[0]


def all_embedded(results: Sequence[Any]) -> list[Embedded]:
    """Each of the documents, the largest ones reduced until all of them together are below the limit, or left out."""
    texts = [_text(result) for result in results]
    states = ["whole"] * len(texts)
    for state in ("reduced", "left out"):
        for i in sorted(range(len(texts)), key=lambda i: -len(texts[i])):
            if 4 * sum(map(len, texts)) / 3 <= LIMIT:
                break
            states[i] = state
            texts[i] = _text(_without_samples(results[i])) if state == "reduced" else ""
    return [_link(kept, state) for kept, state in zip(texts, states, strict=True)]


def _link(kept: str, state: str) -> Embedded:
    link = "data:application/json;base64," + b64encode(kept.encode()).decode() if kept else ""
    return Embedded(link, max(round(len(kept) / 1000), 1), state != "whole")


def _text(result: Any) -> str:
    """What `result.save` writes, on one line."""
    return json.dumps(json.loads(text(result)), separators=(",", ":"))


def _without_samples(value: Any) -> Any:
    """`value` without the samples of its estimates, densities, trained points and charts, and with fewer digits."""
    if type(value) is tuple:
        return tuple(map(_without_samples, value))
    if isinstance(value, Mapping):
        return {key: _without_samples(item) for key, item in value.items()}
    if not is_dataclass(value) or isinstance(value, type):
        return value
    kept: dict[str, Any] = {field.name: _without_samples(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Estimate):
        kept["samples"] = value.samples[:0]
    elif isinstance(value, Measurement):
        kept["density"] = None
    elif isinstance(value, ModePath):
        kept["bends"] = value.bends[:0]
    elif isinstance(value, ClaimResult):
        kept["charts"] = ()
    elif isinstance(value, Network):
        kept["numbers"] = _rounded(value.numbers)
        kept["half_widths"] = _rounded({name: half for name, half in value.half_widths.items() if half})
    elif isinstance(value, Between):
        kept = _rounded(kept)
    return replace(value, **kept)


def _rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.{DIGITS}g}") for name, value in numbers.items()}

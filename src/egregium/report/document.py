"""The session's document inside the page, as a link that works offline."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from egregium.results import Estimate, Measurement, Session
from egregium.results.document import text

#: Characters of a link above which the page would become unwieldy.
LIMIT = 800_000


@dataclass(frozen=True)
class Embedded:
    """A data: URI of the JSON document, how large the document is, and whether samples and densities are left out."""

    href: str
    kilobytes: int
    reduced: bool


def embedded(session: Session) -> Embedded:
    """The document as `egregium.load` reads it; without per-probe samples and densities where it is too large."""
    whole = _text(session)
    reduced = 4 * len(whole) / 3 > LIMIT
    kept = _text(_without_samples(session)) if reduced else whole
    link = "data:application/json;base64," + b64encode(kept.encode()).decode()
    return Embedded(link, max(round(len(kept) / 1000), 1), reduced)


def _text(session: Session) -> str:
    """What `session.save` writes, on one line."""
    return json.dumps(json.loads(text(session)), separators=(",", ":"))


def _without_samples(session: Session) -> Session:
    return replace(session, measurements={name: _reduced(m) for name, m in session.measurements.items()})


def _reduced(m: Measurement) -> Measurement:
    kept: dict[str, Any] = {field.name: _emptied(getattr(m, field.name)) for field in fields(m)}
    return Measurement(**kept | {"density": None})


def _emptied(value: Any) -> Any:
    if isinstance(value, Estimate):
        return replace(value, samples=value.samples[:0])
    if isinstance(value, Mapping):
        return {key: _emptied(item) for key, item in value.items()}
    return value

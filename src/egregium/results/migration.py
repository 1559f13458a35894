"""Documents of other versions: an older schema is brought up to the present one, a newer one is refused."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from egregium.errors import DocumentError

#: Raised when a reader of the older version would misread the newer; a new field with a default needs no new schema.
SCHEMA = 1

#: From each older schema to the next: the content under "result" -> the same in the next schema.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def migrated(document: Mapping[str, Any], path: object) -> dict[str, Any]:
    """The content under "result", in the present schema.

    Raises DocumentError where the schema is newer than this version reads, or is none.
    """
    schema, result = document["schema"], document["result"]
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < min(MIGRATIONS, default=SCHEMA):
        raise DocumentError(f"{path} has schema {schema!r}, which no egregium wrote. Restore it from a copy.")
    if schema > SCHEMA:
        writer = document.get("egregium", "a newer version")
        raise DocumentError(
            f"{path} has schema {schema}, written by egregium {writer}; this is egregium {version('egregium')}, which "
            f"reads {SCHEMA}. Upgrade egregium to {writer} or later to read it."
        )
    for step in range(schema, SCHEMA):
        result = MIGRATIONS[step](result)
    return dict(result)

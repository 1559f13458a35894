"""The folder that a command writes to, and what its documents say of the command."""

import os
import shlex
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from egregium.errors import ArgumentError
from egregium.results import refuse_existing

#: Whether the system can say what the process may do, instead of its user.
EFFECTIVE = os.access in os.supports_effective_ids


def prepared(out: Path, names: Iterable[str], force: bool) -> None:
    """Refuse before any work what could not be written after it: the files `names` in the folder `out`."""
    for name in names:
        refuse_existing(out / name, force=force)
    nearest = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK, effective_ids=EFFECTIVE):
        why = "cannot be written to" if nearest.is_dir() else "is a file"
        raise ArgumentError(f"--out {out} cannot be used: {nearest} {why}. Choose another folder.")


def made(folder: Path) -> None:
    """Make the folder where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(f"--out {folder} cannot be made: {error.strerror}. Choose another folder.") from error


def command_line() -> str:
    """The command as it was typed."""
    return shlex.join(["egregium", *sys.argv[1:]])


@cache
def now() -> str:
    """When this command ran, ISO 8601 in UTC: the same for all that it writes."""
    return datetime.now(UTC).isoformat(timespec="seconds")

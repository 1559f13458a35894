"""Append-only files, so that a run that was killed goes on where it ended."""

from egregium.store.lines import LineFile, lines_of

__all__ = ["LineFile", "lines_of"]

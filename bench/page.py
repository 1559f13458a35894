"""A page's tables drawn from a stored document, between its marks `<!-- bench: PART.TABLE -->` and `<!-- end -->`."""

import re
from pathlib import Path
from typing import Any

from bench.record import read, revived
from bench.tables import markdown

MARK = re.compile(r"(<!-- bench: ([\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def drawn(page: str, document: Path) -> str:
    """The page with what stands between its marks drawn anew; what the document lacks stays as it is."""
    parts = read(document)

    def block(mark: re.Match[str]) -> str:
        part, _, table = mark[2].partition(".")
        if part not in parts or (table and table not in _tables(parts[part])):
            return mark[0]
        text = markdown(revived(_tables(parts[part])[table])) if table else _where(part, parts[part])
        return f"{mark[1]}{text}{mark[3]}"

    return MARK.sub(block, page)


def _tables(part: dict[str, Any]) -> dict[str, Any]:
    return {table["name"]: table for table in part["tables"]}


def _where(name: str, part: dict[str, Any]) -> str:
    """The part's environment in one line."""
    at = part["environment"]
    return (
        f"`python -m bench {name}`, {part['date']}, {part['seconds'] / 60:.1f} minutes: {part['processor']}, "
        f"{at['cores']} cores, {at['threads']} threads, torch {at['torch']}, numpy {at['numpy']}, "
        f"Python {at['python']}, egregium {at['egregium']}.\n"
    )

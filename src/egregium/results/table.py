"""Rows of a table of results, for terminal, notebook and page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Row:
    """One line: the name of a quantity, its value with interval, what it means; `group` separates parts of a table."""

    name: str
    value: str
    meaning: str
    group: str = ""
    strong: bool = False


def html_table(rows: Sequence[Row]) -> str:
    """The rows as an HTML table.

    >>> html_table([Row("R", "1 (exact)", "a < b")])
    '<table><tr><th scope="row">R</th><td>1 (exact)</td><td>a &lt; b</td></tr></table>'
    """
    lines = []
    for row in rows:
        value = f"<strong>{escape(row.value)}</strong>" if row.strong else escape(row.value)
        lines.append(f'<tr><th scope="row">{escape(row.name)}</th><td>{value}</td><td>{escape(row.meaning)}</td></tr>')
    return f"<table>{''.join(lines)}</table>"

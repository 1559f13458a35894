"""Tables of results: rows of numbers with a format for each column, for the terminal and for a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

Row = dict[str, Any]

#: Columns of text that a table may take, so that a log reads like a terminal.
WIDTH = 170


@dataclass(frozen=True)
class Column:
    """`key` in a row, `head` over the column, `form` a format specification for its numbers."""

    key: str
    head: str
    form: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under columns; `note` says what a reader must know, a failed case is a row with "failure"."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: list[Row] = field(default_factory=list)
    note: str = ""

    @property
    def failures(self) -> list[Row]:
        """The rows of cases that failed."""
        return [row for row in self.rows if "failure" in row]


def attempted(labels: Row, case: Callable[[], Row]) -> Row:
    """`labels` with what `case` returns, or with its failure in words: a failing case is a result too."""
    try:
        return labels | case()
    except Exception as error:  # whatever it is, it is recorded and printed
        return labels | {"failure": f"{type(error).__name__}: {error}"}


def cells(row: Mapping[str, Any], columns: tuple[Column, ...]) -> list[str]:
    """One row as text; a failure stands in the first column that has no value."""
    texts, failure = [], row.get("failure", "")
    for column in columns:
        value = row.get(column.key)
        if value is None:
            texts.append(str(failure).partition("\n")[0][:120])
            failure = ""
        else:
            texts.append(value if isinstance(value, str) else format(value, column.form))
    return texts


def show(table: Table) -> None:
    """Print the table."""
    console = Console(width=WIDTH)
    rich = RichTable(title=table.title, title_justify="left", caption=table.note or None, caption_justify="left")
    for index, column in enumerate(table.columns):
        rich.add_column(column.head, justify="right" if index else "left", no_wrap=not index)
    for row in table.rows:
        rich.add_row(*cells(row, table.columns))
    console.print(rich)


def markdown(table: Table) -> str:
    """The table for a page, its title in bold above and its note below."""
    lines = [f"**{table.title}**", ""]
    lines.append("| " + " | ".join(column.head for column in table.columns) + " |")
    lines.append("| " + " | ".join(["---"] + ["---:"] * (len(table.columns) - 1)) + " |")
    for row in table.rows:
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells(row, table.columns)) + " |")
    return "\n".join([*lines, "", *([table.note, ""] if table.note else [])])

"""How a result shows itself in a notebook: its table, and its picture where the room that draws has been loaded."""

from collections.abc import Callable
from typing import Any

from egregium.results.table import Row, html_table

#: By class of result, what draws it: inline SVGs. `egregium.viz` enters itself here, since results do not know it.
DRAWN: dict[type, Callable[[Any], str]] = {}


def shown(result: Any, rows: list[Row]) -> str:
    """The table of a result as HTML, below its picture."""
    draw = DRAWN.get(type(result))
    return (draw(result) if draw is not None else "") + html_table(rows)

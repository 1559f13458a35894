"""A chart as data: numbers with their intervals over an axis, drawn by `viz` and held by documents."""

from dataclasses import dataclass
from typing import Literal

from egregium.results.document import Document

Scale = Literal["linear", "log"]
Mark = Literal["points", "line"]


@dataclass(frozen=True)
class Series:
    """One curve or cloud of a chart.

    Attributes:
        name: in the legend; "" for none.
        x, y: the numbers, in order.
        half_widths: of the intervals of y; empty where there are none.
        mark: points for what was measured, a line for what was computed.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    half_widths: tuple[float, ...] = ()
    mark: Mark = "points"

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or len(self.half_widths) not in (0, len(self.y)):
            raise ValueError(f"the series {self.name!r} has {len(self.x)} places and {len(self.y)} numbers")


@dataclass(frozen=True)
class Chart:
    """Series over common axes, a title that says what is seen, and a caption that says what is fixed and sampled."""

    title: str
    caption: str
    x: str
    y: str
    series: tuple[Series, ...]
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"


Document.register(Series, Chart)

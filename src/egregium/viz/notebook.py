"""Pictures of results in a notebook: importing this lets them show themselves."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from egregium.results import Measurement, ModePath, Slice, Trajectory
from egregium.results.notebook import DRAWN
from egregium.viz.modes import mode_path_figure
from egregium.viz.picture import Picture
from egregium.viz.slices import slice_figures
from egregium.viz.spectrum import spectrum_figure
from egregium.viz.svg import svg
from egregium.viz.trajectory import trajectory_figure

#: Width of a picture in a notebook, whose cells are wide.
WIDTH = "34rem"


def _drawn(figures: Callable[[Any], Picture | Iterable[Picture] | None]) -> Callable[[Any], str]:
    def draw(result: Any) -> str:
        found = figures(result)
        pictures = [] if found is None else [found] if isinstance(found, Picture) else list(found)
        return "".join(
            f'<figure style="max-width: {WIDTH}; margin: 0 0 1em">{svg(picture)}<figcaption>{escape(picture.caption)}'
            "</figcaption></figure>"
            for picture in pictures
        )

    return draw


DRAWN |= {
    Measurement: _drawn(spectrum_figure),
    ModePath: _drawn(mode_path_figure),
    Slice: _drawn(slice_figures),
    Trajectory: _drawn(trajectory_figure),
}

"""The loss over a plane as what a surface is drawn from: heights, colours, the nearest measured R, the checkpoints."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Colormap, Normalize
from numpy.typing import NDArray

from egregium.results import Sheet, Slice, Trajectory
from egregium.viz.colours import colour_scale
from egregium.viz.interpolation import Array, between, finite
from egregium.viz.labels import typeset

#: The ratio of the highest to the lowest loss from which its axis is logarithmic.
STEEP_HEIGHTS = 50.0


@dataclass(frozen=True, eq=False)
class Surface:
    """A plane's loss as a surface.

    Attributes:
        a, b: coordinates along the two directions; heights: (k, m) the loss, NaN where it is not finite.
        colours: likewise: R between the places where it was measured, NaN where unknown; the loss where there is no R.
        shade, norm: how the colours look.
        by: the sheet of R; None where the loss gives the colours.
    """

    a: Array
    b: Array
    heights: Array
    colours: Array
    shade: Colormap
    norm: Normalize
    by: Sheet | None

    @property
    def logarithmic(self) -> bool:
        """Whether heights are on a logarithmic axis: a linear one would flatten what is low."""
        known = self.heights[np.isfinite(self.heights)]
        return bool(known.min() > 0 and known.max() > STEEP_HEIGHTS * known.min())

    @property
    def height(self) -> str:
        """The label of the vertical axis."""
        return "loss f, logarithmic" if self.logarithmic else "loss f"

    @property
    def title(self) -> str:
        """Of the picture."""
        return f"The loss over a plane, coloured by {'scalar curvature R' if self.by is not None else 'the loss'}"

    @property
    def key(self) -> tuple[str, ...]:
        """Of the colours, a line each: what they are, with the widest interval; smaller differences are noise."""
        if self.by is None:
            return ("loss f",)
        widest = self.by.widest
        return ("R", f"± {typeset(f'{widest:.2g}')}") if widest > 0 else ("R",)


def surface(plane: Slice) -> Surface | None:
    """What there is to draw of `plane`; None where it is no plane, or has no finite loss."""
    loss = plane.sheets.get("loss")
    if plane.kind != "plane" or loss is None or not np.isfinite(np.asarray(loss.values)).any():
        return None
    a, b = (np.asarray(x, dtype=float) for x in (loss.a, loss.b))
    heights = finite(loss.values)
    by = plane.sheets.get("scalar_curvature")
    if by is None or not np.isfinite(np.asarray(by.values)).any():
        return Surface(a, b, heights, heights, *colour_scale(heights), None)
    return Surface(a, b, heights, between(by.values, by.a, by.b, a, b), *colour_scale(by.values), by)


def belongs(trajectory: Trajectory, plane: Slice) -> bool:
    """Whether the trajectory was projected on this plane."""
    own = trajectory.plane
    return (
        own is not None
        and (own.kind, own.axes, own.n) == (plane.kind, plane.axes, plane.n)
        and np.allclose(own.lengths, plane.lengths, rtol=1e-9, atol=0.0)
        and math.isclose(own.centre, plane.centre, rel_tol=1e-9)
    )


def measured_places(sheet: Sheet) -> list[tuple[float, float, float, float]]:
    """(a, b, value, half-width) wherever a finite value was measured."""
    known = np.isfinite(np.asarray(sheet.values)) & np.asarray(sheet.measured)
    return [
        (float(sheet.a[i]), float(sheet.b[j]), float(sheet.values[j, i]), float(sheet.half_widths[j, i]))
        for j, i in zip(*np.nonzero(known), strict=True)
    ]


def nearest(places: list[tuple[float, float, float, float]], a: Array, b: Array) -> NDArray[np.intp]:
    """(k, m): which of `places` is nearest to each of a x b, distances taken in shares of the plane's sides."""
    wide, high = (float(np.ptp(x)) or 1.0 for x in (a, b))
    across = np.abs(a[:, None] - np.array([place[0] for place in places])) / wide
    along = np.abs(b[:, None] - np.array([place[1] for place in places])) / high
    return np.asarray((across[None, :, :] ** 2 + along[:, None, :] ** 2).argmin(axis=2))


def caption(plane: Slice, drawn: Surface, trajectory: Trajectory | None) -> str:
    """What is fixed, what was sampled, how wide the intervals are, what is missing and what floats."""
    fixed = "Model, data and both directions are fixed; " + _loss(plane.sheets["loss"], plane.confidence)
    sentences = [fixed if drawn.by is None else f"{fixed}, {_curvature(drawn.by, plane.confidence)}"]
    holes = int(np.isnan(drawn.heights).sum())
    if holes:
        sentences.append(f"{holes} {'place has' if holes == 1 else 'places have'} no finite loss and stay open.")
    if (np.isfinite(drawn.heights) & np.isnan(drawn.colours)).any():
        sentences.append("Grey is where R is not known.")
    if plane.statistics == "re-estimated":
        sentences.append("BatchNorm's running statistics are found anew at each place, and not those of the model.")
    if trajectory is not None:
        far = typeset(f"{float(trajectory.apart.max()):.2g}")
        sentences.append(
            "The line joins checkpoints at their own losses, so it may float above or below the surface: they lie up "
            f"to {far} away from the plane, in theta"
            + (", and have running statistics of their own." if plane.statistics else ".")
        )
    return " ".join(sentence if sentence.endswith(".") else sentence + "." for sentence in sentences)


def _loss(sheet: Sheet, confidence: float) -> str:
    seen, all_places = int(sheet.measured.sum()), sheet.values.numel()
    error = f"with at most ± {typeset(f'{sheet.widest:.2g}')} ({100 * confidence:g} %)" if sheet.widest > 0 else "exact"
    rest = "" if seen == all_places else f" (the other {all_places - seen} lie between their neighbours)"
    return f"the loss was taken at {seen} places{rest}, {error}" + (" up to rounding" if error == "exact" else "")


def _curvature(sheet: Sheet, confidence: float) -> str:
    places = len(measured_places(sheet))
    if sheet.widest == 0:
        error = "exact up to rounding"
    elif math.isnan(sheet.widest):
        error = "without an interval"
    else:
        error = f"with random probes, each at most ± {typeset(f'{sheet.widest:.2g}')} ({100 * confidence:g} %)"
    return f"and R, of all dimensions and not of the plane, at {places} places, {error}; colours lie between these"

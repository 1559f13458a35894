"""Slices of a landscape: quantities along a line or a path, or over a plane."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import hessian
from egregium.errors import ArgumentError
from egregium.geometry.arguments import landscape, vector
from egregium.landscape import Landscape
from egregium.results import Directions, Slice
from egregium.slices.directions import given
from egregium.slices.look import Look, Shape, surveyed
from egregium.slices.survey import Grid, spaced

#: How far a slice goes: half its width on either side of the point, or (low, high).
Span = float | tuple[float, float]


def line(land: Landscape, direction: Any, *, span: Span | None = None, **how: Any) -> Slice:
    """Quantities along theta + a d, a in [-span, span].

    Args:
        direction: Directions of one vector, or a tensor (n,).
        span: default 1 for filter-normalised directions and differences; else where the loss has moved by about 1/2
            to second order, 1 / sqrt(|d^T H d|).
        how: see `Look`.

    Returns a Slice. NaN and infinite losses stay what they are. Two calls give the same numbers. The cost is a forward
    pass (a third of a gradient) a place for the loss. Raises ArgumentError, DocumentError for a `store` that holds
    another slice, and the errors of `scalar_curvature`.

    >>> land = Landscape.from_function(lambda x: x @ x, torch.zeros(2, dtype=torch.float64))
    >>> found = line(land, torch.tensor([1.0, 0.0], dtype=torch.float64), span=2.0, points=5)
    >>> found.sheets["loss"].values.tolist()
    [4.0, 1.0, 0.0, 1.0, 4.0]
    """
    d = given(landscape(land), direction, (1,))
    return _straight(land, d, [_ends(land, d, span, 0)], Look(**how), (_axis(d, 0, "a"),))


def plane(land: Landscape, directions: Any, *, span: Span | tuple[Span, Span] | None = None, **how: Any) -> Slice:
    """Quantities over theta + a d1 + b d2; rows of a sheet are b, columns a. Otherwise as `line`.

    Args:
        directions: Directions of two vectors, or a tensor (n, 2).
        span: for both directions, ((low, high), (low, high)) for each, or None as in `line`.

    >>> land = Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=torch.float64))
    >>> look = {"quantities": ("loss", "scalar_curvature"), "points": 3, "coarse": 3}
    >>> found = plane(land, torch.eye(2, dtype=torch.float64), span=1.0, **look)
    >>> found.sheets["loss"].values.tolist(), float(found.sheets["scalar_curvature"].values[1, 1])
    ([[0.0, -1.0, 0.0], [1.0, 0.0, 1.0], [0.0, -1.0, 0.0]], -8.0)
    """
    d = given(landscape(land), directions, (2,))
    spans: list[Any] = [span, span]
    if isinstance(span, tuple) and any(isinstance(side, tuple) for side in span):
        spans = list(span)
        if len(spans) != 2:
            raise ArgumentError(f"span must be one for both directions, or two, got {len(spans)}.")
    ends = [_ends(land, d, spans[j], j) for j in range(2)]
    return _straight(land, d, ends, Look(**how), (_axis(d, 0, "a"), _axis(d, 1, "b")))


def between(land: Landscape, other: Float[Tensor, " n"], *, span: Span = (0.0, 1.0), **how: Any) -> Slice:
    """Quantities along the straight line (1 - t) theta + t other. Otherwise as `line`; t may leave [0, 1]."""
    end, start = vector(landscape(land), other, "other"), land.theta
    low, high = _checked_span(span)
    look = Look(**how)
    length = float((end - start).double().norm())
    grids = [Grid(spaced(low, high, count)) for count in (look.points, look.coarse)]

    def at(c: tuple[float, ...]) -> Landscape:
        return land.at(end if c[0] == 1 else torch.lerp(start, end, c[0]))

    label = "t, from this point (0) to the other (1)"
    return surveyed(land, at, grids, look, Shape("path", (label,), (length,)), [start, end])


def path(
    land: Landscape,
    points: Float[Tensor, "m n"],
    *,
    at: Float[Tensor, " m"] | None = None,
    label: str = "length along the path, in theta",
    **how: Any,
) -> Slice:
    """Quantities at the points of a path, such as `geodesic(...).points`; all of them, so `points` and `coarse` are m.

    Args:
        at: (m,) their coordinates along it; None for the Euclidean length up to each.
        label: what these are.
    """
    look = Look(**how)
    if not isinstance(points, Tensor) or points.ndim != 2 or len(points) < 2:
        raise ArgumentError(f"points must be a tensor of shape (m, {land.n}), m at least 2, got {_shape(points)}.")
    places = [vector(landscape(land), point, "a point of the path") for point in points]
    steps = torch.stack([(b - a).double().norm() for a, b in pairwise(places)])
    along = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
    length = float(along[-1])
    if at is not None:
        if not isinstance(at, Tensor) or at.shape != (len(points),):
            raise ArgumentError(f"at must be a tensor of shape ({len(points)},), got {_shape(at)}.")
        if not bool(torch.isfinite(at).all()):
            raise ArgumentError("at must be finite; it holds inf or nan.")
        along = at.double()
    coordinates = along.tolist()
    where = dict(zip(coordinates, places, strict=True))
    if len(where) < len(places):
        raise ArgumentError("Two points of the path have the same coordinate. Leave repeated points out.")
    grid = Grid(coordinates)
    return surveyed(
        land, lambda c: land.at(where[c[0]]), [grid, grid], look, Shape("path", (label,), (length,)), places
    )


def _straight(
    land: Landscape, d: Directions, ends: list[tuple[float, float]], look: Look, axes: tuple[str, ...]
) -> Slice:
    theta, V = land.theta, d.vectors

    def at(c: tuple[float, ...]) -> Landscape:
        moved = theta.clone()
        for x, column in zip(c, V.T, strict=True):
            moved.add_(column, alpha=x)
        return land.at(moved)

    grids = [Grid(*(spaced(*end, count) for end in ends)) for count in (look.points, look.coarse)]
    kind: Literal["line", "plane"] = "line" if len(ends) == 1 else "plane"
    found = surveyed(land, at, grids, look, Shape(kind, axes, d.lengths, d.cosine()), [theta, *V.T])
    return replace(found, notes=(*d.notes, *found.notes))


def _ends(land: Landscape, d: Directions, span: Span | None, j: int) -> tuple[float, float]:
    if span is not None:
        return _checked_span(span)
    if d.kind in ("filter-normalised", "difference"):
        return -1.0, 1.0
    v = d.vectors[:, j]
    bend = abs(float(v.double() @ (hessian(land) @ v).double()))
    size = 1 / math.sqrt(bend) if bend > 0 else float(land.theta.double().norm() / v.double().norm()) or 1.0
    return -size, size


def _checked_span(span: Any) -> tuple[float, float]:
    """(low, high). Raises ArgumentError unless low < high, both finite."""
    number = isinstance(span, (int, float)) and not isinstance(span, bool)
    pair = span if isinstance(span, (tuple, list)) else (-span, span) if number else ()
    if len(pair) != 2 or not all(isinstance(x, (int, float)) and math.isfinite(x) for x in pair) or pair[0] >= pair[1]:
        raise ArgumentError(f"span must be a positive number, or (low, high) with low < high, got {span!r}.")
    return float(pair[0]), float(pair[1])


def _axis(d: Directions, j: int, letter: str) -> str:
    return f"{letter} along {d.names[j]}, unit {d.lengths[j]:.3g} in θ"


def _shape(value: Any) -> str:
    return str(tuple(value.shape)) if isinstance(value, Tensor) else type(value).__name__

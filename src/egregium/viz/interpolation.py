"""A quantity between the places where it was measured: for colours, and beside what was measured there."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def between(values: ArrayLike, a: ArrayLike, b: ArrayLike, at_a: ArrayLike, at_b: ArrayLike) -> Array:
    """`values`, (k, m) with a row for each of `b`, at the places `at_a` x `at_b`: bilinear.

    NaN beside an unknown corner that counts (SciPy's interpolators have it beside every unknown corner), and outside
    the places that were measured.

    >>> between([[0.0, 2.0], [4.0, 6.0]], [0, 1], [0, 1], [0.5], [0.5, 2.0]).tolist()
    [[3.0], [nan]]
    """
    known = finite(values)
    (i, u), (j, v) = _weights(a, at_a), _weights(b, at_b)
    rows = _mixed(known[:, i], known[:, _next(i, a)], u)
    return _mixed(rows[j].T, rows[_next(j, b)].T, v).T


def _weights(places: ArrayLike, at: ArrayLike) -> tuple[NDArray[np.intp], Array]:
    """The last of `places` not above each of `at`, and how far it is to the next; NaN outside."""
    grid, wanted = np.asarray(places, dtype=float), np.asarray(at, dtype=float)
    index = np.clip(np.searchsorted(grid, wanted, side="right") - 1, 0, max(len(grid) - 2, 0))
    width = grid[_next(index, grid)] - grid[index]
    weight = np.divide(wanted - grid[index], width, out=np.zeros(len(wanted)), where=width > 0)
    slack = 1e-9 * max(float(np.ptp(grid)), np.finfo(float).tiny)  # the ends of two grids may differ by rounding
    weight = np.where(np.abs(weight - np.round(weight)) < 1e-9, np.round(weight), weight)  # a corner that was measured
    outside = (wanted < grid[0] - slack) | (wanted > grid[-1] + slack)
    return index, np.where(outside, np.nan, np.clip(weight, 0.0, 1.0))


def _next(index: NDArray[np.intp], places: ArrayLike) -> NDArray[np.intp]:
    return np.minimum(index + 1, len(np.asarray(places)) - 1)


def _mixed(low: Array, high: Array, weight: Array) -> Array:
    """A corner without weight need not be known."""
    mixed = np.where(weight == 0, low, np.where(weight == 1, high, (1 - weight) * low + weight * high))
    return np.asarray(np.where(np.isnan(weight), np.nan, mixed))


def finite(values: ArrayLike) -> Array:
    """`values` with NaN in place of what is not finite."""
    found = np.asarray(values, dtype=float)
    return np.where(np.isfinite(found), found, np.nan)

"""Going from place to place over a slice, in a fixed order, until it is done, stopped, or the budget is spent."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean

import numpy as np
import torch
from scipy.interpolate import griddata
from scipy.spatial import QhullError

from egregium.errors import BudgetError
from egregium.estimators import Progress, ProgressCallback, stopped
from egregium.landscape import Landscape
from egregium.results import QUANTITIES, Cost, QuantityName, Sheet
from egregium.slices.quantities import CHEAP, UNKNOWN, Found, Precision, found
from egregium.slices.store import Store

#: (row, column) of a place.
Place = tuple[int, int]
#: The widest step of an adaptive grid, in places of the fine one.
WIDEST = 8


@dataclass(frozen=True)
class Grid:
    """Coordinates along the first direction (columns) and the second (rows; one row where there is none)."""

    a: Sequence[float]
    b: Sequence[float] = ()

    @property
    def shape(self) -> tuple[int, int]:
        return max(len(self.b), 1), len(self.a)

    def coordinates(self, place: Place) -> tuple[float, ...]:
        i, j = place
        return (self.a[j], self.b[i]) if self.b else (self.a[j],)

    def nearest_first(self) -> list[Place]:
        """All places, those nearest the middle first: what is known when a run ends is about the centre."""
        rows, columns = self.shape
        off = lambda ij: max(abs(ij[0] - (rows - 1) / 2) / rows, abs(ij[1] - (columns - 1) / 2) / columns)
        return sorted(((i, j) for i in range(rows) for j in range(columns)), key=off)


@dataclass(eq=False)
class Survey:
    """What is looked at, how, and what it cost.

    Attributes:
        land_at: coordinates -> the landscape there.
        adaptive: the loss is looked at only where it is off by more than this share of its range between neighbours.
        extra: what being at a place costs before anything is measured there.
        ended: why it did not go to its end, or ""; notes: that, and what else there is to say.
        failures: what the loss said where it failed; vague: values less precise than asked.
    """

    land_at: Callable[[tuple[float, ...]], Landscape]
    store: Store
    precision: Precision
    adaptive: float | None = None
    progress: ProgressCallback | None = None
    cost: Cost = Cost()
    extra: Cost = Cost()
    ended: str = ""
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    vague: int = 0

    def sheet(self, name: QuantityName, grid: Grid) -> Sheet:
        """The quantity over the grid, as far as it goes."""
        known: dict[Place, Found] = {}
        if name == "loss" and self.adaptive is not None:
            refined(grid.shape, partial(self._place, name, grid, known), self.adaptive)
        else:
            for place in grid.nearest_first():
                self._place(name, grid, known, place)
        return _sheet(grid, known)

    def remarks(self) -> tuple[str, ...]:
        """What a reader of the slice must know."""
        said = list(self.notes)
        if self.failures:
            said.append(f"The loss fails at some places, which are holes. It says: {self.failures[0]}")
        if self.vague:
            said.append(f"{self.vague} values are less precise than asked: their intervals say by how much.")
        return tuple(said)

    def _place(self, name: QuantityName, grid: Grid, known: dict[Place, Found], place: Place) -> Found:
        """What is found at a place; UNKNOWN once the survey has ended."""
        key = (name, *place)
        if place not in known:
            there = self.store.known.get(key)
            if there is None:
                there = self._measured(name, grid, known, place)
                if not there.measured:
                    return there
                self.store.add(key, there)
            known[place] = there
        return known[place]

    def _measured(self, name: QuantityName, grid: Grid, known: dict[Place, Found], place: Place) -> Found:
        left = math.inf if self.precision.budget is None else self.precision.budget - self.cost.gradients
        if not self.ended and stopped(self.progress, self._report(name, grid, known)):
            self._end("Stopped", name, grid, known)
        elif not self.ended and left <= 0:
            self._end("The budget ended", name, grid, known)
        if self.ended:
            return UNKNOWN
        precision = replace(self.precision, budget=None if math.isinf(left) or name in CHEAP else left)
        try:
            there = found(name, partial(self.land_at, grid.coordinates(place)), precision)
        except BudgetError:
            there = replace(UNKNOWN, converged=False)
        self.cost = self.cost + there.cost + self.extra
        if not there.converged and precision.budget is not None:  # no number that more work would not have mended
            self._end("The budget ended", name, grid, known)
            return UNKNOWN
        if there.why and there.why not in self.failures:
            self.failures.append(there.why)
        self.vague += not there.converged
        return there

    def _report(self, name: QuantityName, grid: Grid, known: dict[Place, Found]) -> Progress:
        """How far it is, and what the rest will cost by what it cost so far."""
        count, done = math.prod(grid.shape), len(known)
        each = sum(f.cost.gradients for f in known.values()) / done if done else 0.0
        price = f", about {each * (count - done):,.0f} gradients more" if each >= 1 else ""
        return Progress(f"{QUANTITIES[name][0]} at {count} places{price}", done / count, None, self.cost)

    def _end(self, why: str, name: QuantityName, grid: Grid, known: dict[Place, Found]) -> None:
        self.ended = f"{why}: the {QUANTITIES[name][0]} is known at {len(known)} of {math.prod(grid.shape)} places."
        self.notes.append(self.ended)


def refined(shape: tuple[int, int], at: Callable[[Place], Found], tolerance: float) -> None:
    """Look at a coarse grid, and between its places wherever linear interpolation there would be off.

    A square of side h is divided where h^2 |f''| / 8, from second differences along both axes and across it, is more
    than `tolerance` times the range of all values so far, where one of them is not finite, and, on the coarsest grid,
    where its middle is off by as much. A bump between places that nobody looked at stays unseen.
    """
    rows, columns = shape
    step, seen = _first_step(rows, columns), Seen(at, rows)
    active = [(i, j) for i in range(0, max(rows - 1, 1), step) for j in range(0, columns - 1, step)]
    first = True
    while active:
        for square in active:
            for corner in _corners(square, step, rows):
                seen.value(corner)
        if step == 1:
            return
        divided = [square for square in active if not seen.bend(square, step, first) <= tolerance * seen.range]
        step, first = step // 2, False
        active = [part for square in divided for part in _corners(square, step, rows)]  # of the smaller, one each


class Seen:
    """The values that were looked at, by place."""

    def __init__(self, at: Callable[[Place], Found], rows: int) -> None:
        self.at, self.rows, self.values = at, rows, dict[Place, float]()

    def value(self, place: Place) -> float:
        if place not in self.values:
            self.values[place] = self.at(place).value
        return self.values[place]

    @property
    def range(self) -> float:
        """Between the least and the most finite value."""
        finite = [value for value in self.values.values() if math.isfinite(value)]
        return max(finite) - min(finite) if finite else 0.0

    def bend(self, square: Place, step: int, middle: bool) -> float:
        """How far linear interpolation may be off in a square; NaN where a value is not finite."""
        corners = list(_corners(square, step, self.rows))
        values = [self.value(corner) for corner in corners]
        if not all(map(math.isfinite, values)):
            return math.nan
        found = [abs(d) / 8 for i, j in corners for axis in ((0, step), (step, 0)) for d in self._second((i, j), axis)]
        if middle:
            half = step // 2
            found.append(abs(self.value((square[0] + half * (self.rows > 1), square[1] + half)) - fmean(values)))
        if len(values) == 4:
            found.append(abs(values[0] - values[1] - values[2] + values[3]) / 4)
        return math.nan if any(map(math.isnan, found)) else max(found, default=math.nan)

    def _second(self, place: Place, axis: Place) -> Iterator[float]:
        """f(x + h) - 2 f(x) + f(x - h), where all three were looked at and are finite."""
        there = [(place[0] + k * axis[0], place[1] + k * axis[1]) for k in (-1, 0, 1)]
        if all(math.isfinite(self.values.get(p, math.nan)) for p in there):
            low, here, high = (self.values[p] for p in there)
            yield high - 2 * here + low


def _first_step(rows: int, columns: int) -> int:
    step = 1
    sides = [side - 1 for side in (rows, columns) if side > 1]
    while step < WIDEST and all(side % (2 * step) == 0 for side in sides):
        step *= 2
    return step


def _corners(square: Place, step: int, rows: int) -> Iterator[Place]:
    for di in (0, step) if rows > 1 else (0,):
        for dj in (0, step):
            yield square[0] + di, square[1] + dj


def _sheet(grid: Grid, known: dict[Place, Found]) -> Sheet:
    """The places as arrays; what was not looked at lies on planes through its neighbours, and is marked."""
    values, widths = np.full(grid.shape, math.nan), np.full(grid.shape, math.nan)
    measured = np.zeros(grid.shape, bool)
    for place, found_there in known.items():
        values[place], widths[place] = found_there.value, found_there.half_width
        measured[place] = found_there.measured
    _fill(values, measured)
    arrays = [torch.from_numpy(x if grid.b else x[0]) for x in (values, widths, measured)]
    a, b = (torch.tensor(x, dtype=torch.float64) for x in (grid.a, grid.b))
    return Sheet(a, b, *arrays)


def _fill(values: np.ndarray, measured: np.ndarray) -> None:
    """Linear interpolation between measured, finite places, within their hull."""
    good = measured & np.isfinite(values)
    missing = ~measured
    if not missing.any() or good.sum() < 2:
        return
    if values.shape[0] == 1:
        there = np.flatnonzero(good[0])
        inside = missing[0] & (np.arange(values.shape[1]) > there[0]) & (np.arange(values.shape[1]) < there[-1])
        values[0, inside] = np.interp(np.flatnonzero(inside), there, values[0, there])
    elif good.sum() > 3 and min(np.ptp(x) for x in np.nonzero(good)):
        with suppress(QhullError):  # all on one line
            values[missing] = griddata(np.argwhere(good), values[good], np.argwhere(missing), method="linear")


def spaced(low: float, high: float, points: int) -> list[float]:
    """Equally spaced coordinates, both ends included; 0 exactly in the middle of a symmetric span of odd number.

    >>> spaced(-1.0, 1.0, 5)
    [-1.0, -0.5, 0.0, 0.5, 1.0]
    """
    middle, half, last = (low + high) / 2, (high - low) / 2, (points - 1) / 2
    return [middle + half * ((i - last) / last) for i in range(points)]

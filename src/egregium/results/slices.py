"""Landscapes as one looks at them: directions, slices, trajectories, paths between minima."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from egregium.results.cost import Cost
from egregium.results.document import Document
from egregium.results.environment import Environment
from egregium.results.fingerprint import Fingerprint
from egregium.results.geometry import Saved
from egregium.results.notebook import shown
from egregium.results.table import Row

#: What a slice can show.
QuantityName = Literal["loss", "gradient_norm", "accuracy", "scalar_curvature", "mean_curvature", "largest_eigenvalue"]
#: Their names and units, for axes and tables.
QUANTITIES: dict[QuantityName, tuple[str, str]] = {
    "loss": ("loss f", "units of the loss"),
    "gradient_norm": ("gradient norm |g|", "f / θ"),
    "accuracy": ("accuracy", "share of the samples"),
    "scalar_curvature": ("scalar curvature R", "f² / θ⁴ where |g| is small"),
    "mean_curvature": ("mean curvature tr S̃ / n", "f / θ²"),
    "largest_eigenvalue": ("largest eigenvalue of H", "f / θ²"),
}
#: How the notes of a slice begin that did not go to its end.
ENDED = ("Stopped", "The budget ended")
#: What is done with the running statistics of BatchNorm away from the centre.
Statistics = Literal["kept", "re-estimated"]


@dataclass(frozen=True, eq=False)
class Directions(Saved):
    """Directions in the space of parameters.

    Attributes:
        vectors: (n, d).
        names: of each, in words.
        kind: how they were made.
        orthogonal: whether they are meant to be, to 1e-6 in cosine.
        notes: what a reader must know.
    """

    vectors: Float[Tensor, "n d"]
    names: tuple[str, ...]
    kind: str
    orthogonal: bool
    notes: tuple[str, ...] = ()

    @property
    def lengths(self) -> tuple[float, ...]:
        """Euclidean lengths: what one unit of a coordinate moves theta by."""
        return tuple(self.vectors.double().norm(dim=0).tolist())

    def cosine(self) -> float:
        """The largest |cosine| between two of them; 0 for one."""
        V = self.vectors.double()
        unit = V / V.norm(dim=0)
        G = (unit.T @ unit).abs()
        return float((G - torch.diag(G.diagonal())).max()) if V.shape[1] > 1 else 0.0


@dataclass(frozen=True, eq=False)
class Sheet(Saved):
    """One quantity over the places of a slice.

    Attributes:
        a: (m,) coordinates along the first direction, or along the path.
        b: (k,) along the second; empty in one dimension.
        values: (m,), or (k, m) with a row for each b; NaN and infinities as they were found.
        half_widths: likewise, half the width of each interval; 0 where exact up to rounding, NaN where there is none.
        measured: likewise; False where an adaptive grid did not look, and the value lies between its neighbours.
    """

    a: Float[Tensor, " m"]
    b: Float[Tensor, " k"]
    values: Float[Tensor, "..."]
    half_widths: Float[Tensor, "..."]
    measured: Bool[Tensor, "..."]

    def __post_init__(self) -> None:
        shape = (len(self.b), len(self.a)) if len(self.b) else (len(self.a),)
        if {tuple(x.shape) for x in (self.values, self.half_widths, self.measured)} != {shape}:
            raise ValueError(f"the values of a Sheet are not {' x '.join(map(str, shape))} as its coordinates are")
        if self.measured.dtype != torch.bool or not self.values.is_floating_point():
            raise ValueError("the values of a Sheet are numbers, and what was measured is true or false")

    @property
    def holes(self) -> int:
        """Places that were looked at and whose value is not finite."""
        return int((self.measured & ~torch.isfinite(self.values)).sum())

    @property
    def unknown(self) -> int:
        """Places that nobody looked at, and that do not lie between others: a run ended before."""
        return int((~self.measured & ~torch.isfinite(self.values)).sum())

    @property
    def widest(self) -> float:
        """The widest half-interval; 0 where all are exact, NaN where none is known."""
        known = self.half_widths[torch.isfinite(self.half_widths)]
        return float(known.max()) if known.numel() else math.nan


@dataclass(frozen=True, eq=False)
class Slice(Saved):
    """Quantities along a line or path, or over a plane: theta + a d1 + b d2.

    Attributes:
        kind: "line", "plane" or "path".
        axes: labels of the coordinates, with their units.
        lengths: |d1|, |d2| in theta; of a path, its length.
        cosine: between d1 and d2.
        sheets: by quantity; each has a grid of its own.
        centre: f at the landscape's point, as `land.value()` gives it.
        statistics: what was done with BatchNorm's running statistics; "" where the model has none.
        confidence: of the intervals.
        n, setting, cost, environment, notes, scale, fingerprint: as in `Measurement`.
        title, command, target, checkpoint, created: what was measured, the exact command line, its TARGET and
            checkpoint, ISO 8601 time.
    """

    kind: Literal["line", "plane", "path"]
    axes: tuple[str, ...]
    lengths: tuple[float, ...]
    cosine: float
    sheets: Mapping[QuantityName, Sheet]
    centre: float
    statistics: str
    confidence: float
    n: int
    scale: float
    cost: Cost
    environment: Environment
    setting: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    fingerprint: Fingerprint | None = None
    title: str = ""
    command: str = ""
    target: str = ""
    checkpoint: str = ""
    created: str = ""

    def __post_init__(self) -> None:
        wanted = 2 if self.kind == "plane" else 1
        if len(self.axes) != wanted:
            raise ValueError(f"it has {len(self.axes)} axes, a {self.kind} has {wanted}")
        if wrong := [name for name, sheet in self.sheets.items() if bool(len(sheet.b)) != (wanted == 2)]:
            raise ValueError(f"its sheet {wrong[0]} is not that of a {self.kind}")

    @property
    def finished(self) -> bool:
        """Whether it went to its end: else the same call with its store goes on."""
        return not any(note.startswith(ENDED) for note in self.notes)

    def rows(self) -> list[Row]:
        """The table of this slice: the range of each quantity, with the widest interval."""
        rows = [Row("loss at the centre", f"{self.centre:.6g}", f"{self.n:,} parameters", group="slice"), *self.setting]
        if self.statistics:
            rows.append(Row("running statistics", self.statistics, "of BatchNorm, away from the centre", group="slice"))
        for name, sheet in self.sheets.items():
            known = sheet.values[torch.isfinite(sheet.values) & sheet.measured]
            nothing = "nowhere finite" if sheet.holes else "not measured"
            spread = f"{float(known.min()):.4g} to {float(known.max()):.4g}" if known.numel() else nothing
            error = f", each at most ± {sheet.widest:.2g}" if sheet.widest > 0 else ""
            seen = f"{int(sheet.measured.sum())} places" + (f", {sheet.holes} not finite" if sheet.holes else "")
            seen += f", {sheet.unknown} not looked at" if sheet.unknown else ""
            rows.append(Row(QUANTITIES[name][0], spread + error, seen, group="slice"))
        rows.append(Row("cost", str(self.cost), "", group="cost"))
        return rows

    def __str__(self) -> str:
        return "\n".join(f"{row.name:24} {row.value:34} {row.meaning}" for row in self.rows())

    def _repr_html_(self) -> str:
        return shown(self, self.rows())


@dataclass(frozen=True, eq=False)
class Trajectory(Saved):
    """Checkpoints projected on a plane, each with its distance from it and its own loss.

    Attributes:
        names: of the checkpoints, in order.
        coordinates: (m, 2) of the nearest points of the plane, in units of its directions.
        apart: (m,) Euclidean distances from the plane, in theta.
        losses: (m,) f at the checkpoints themselves, which is not the plane's loss at their projections.
        explained: share of the checkpoints' squared distances from the centre that lies along the first direction, and
            what the second adds to it.
        plane: the slice they are drawn on; None where there is none.
        notes: what a reader must know.
    """

    names: tuple[str, ...]
    coordinates: Float[Tensor, "m 2"]
    apart: Float[Tensor, " m"]
    losses: Float[Tensor, " m"]
    explained: tuple[float, ...]
    plane: Slice | None
    notes: tuple[str, ...] = ()

    def rows(self) -> list[Row]:
        """The table: each checkpoint's own loss, and where it is from the plane."""
        values = zip(self.names, self.losses.tolist(), self.apart.tolist(), strict=True)
        return [Row(name, f"{loss:.6g}", f"{far:.3g} off the plane", group="trajectory") for name, loss, far in values]

    def _repr_html_(self) -> str:
        return shown(self, self.rows())

    def __post_init__(self) -> None:
        if len({len(x) for x in (self.names, self.coordinates, self.apart, self.losses)}) > 1:
            raise ValueError("its names, coordinates, distances and losses are not equally many")


@dataclass(frozen=True, eq=False)
class ModePath(Saved):
    """A path of low loss between two points, beside the straight line.

    Attributes:
        kind: "linear", "bezier" or "polygonal".
        path, straight: quantities along both, over t in [0, 1].
        barrier, straight_barrier: max over t of f(t) - ((1 - t) f(0) + t f(1)), at the places that were looked at.
        bends: (n, k) the points that were trained; empty for the straight line.
        losses: (steps,) the mean loss of the path as it was trained, estimated at random places.
        cost, notes: as in `Measurement`.
    """

    kind: Literal["linear", "bezier", "polygonal"]
    path: Slice
    straight: Slice
    barrier: float
    straight_barrier: float
    bends: Float[Tensor, "n k"]
    losses: Float[Tensor, " steps"]
    cost: Cost
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if "plane" in (self.path.kind, self.straight.kind):
            raise ValueError("its path is a plane")

    def rows(self) -> list[Row]:
        """The table: both barriers."""
        rows = [Row(f"barrier of the {self.kind} path", f"{self.barrier:.4g}", "above its two ends", group="path")]
        rows.append(Row("of the straight line", f"{self.straight_barrier:.4g}", "", group="path"))
        return [*rows, Row("cost", str(self.cost), "", group="cost")]

    def _repr_html_(self) -> str:
        return shown(self, self.rows())

    def __str__(self) -> str:
        return f"{self.kind} path, barrier {self.barrier:.4g}; straight line, barrier {self.straight_barrier:.4g}"


Document.register(Directions, Sheet, Slice, Trajectory, ModePath)

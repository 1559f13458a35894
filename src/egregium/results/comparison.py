"""Several points side by side, with the difference of each to the first."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch

from egregium.errors import ArgumentError
from egregium.results.comparable import cautions, refuse_incomparable, remarks
from egregium.results.difference import Difference, Verdict, difference, figures
from egregium.results.document import Document
from egregium.results.estimate import Estimate
from egregium.results.geometry import Saved
from egregium.results.measurement import TERMS, Measurement
from egregium.results.spectra import Eigenpairs
from egregium.results.table import Row, html_table

#: Roundings of the dtype that a number may be off by where its estimate does not say; as for a trace.
ROUNDINGS = 32

SETTLED = "{R} at {name} is {verdict} than at {first}: {value} against {base}, a difference of {difference}."
OPEN = "No difference of {R} between {first} and {name} is established: {value} against {base}, {difference} apart."


@dataclass(frozen=True, eq=False)
class Compared:
    """One quantity at all points.

    Attributes:
        name, meaning, group: as in the rows of a measurement.
        values: at each point where it was measured, at the comparison's level.
        differences: to the first point, at each other point where both were measured.
        bounded: whether the widths are bounds, as of eigenvalues, and not the probes'.
    """

    name: str
    meaning: str
    group: str
    values: Mapping[str, Estimate]
    differences: Mapping[str, Difference]
    bounded: bool = False

    def shown(self, point: str) -> str:
        """The value at a point with its interval, without the level; "" where it was not measured."""
        if point not in self.values:
            return ""
        e = self.values[point]
        return figures(e.value, e.half_width()) if self.bounded else str(e).removesuffix(f" ({100 * e.confidence:g} %)")


@dataclass(frozen=True, eq=False)
class Comparison(Saved):
    """Measurements of two points or more, with the differences to the first.

    Attributes:
        points: the measurements by name; the first is what the others are compared with.
        quantities: R first; each with its values and differences.
        confidence: the level of all intervals, the highest that was asked for.
        notes: what makes the points differ beside where they are, and what of them is uncertain.
        remarks: how the intervals of the differences were made.
        commands: of each point, the command line that measured it.
        command, created: the command line of the comparison, and when it was made; ISO 8601.
    """

    points: Mapping[str, Measurement]
    quantities: tuple[Compared, ...]
    confidence: float
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    commands: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    created: str = ""

    @property
    def first(self) -> str:
        """The name of the point that the others are compared with."""
        return next(iter(self.points))

    @property
    def others(self) -> tuple[str, ...]:
        """The names of the other points."""
        return tuple(self.points)[1:]

    def verdict(self, form: type[str] = str, shown: Callable[[str], str] = str) -> str:
        """What the differences of R say, as one sentence. `form`: the class of text; `shown`: a number as that."""
        R = self.quantities[0]
        if len(self.others) > 1:
            return self._verdict_of_many(form, shown)
        (name,) = self.others
        found = R.differences[name]
        values = {"value": R.shown(name), "base": R.shown(self.first), "difference": str(found), "R": "R"}
        numbers = {key: shown(text) for key, text in values.items()}
        sentence = form(OPEN if found.verdict == "not distinguished" else SETTLED)
        return sentence.format(name=name, first=self.first, verdict=found.verdict, **numbers)

    def _verdict_of_many(self, form: type[str], shown: Callable[[str], str]) -> str:
        groups: dict[Verdict, list[str]] = {"larger": [], "smaller": [], "not distinguished": []}
        for name, found in self.quantities[0].differences.items():
            groups[found.verdict].append(name)
        parts = [form("{} at {}").format(verdict, form(", ").join(names)) for verdict, names in groups.items() if names]
        return form("Against {}, {} is {}.").format(self.first, shown("R"), form("; ").join(parts))

    def rows(self) -> list[Row]:
        """A row for each difference."""
        return [
            Row(
                f"{quantity.name}: {name} − {self.first}",
                str(found),
                f"{quantity.shown(name)} against {quantity.shown(self.first)}: {found.verdict}",
                group=quantity.group,
                strong=quantity is self.quantities[0],
            )
            for quantity in self.quantities
            for name, found in quantity.differences.items()
        ]

    def __str__(self) -> str:
        rows = self.rows()
        wide = max(len(row.name) for row in rows)
        lines = [f"{row.name:{wide}} {row.value:28} {row.meaning}" for row in rows]
        return "\n".join([self.verdict(), *lines, *self.notes, *self.remarks])

    def _repr_html_(self) -> str:
        return html_table([Row("R", self.verdict(), "", strong=True), *self.rows()])


def compare(points: Mapping[str, Measurement], *, confidence: float | None = None) -> Comparison:
    """The measurements side by side, with the difference of each to the first and its interval.

    Points with different seeds have independent errors, which add up as squares; points with the same seed were
    measured with the same probe vectors, and their half-widths add up, which holds whatever the dependence
    (`egregium.stats.difference`). `confidence`: of all intervals; the highest that was asked for where it is None.

    Raises ArgumentError for fewer than two points, and where they were measured with another operator or scale.

    >>> import torch, egregium as eg
    >>> land = eg.Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=torch.float64))
    >>> found = compare({"here": eg.measure(land), "there": eg.measure(land.at(torch.ones(2, dtype=torch.float64)))})
    >>> print(found.verdict())  # -8 / 81
    R at there is larger than at here: -0.0987654 (exact) against -8 (exact), a difference of 7.90123 (exact).
    """
    refuse_incomparable(points)
    if confidence is not None and not (isinstance(confidence, float) and 0 < confidence < 1):
        raise ArgumentError(f"confidence must lie between 0 and 1, got {confidence!r}. 0.95 is usual.")
    level = confidence or max(m.scalar_curvature.confidence for m in points.values())
    columns = {name: _numbers(m) for name, m in points.items()}
    quantities = [
        _compared(key, columns, points, level) for key in dict.fromkeys(k for c in columns.values() for k in c)
    ]
    return Comparison(dict(points), tuple(quantities), level, cautions(points), remarks(points, level))


#: A quantity: its name, meaning and group, and whether its widths are bounds.
Key = tuple[str, str, str, bool]


def _compared(
    key: Key, columns: Mapping[str, Mapping[Key, Estimate]], points: Mapping[str, Measurement], level: float
) -> Compared:
    values = {
        name: replace(column[key], confidence=level, samples=column[key].samples[:0])
        for name, column in columns.items()
        if key in column
    }
    first, differences = next(iter(points)), {}
    for name in list(points)[1:]:
        if first in values and name in values and all(math.isfinite(values[x].value) for x in (first, name)):
            a, b = points[first].environment, points[name].environment
            unit = ROUNDINGS * max(torch.finfo(getattr(torch, e.dtype)).eps for e in (a, b))
            how = {"independent": a.seed != b.seed, "bounded": key[3]}
            differences[name] = difference(values[name], values[first], unit=unit, **how)
    return Compared(*key[:3], values, differences, key[3])


def _numbers(m: Measurement) -> dict[Key, Estimate]:
    """Every number of a measurement that has an interval, R first."""
    letter = "H" if m.operator == "hessian" else "G"
    numbers: dict[Key, Estimate] = {
        ("scalar curvature R", "(tr S̃)² − |S̃|²_F", "curvature", False): m.scalar_curvature,
        ("mean curvature", "tr S̃ / n", "curvature", False): m.mean_curvature,
        (f"tr {letter}", "Σ λ, eigenvalues", "spectrum", False): m.trace,
        (f"|{letter}|_F", "√ Σ λ²", "spectrum", False): m.frobenius_norm,
        ("effective rank", f"(tr {letter})² / |{letter}|²_F", "spectrum", False): m.effective_rank,
    }
    for name, pairs in (("largest", m.largest), ("smallest", m.smallest)):
        if pairs is not None and pairs.values.numel():
            numbers[f"{name} eigenvalue", "", "spectrum", True] = _bounded(pairs, m.scalar_curvature.confidence)
    terms = {name: m.terms[name] for name in TERMS if name in m.terms}
    return numbers | {(TERMS[k].replace("H", letter), "", "terms", False): e for k, e in terms.items()}


def _bounded(pairs: Eigenpairs, level: float) -> Estimate:
    """The outermost eigenvalue, within its residual."""
    residual = float(pairs.residuals[0])
    return Estimate(
        float(pairs.values[0]), 0.0, rounding=residual if math.isfinite(residual) else math.inf, confidence=level
    )


Document.register(Difference, Compared, Comparison)

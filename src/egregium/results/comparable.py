"""What of several measurements can be compared, and what a reader must know of it."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from egregium.errors import ArgumentError
from egregium.results.measurement import Measurement

Points = Mapping[str, Measurement]

#: Fields that make numbers of another kind, in words; what to do about it.
KINDS: dict[str, tuple[str, str]] = {
    "operator": ("the operator", "Measure both with the same operator="),
    "scale": ("a factor scale =", "Measure both with the same scale=; R is multiplied by its square"),
}


def refuse_incomparable(points: Points) -> None:
    """Raise ArgumentError where there are fewer than two points, other objects, or numbers of different kinds."""
    if not isinstance(points, Mapping) or len(points) < 2:
        got = len(points) if isinstance(points, Mapping) else type(points).__name__
        raise ArgumentError(f"A comparison needs two measurements or more by name, got {got}. Name another point.")
    for name, m in points.items():
        if not isinstance(m, Measurement):
            raise ArgumentError(f"{name} is a {type(m).__name__}; only what egregium.measure returns can be compared.")
        if not math.isfinite(m.scalar_curvature.value):
            raise ArgumentError(f"R at {name} is {m.scalar_curvature.value}: there is nothing to compare with it.")
    (first, a), *others = points.items()
    for name, b in others:
        for field, (words, remedy) in KINDS.items():
            one, other = getattr(a, field), getattr(b, field)
            if one != other:
                raise ArgumentError(
                    f"{first} and {name} cannot be compared: {first} was measured with {words} {one}, {name} with "
                    f"{other}, and these are different numbers. {remedy}."
                )


def cautions(points: Points) -> tuple[str, ...]:
    """What makes the points differ beside where they are, and what of them is uncertain."""
    return (*_of_subject(points), *_of_setting(points), *_of_estimates(points))


def remarks(points: Points, level: float) -> tuple[str, ...]:
    """How the intervals of the differences were made, and what they say."""
    (first, a), *others = points.items()
    known = list(_of_intervals(first, a, others))
    if len(others) > 1:
        known.append(f"Each interval holds with {100 * level:g} % on its own, not all of them at once.")
    lower = sorted({m.scalar_curvature.confidence for m in points.values()} - {level})
    if lower:
        asked = " and ".join(f"{100 * x:g} %" for x in lower)
        known.append(f"All intervals are at {100 * level:g} %; some were asked for at {asked}.")
    return tuple(known)


def _of_intervals(first: str, a: Measurement, others: list[tuple[str, Measurement]]) -> Iterator[str]:
    sampled = [] if a.scalar_curvature.exact else [(k, m) for k, m in others if not m.scalar_curvature.exact]
    shared = [name for name, m in sampled if m.environment.seed == a.environment.seed]
    apart = [name for name, _ in sampled if name not in shared]
    if shared:
        yield (
            f"The same seed as at {first}, {a.environment.seed}, and so the same probe vectors: {_listed(shared)}. The "
            "errors are dependent, and half-widths add up; another seed for one of the two makes the interval of the "
            "difference narrower."
        )
    if apart:
        yield f"Another seed than at {first}: {_listed(apart)}. The errors are independent and add up as squares."


def _of_subject(points: Points) -> Iterator[str]:
    (first, a), *others = points.items()
    unknown = [name for name, m in points.items() if m.fingerprint is None]
    if unknown:
        yield f"No fingerprint of the data: {_listed(unknown)}. Whether the data are the same is not known."
    other_data = [name for name, m in others if _differs(a, m, lambda f: f.data)]
    if other_data:
        yield (
            f"Other data at {_listed(other_data)} than at {first}, or the same in another order or other batches: the "
            "differences may be the data's."
        )
    other_model = [name for name, m in others if m.n != a.n or _differs(a, m, lambda f: f.model)]
    if other_model:
        sizes = ", ".join(f"n = {points[name].n:,}" for name in (first, *other_model))
        yield (
            f"Another model at {_listed(other_model)} than at {first} ({sizes}): R depends on how a function is "
            "parametrised, so that a difference is not one of the functions alone."
        )
    other_loss = [name for name, m in others if _differs(a, m, lambda f: f.loss)]
    if other_loss:
        yield f"Another loss at {_listed(other_loss)} than at {first}: R has the units of the loss, squared."
    same_theta = [name for name, m in others if not _differs(a, m, lambda f: f.point)]
    other_rest = [name for name in same_theta if _differs(a, points[name], lambda f: f.rest)]
    if other_rest:
        yield f"The same theta as at {first}, but other buffers or frozen parameters: {_listed(other_rest)}."
    known = a.fingerprint is not None and bool(a.fingerprint.data and a.fingerprint.rest and a.fingerprint.loss)
    alike = [name for name, m in others if known and m.fingerprint == a.fingerprint]
    if alike:
        yield f"The same point as {first}, on the same data: {_listed(alike)}. Only the measurement differs."


def _of_setting(points: Points) -> Iterator[str]:
    columns = {name: {row.name: row.value for row in m.setting} for name, m in points.items()}
    for name, m in points.items():  # in place of the row that says it for some
        columns[name]["precision"] = m.environment.dtype
    for what in dict.fromkeys(key for column in columns.values() for key in column):
        places: dict[str, list[str]] = {}
        for name, column in columns.items():
            places.setdefault(column.get(what, "none"), []).append(name)
        if len(places) > 1:
            yield f"Different {what}: " + "; ".join(f"{cell} at {_listed(at)}" for cell, at in places.items()) + "."


def _of_estimates(points: Points) -> Iterator[str]:
    for name, m in points.items():
        if not m.scalar_curvature.converged:
            why = " ".join(m.scalar_curvature.notes)
            yield f"R at {name} has not converged: its interval is wider than was asked for. {why}".rstrip()
        ends = {"largest": m.largest, "smallest": m.smallest}
        rough = [end for end, pairs in ends.items() if pairs is not None and not pairs.converged]
        if rough:
            yield f"Not converged at {name}: {' and '.join(rough)} eigenvalue; the interval is the residual reached."


def _differs(a: Measurement, b: Measurement, part: Callable[[Any], str]) -> bool:
    """Whether both have a fingerprint, and this part of them differs."""
    return a.fingerprint is not None and b.fingerprint is not None and part(a.fingerprint) != part(b.fingerprint)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

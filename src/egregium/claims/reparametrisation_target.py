"""C10 on a network of the user's own: one pair of layers rescaled by 1/2 and by 2, by sampling alone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from egregium.claims.claim import Outcome, Run
from egregium.claims.rescaling import Pair, change, pairs_of, rescaling
from egregium.claims.spectra import Sampled
from egregium.curvature import hessian
from egregium.errors import UnsuitableError
from egregium.landscape import Landscape
from egregium.landscape.normalisation import By
from egregium.measurement import measure, scalar_curvature
from egregium.results import Chart, Check, Estimate, Measurement, Series

#: Level of the intervals.
LEVEL = 0.999
SUBJECT = "the target"
#: Powers of two, which round nothing.
FACTORS = (0.5, 2.0)
#: Normalised coordinates whose R is looked at, and directions that H is multiplied by.
NORMALISED: tuple[By, ...] = ("filter", "tensor")
DIRECTIONS = 4
#: Change of the function, relative, that has to be seen.
SEEN = 0.01
ALMOST_EVERYWHERE = "For ReLU networks H is the Hessian almost everywhere: curvature on the kinks is not in it."
NEEDED = (
    "C10 needs a network that rescaling two layers does not change: an nn.Sequential in which two Linear or Conv "
    "layers, all their parameters measured, have nothing but ReLU, LeakyReLU, pooling, Flatten or Dropout between "
    "them, and a loss without weight decay."
)


@dataclass(frozen=True, eq=False)
class Place:
    """The network with its layers rescaled by `a`, and what was measured there."""

    a: float
    A: Tensor
    land: Landscape
    measures: Mapping[str, Sampled]
    normalised: Mapping[By, Estimate]


def on_target(land: Landscape, run: Run) -> Outcome:
    """What moves, what does not, and that g and H go to A^-1 g and A^-1 H A^-1.

    Raises UnsuitableError where no two layers can be rescaled, or R is 0.
    """
    here = land.fixed()
    pair = rescalable(here)
    places = []
    for i, a in enumerate((1.0, *FACTORS)):
        run.advance(f"layers rescaled by {a:g}", i / 3)
        places.append(_place(here, rescaling(here, pair, a), a, run))
    start, moved = places[0], places[1:]
    R = start.measures["R"].value
    if not R:
        raise UnsuitableError("C10 cannot be run on this target: R is 0 here, and stays 0 however layers are rescaled.")
    checks = [check for at in moved for check in _exact(start, at, run.seed)]
    found, notes = _moves(start, moved)
    checks += found
    seen = max(abs(at.measures["R"].value / R - 1) for at in moved) / 2
    checks += [_unmoved(start, at, by, seen) for at in moved for by, e in start.normalised.items() if e.value]
    words = f"Rescaled were {pair.words}, these two alone; the model was left as it is."
    return Outcome(tuple(checks), (_chart(places),), (words, ALMOST_EVERYWHERE, *notes))


def rescalable(land: Landscape) -> Pair:
    """The first two layers that can be rescaled, by modules and by numbers. Raises UnsuitableError where none can."""
    kind = "plain function" if land.model is None else type(land.model).__name__
    why = f"no two layers of this {kind} are such."
    for pair in pairs_of(land):
        changes = [change(land, land.at(rescaling(land, pair, a) * land.theta)) for a in FACTORS]
        if max(one.largest for one in changes) <= rounding(land):
            return pair
        apart = max(changes, key=lambda one: one.largest)
        what = "outputs" if (apart.outputs or 0.0) > rounding(land) else "loss, though not the outputs (weight decay?),"
        why = f"rescaling {pair.words} changes the {what} by {100 * apart.largest:.2g} %."
    raise UnsuitableError(f"{NEEDED} Here {why}")


def rounding(land: Landscape) -> float:
    """Of outputs and derivatives, relative: the root of the dtype's epsilon."""
    return math.sqrt(torch.finfo(land.dtype).eps)


def _place(here: Landscape, A: Tensor, a: float, run: Run) -> Place:
    land = here.at(A * here.theta)
    how: dict[str, Any] = {"rtol": run.pick(0.05, 0.01), "confidence": LEVEL, "budget": run.pick(2000.0, 10_000.0)}
    m = measure(land, seed=run.seed, **how)
    ways = NORMALISED[: run.pick(1, 2)]
    normalised = {by: scalar_curvature(land.normalised(by), seed=run.seed, **how) for by in ways}
    return Place(a, A, land, _numbers(m), normalised)


def _numbers(m: Measurement) -> dict[str, Sampled]:
    """The measures of flatness at a point."""
    sampled = {
        "R": m.scalar_curvature,
        "tr H": m.trace,
        "|H|_F": m.frobenius_norm,
        "effective rank": m.effective_rank,
    }
    found = {name: Sampled(e.value, e.half_width()) for name, e in sampled.items()}
    if m.largest is not None and m.largest.values.numel():
        found["λ_max"] = Sampled(float(m.largest.values[0]), float(m.largest.residuals[0]))
    return found | {"|g|": Sampled(m.gradient_norm, 0.0)}


def _exact(start: Place, at: Place, seed: int) -> list[Check]:
    """What needs no sampling: f and outputs, the gradient, and H times a few directions drawn at random."""
    relative, why, A = rounding(at.land), "rounding, the root of the dtype's epsilon", at.A
    draw = torch.Generator().manual_seed(seed)
    W = torch.randn(len(A), DIRECTIONS, generator=draw, dtype=torch.float64).to(A)
    g, g_at = start.land.gradient(), at.land.gradient()
    HW, HW_at = (hessian(place.land) @ W for place in (start, at))
    HW_said = (hessian(start.land) @ (W / A.unsqueeze(1))) / A.unsqueeze(1)
    changed = change(start.land, at.land)

    def small(what: str, found: float, seen: float) -> Check:
        return Check(f"α = {at.a:g}: {what}", SUBJECT, found, 0.0, relative, why, resolves=seen)

    outputs = [] if changed.outputs is None else [small("relative change of the outputs", changed.outputs, SEEN)]
    return [
        small("relative change of f", changed.loss, SEEN),
        *outputs,
        small("|g′ − A⁻¹ g| / |A⁻¹ g|", _apart(g_at, g / A), _apart(g, g / A) / 2),
        small("|H′W − A⁻¹ H A⁻¹ W|_F / |A⁻¹ H A⁻¹ W|_F", _apart(HW_at, HW_said), _apart(HW, HW_said) / 2),
    ]


def _apart(found: Tensor, said: Tensor) -> float:
    """Relative to the size of what is said; 0 where both are 0."""
    apart, size = float((found - said).norm()), float(said.norm())
    return apart / size if size else apart


def _moves(start: Place, moved: Sequence[Place]) -> tuple[list[Check], tuple[str, ...]]:
    """Measures of flatness that move, where that can be seen; a note for those of which it cannot."""
    checks, silent = [], []
    for name, before in start.measures.items():
        seen = [at for at in moved if name in at.measures]
        at = max(seen, key=lambda place: abs(place.measures[name].value - before.value), default=None)
        if at is None:
            continue
        after = at.measures[name]
        tolerance = before.error + after.error + rounding(at.land) * abs(before.value)
        if abs(after.value - before.value) <= 2 * tolerance:
            silent.append(name)
            continue
        why = f"intervals of both at {100 * LEVEL:g} %"
        what = f"{name} moves at α = {at.a:g}"
        checks.append(Check(what, SUBJECT, after.value, before.value, tolerance, why, "differs from"))
    told = (f"Whether these move cannot be told from their intervals: {', '.join(silent)}.",) if silent else ()
    return checks, told


def _unmoved(start: Place, at: Place, by: By, seen: float) -> Check:
    """R in normalised coordinates: of the very same function, so by the same probes the very same number.

    `seen`: half of what R itself moves at most, relative; if this one did too, it would be noticed.
    """
    before, after = start.normalised[by], at.normalised[by]
    tolerance, why = rounding(at.land) * abs(before.value), "rounding: the same probes"
    if before.samples.shape != after.samples.shape:  # rounding made one of them end later
        tolerance, why = before.half_width() + after.half_width(), f"intervals of both at {100 * LEVEL:g} %"
    what = f"normalised R (by {by}) does not move at α = {at.a:g}"
    return Check(what, SUBJECT, after.value, before.value, tolerance, why, resolves=seen * abs(before.value))


def _chart(places: Sequence[Place]) -> Chart:
    """Measures over their value at a factor of 1."""
    start, by_size = places[0], sorted(places, key=lambda place: place.a)
    series = []
    for name, before in start.measures.items():
        there = [(at.a, at.measures[name]) for at in by_size if name in at.measures and before.value]
        series.append(_relative(name, there, before.value))
    for by in (by for by, e in start.normalised.items() if e.value):
        there = [(at.a, Sampled(e.value, e.half_width())) for at in by_size for e in (at.normalised[by],)]
        series.append(_relative(f"normalised R (by {by})", there, start.normalised[by].value))
    positive = all(y > 0 for one in series for y in one.y)
    return Chart(
        "One function, and measures of its flatness as two layers are rescaled",
        "The target: the first of two layers times α, the second over α; at every α it puts out the same. Each measure "
        f"is over its value at α = 1; whiskers are its interval at {100 * LEVEL:g} % over the probes.",
        "α",
        "measure over its value at α = 1",
        tuple(series),
        "log",
        "log" if positive else "linear",
    )


def _relative(name: str, there: Sequence[tuple[float, Sampled]], unit: float) -> Series:
    x = tuple(a for a, _ in there)
    y, half = (tuple(getattr(number, part) / unit for _, number in there) for part in ("value", "error"))
    return Series(name, x, y, tuple(abs(h) for h in half))

"""What the numbers say, in plain words: sign, dominant term, change between points, warnings."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from egregium.report.typeset import typeset
from egregium.results import TERMS, Estimate, Measurement, Session

#: Share of the largest term below which another is not worth a word, and above which the two all but cancel.
SLIGHT, ALIKE = 0.01, 0.9
#: Relative half-width from which a number that nobody asked to be precise deserves a word.
VAGUE = 0.1


@dataclass(frozen=True)
class Caution:
    """What a reader must know before believing a number at `point`."""

    point: str
    text: Markup


def sign(curvature: Estimate) -> str:
    """What the sign of R says, R being the sum of the products of all pairs of different principal curvatures."""
    low, high = curvature.interval()
    if not math.isfinite(high - low):
        return "R has no finite interval, so its sign is not settled."
    if low > 0:
        return "Positive: pairs of principal curvatures of the same sign outweigh pairs of opposite signs."
    if high < 0:
        return "Negative: pairs of principal curvatures of opposite signs outweigh pairs of the same sign."
    if low == high == 0:
        return "Zero: at most one direction is curved, or pairs of the same and of opposite signs balance."
    return "The interval holds 0: whether R is positive or negative is not settled."


def dominance(measurement: Measurement) -> str:
    """Which of R's four terms makes it what it is."""
    ranked = sorted(measurement.terms.items(), key=lambda item: -abs(item[1].value))
    (first, a), (second, b) = ranked[:2]
    if a.value == 0:
        return "All four terms of R vanish."
    share, opposite = abs(b.value / a.value), a.value * b.value < 0
    if share < SLIGHT:
        return f"Dominated by {TERMS[first]}; the other terms are below {100 * SLIGHT:g} % of it."
    if opposite and share > ALIKE:
        return f"{TERMS[first]} and {TERMS[second]} nearly cancel."
    if abs(a.value) - abs(b.value) < a.half_width() + b.half_width():
        return f"{TERMS[first]} and {TERMS[second]} are of one size within their intervals."
    effect = "takes away" if opposite else "adds"
    return f"Dominated by {TERMS[first]}; {TERMS[second]} {effect} {100 * share:.2g} % of it."


def change(session: Session) -> Markup | None:
    """How R differs between the first point and the last; None for a single point."""
    points = list(session.measurements.items())
    if len(points) < 2:
        return None
    (first, before), (last, after) = points[0], points[-1]
    a, b = before.scalar_curvature, after.scalar_curvature
    if (before.operator, before.scale) != (after.operator, after.scale):
        return Markup("The points were measured with different operators or scales, so their R are not comparable.")
    (low_a, high_a), (low_b, high_b) = a.interval(), b.interval()
    if low_a > high_b or low_b > high_a:
        verb = "falls" if b.value < a.value else "rises"
        values = (typeset(_value(a)), typeset(_value(b)))
        return Markup("From {} to {}, <i>R</i> {} from {} to {}.").format(first, last, verb, *values)
    return Markup("Between {} and {} no change of <i>R</i> is established: its intervals overlap.").format(first, last)


def warnings(session: Session) -> list[Caution]:
    """Everything not converged, and every note of an estimate."""
    return [Caution(name, typeset(text)) for name, m in session.measurements.items() for text in _warnings(m)]


def _warnings(m: Measurement) -> Iterator[str]:
    curvature = m.scalar_curvature
    estimates = named_estimates(m)
    notes = list(dict.fromkeys(note for _, estimate in estimates for note in estimate.notes))
    if not math.isfinite(curvature.half_width()):
        yield "R has no finite interval."
    if not curvature.converged:
        yield " ".join([f"R has not converged: {curvature} is a wider interval than was asked for.", *notes])
    else:
        yield from notes
    wide = [name for name, estimate in estimates[1:] if not estimate.converged and _vague(estimate)]
    if wide and curvature.converged:
        yield f"R is as precise as asked, but these are known to worse than {100 * VAGUE:g} %: {', '.join(wide)}."
    ends = {"largest": m.largest, "smallest": m.smallest}
    open_ends = [name for name, pairs in ends.items() if pairs is not None and not pairs.converged]
    if open_ends:
        yield f"Not converged: {' and '.join(open_ends)} eigenvalue; the interval is the residual reached."


def _vague(estimate: Estimate) -> bool:
    """Whether an estimate that nobody asked for is so wide that a reader must be told in the first lines."""
    return not estimate.half_width() <= VAGUE * abs(estimate.value)


def named_estimates(m: Measurement) -> list[tuple[str, Estimate]]:
    """Every estimate of a measurement with its label, R first."""
    letter = "H" if m.operator == "hessian" else "G"
    return [
        ("R", m.scalar_curvature),
        ("mean curvature tr S\u0303 / n", m.mean_curvature),
        (f"tr {letter}", m.trace),
        (f"|{letter}|_F", m.frobenius_norm),
        (f"|{letter}|²_F", m.squared_frobenius),
        ("effective rank", m.effective_rank),
        *((TERMS[name], m.terms[name]) for name in TERMS),
    ]


def _value(estimate: Estimate) -> str:
    return str(estimate).removesuffix(f" ({100 * estimate.confidence:g} %)").removesuffix(" (exact)")

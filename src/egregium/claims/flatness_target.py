"""C4 on a landscape of the user's own: R, trace and norms of H side by side, by sampling alone."""

import math

from egregium.claims.claim import Outcome, Run
from egregium.claims.spectra import Sampled, excess
from egregium.landscape import Landscape
from egregium.measurement import measure
from egregium.results import Chart, Check, Measurement, Series

#: Level of the intervals.
LEVEL = 0.999
SUBJECT = "the target"


def on_target(land: Landscape, run: Run) -> Outcome:
    """What the trace leaves open here: how far R is below the most that it could be for this trace."""
    m = measure(land, rtol=run.pick(0.01, 0.003), confidence=LEVEL, seed=run.seed)
    run.advance("negative eigenvalues", 0.6)
    beside = excess(land, run.pick(16, 64), run.pick(32, 96), LEVEL, run.seed)
    nuclear = Sampled(m.trace.value + beside.value, m.trace.half_width() + beside.error)
    checks, notes = _against_the_most(m)
    if checks:
        checks += _norms(m, nuclear)  # theorems: alone they would say nothing of the trace
    return Outcome(tuple(checks), (_chart(m, nuclear),), notes)


def _against_the_most(m: Measurement) -> tuple[list[Check], tuple[str, ...]]:
    """(tr S~)^2 - |S~|_F^2 is at most (1 - 1/n) (tr S~)^2, by Cauchy and Schwarz; the trace knows no more."""
    R, t = m.scalar_curvature, m.mean_curvature.affine(m.n)
    most, share = (1 - 1 / m.n) * t.value**2, 1 - 1 / m.n
    tolerance = R.half_width() + share * (2 * abs(t.value) + t.half_width()) * t.half_width()
    why = f"intervals of both at {100 * LEVEL:g} %"
    checks = [Check("R ≤ (1 − 1/n) (tr S̃)²", SUBJECT, R.value, most, tolerance, why, "at most")]
    if most - R.value <= 2 * tolerance:
        return [], ("R cannot be told from the most that it could be for this trace: here the two go together.",)
    what = "R is not what the trace alone would let one think"
    return [*checks, Check(what, SUBJECT, R.value, most, tolerance, why, "differs from")], ()


def _norms(m: Measurement, nuclear: Sampled) -> list[Check]:
    """The order of the norms."""
    F, why = m.frobenius_norm, f"intervals at {100 * LEVEL:g} %"
    checks = [
        Check("|H|_F ≤ |H|_*", SUBJECT, F.value, nuclear.value, F.half_width() + nuclear.error, why, "at most"),
    ]
    if (spectral := _spectral(m)) is not None:
        tolerance = F.half_width() + spectral.error
        checks.insert(0, Check("|H|₂ ≤ |H|_F", SUBJECT, spectral.value, F.value, tolerance, why, "at most"))
    return checks


def _spectral(m: Measurement) -> Sampled | None:
    """The largest absolute eigenvalue that was found."""
    ends = [pairs for pairs in (m.largest, m.smallest) if pairs is not None and pairs.values.numel()]
    found = [Sampled(abs(float(pairs.values[0])), float(pairs.residuals[0])) for pairs in ends]
    return max(found, key=lambda end: end.value, default=None)


def _chart(m: Measurement, nuclear: Sampled) -> Chart:
    """The measures, each at its own place."""
    R, spectral = m.scalar_curvature, _spectral(m)
    root = math.copysign(math.sqrt(abs(R.value)), R.value)
    wide = R.half_width() / (2 * abs(root)) if root else math.sqrt(R.half_width())
    measures = {
        "√|R|, with the sign of R": Sampled(root, wide),
        "tr H": Sampled(m.trace.value, m.trace.half_width()),
        "|H|₂": spectral,
        "|H|_F": Sampled(m.frobenius_norm.value, m.frobenius_norm.half_width()),
        "|H|_*": nuclear,
    }
    shown = [(name, number) for name, number in measures.items() if number is not None]
    return Chart(
        "Measures of flatness at the target",
        f"One point, each measure in the units of H; intervals at {100 * LEVEL:g} % over the probes.",
        "place in the legend",
        "measure",
        tuple(Series(name, (float(i + 1),), (at.value,), (at.error,)) for i, (name, at) in enumerate(shown)),
    )

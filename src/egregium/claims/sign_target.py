"""C3 on any landscape: the sign of R where the smallest eigenvalue allows one, by sampling alone."""

from egregium.claims.claim import Outcome, Run
from egregium.landscape import Landscape
from egregium.measurement import measure
from egregium.results import Chart, Check, Measurement, Series

#: Level of the interval of R.
LEVEL = 0.999


def on_target(land: Landscape, run: Run) -> Outcome:
    """R ≥ 0 where H is positive semi-definite as far as can be seen; else what R is."""
    m = measured(land, run)
    checks = sign_checks("the target", m)
    silent = "H has a negative eigenvalue here, or none was looked for, and R cannot be told from 0."
    return Outcome(tuple(checks), (_chart(m),), () if checks else (silent,))


def measured(land: Landscape, run: Run) -> Measurement:
    """R and the smallest eigenvalue, each with its error."""
    return measure(land, rtol=run.pick(0.02, 0.005), confidence=LEVEL, seed=run.seed)


def sign_checks(subject: str, m: Measurement) -> list[Check]:
    """R ≥ 0 where no eigenvalue below minus its residual was found; else that R is not 0, or nothing where it may be.

    With all eigenvalues >= -e, S~ + (e / W) P^2 >= 0, and its trace of at most n e more than S~ has gives
    R >= -2 n e (|tr S~| + n e).
    """
    R, half = m.scalar_curvature.value, m.scalar_curvature.half_width()
    level = f"interval of R at {100 * LEVEL:g} %"
    if m.smallest is None or not m.smallest.values.numel():
        return []
    low, residual = float(m.smallest.values[0]), float(m.smallest.residuals[0])
    if low < -residual:
        if abs(R) <= 2 * half:
            return []
        what = f"λ_min < 0, so the sign of R is free: here it is {'positive' if R > 0 else 'negative'}"
        return [Check(what, subject, R, 0.0, half, level, "differs from", outside=True)]
    slack = 2 * m.n * residual * (abs(m.n * m.mean_curvature.value) + m.n * residual)
    why = f"{level}; eigenvalues down to −{residual:.1g}, all n of them, would add {slack:.1g}"
    what = "R ≥ 0 where λ_min ≥ 0 within its error"
    return [Check(what, subject, R, 0.0, half + slack, why, "at least", resolves=abs(R))]


def _chart(m: Measurement) -> Chart:
    """R between its bounds for H ⪰ 0."""
    R, beta = m.scalar_curvature, 1 / (1 + m.gradient_norm**2)
    at_rest = (m.terms["trace"].value + m.terms["frobenius"].value) / beta
    ends = (0.0, 1.0)
    return Chart(
        "R between its bounds for H ⪰ 0",
        f"One point; the interval of R at {100 * LEVEL:g} % over the probes. With H ⪰ 0, R is from β² to β times "
        "(tr H)² − |H|²_F, on either line; with a negative eigenvalue it may be anywhere.",
        "0: lower bound, 1: upper bound",
        "R",
        (
            Series("bounds", ends, (beta**2 * at_rest, beta * at_rest), mark="line"),
            Series("R", (0.5,), (R.value,), (R.half_width(),)),
        ),
    )

"""C2 on a landscape of the user's own: which form of R holds at its point, by sampling alone."""

from dataclasses import dataclass

from egregium.claims.claim import Outcome, Run
from egregium.claims.spectra import Sampled, excess
from egregium.landscape import Landscape
from egregium.measurement import measure
from egregium.results import Chart, Check, Measurement, Series

#: Level of the intervals.
LEVEL = 0.999
#: Departure that a comparison has to see: of (tr H)^2 + |H|_F^2 for the first form, of (tr H)^2 for the second.
SEEN, SEEN_NUCLEAR = 0.05, 0.5
SUBJECT = "the target"


@dataclass(frozen=True)
class Forms:
    """R and its two forms, from different probes, and what tells where each of them holds.

    Attributes:
        R, first, second: R, (tr H)^2 - |H|_F^2 and |H|_*^2 - |H|_F^2.
        gradient_part: R - first by the terms of R that have the gradient in them.
        gradient_norm, trace, squared_frobenius, n: |g|, tr H, |H|_F^2, number of parameters.
        smallest: the smallest eigenvalue that was found, and its residual; None where none was reached.
    """

    R: Sampled
    first: Sampled
    second: Sampled
    gradient_part: float
    gradient_norm: float
    trace: float
    squared_frobenius: float
    n: int
    smallest: Sampled | None

    @property
    def at_rest(self) -> bool:
        """Whether what the gradient adds to R is less than can be seen."""
        return abs(self.gradient_part) <= self.R.error + self.first.error


def on_target(land: Landscape, run: Run) -> Outcome:
    """Both forms where |g| and the smallest eigenvalue allow them, else that they fail, where that can be seen."""
    rtol = run.pick(0.01, 0.003)
    one = measure(land, rtol=rtol, confidence=LEVEL, seed=run.seed)
    run.advance("the same by other probes", 0.4)
    other = measure(land, rtol=rtol, confidence=LEVEL, seed=run.seed + 1, extremes=False)
    run.advance("negative eigenvalues", 0.7)
    forms = forms_of(one, other, excess(land, run.pick(16, 64), run.pick(32, 96), LEVEL, run.seed))
    checks, notes = _first(forms)
    second, more = _second(forms)
    return Outcome((*checks, *second), (_chart(forms),), (*notes, *more))


def forms_of(one: Measurement, other: Measurement, excess: Sampled) -> Forms:
    """R from one measurement; the terms beta (tr H)^2, -beta |H|_F^2 and those with the gradient from the other.

    |H|_* = tr H + `excess`.
    """
    W2 = 1 + other.gradient_norm**2
    squared, frobenius = other.terms["trace"].affine(W2), other.terms["frobenius"].affine(W2)
    first = squared.value + frobenius.value
    part = other.terms["gradient"].value + other.terms["gradient_trace"].value - first * (1 - 1 / W2)
    F, N = other.squared_frobenius, other.trace.value + excess.value
    wide = other.trace.half_width() + excess.error
    found = one.smallest
    return Forms(
        R=Sampled(one.scalar_curvature.value, one.scalar_curvature.half_width()),
        first=Sampled(first, squared.half_width() + frobenius.half_width()),
        second=Sampled(N**2 - F.value, (2 * N + wide) * wide + F.half_width()),
        gradient_part=part,
        gradient_norm=one.gradient_norm,
        trace=other.trace.value,
        squared_frobenius=F.value,
        n=one.n,
        smallest=None if found is None else Sampled(float(found.values[0]), float(found.residuals[0])),
    )


def _first(f: Forms) -> tuple[list[Check], list[str]]:
    if not f.at_rest:
        what = "where the gradient is not 0: (tr H)² − |H|²_F is not R"
        return _refuted(what, f.R, f.first, f"|g| = {f.gradient_norm:.3g}: (tr H)² − |H|²_F need not be R")
    tolerance = f.R.error + f.first.error + abs(f.gradient_part)
    why = f"intervals at {100 * LEVEL:g} % of both sides, and what the gradient adds, {f.gradient_part:.2g}"
    seen = SEEN * (f.trace**2 + f.squared_frobenius)
    what = "R = (tr H)² − |H|²_F by other probes"
    return [Check(what, SUBJECT, f.R.value, f.first.value, tolerance, why, resolves=seen)], []


def _second(f: Forms) -> tuple[list[Check], list[str]]:
    """The form with the nuclear norm, whose slack is what eigenvalues as low as the residual could add to it."""
    if f.smallest is None:
        return [], ["No smallest eigenvalue was reached, so nothing is said about |H|²_* − |H|²_F."]
    low, residual = f.smallest.value, f.smallest.error
    if low < -residual:
        what = "where H is indefinite: |H|²_* − |H|²_F is not R"
        return _refuted(what, f.R, f.second, f"λ_min = {low:.3g}: |H|²_* − |H|²_F need not be R")
    if not f.at_rest:
        return [], []
    slack = 4 * f.n * residual * (abs(f.trace) + f.n * residual)
    tolerance = f.R.error + f.second.error + abs(f.gradient_part) + slack
    why = f"intervals at {100 * LEVEL:g} % of both sides, and all eigenvalues as low as −{residual:.1g}"
    seen = SEEN_NUCLEAR * f.trace**2
    return [Check("R = |H|²_* − |H|²_F", SUBJECT, f.R.value, f.second.value, tolerance, why, resolves=seen)], []


def _refuted(what: str, R: Sampled, form: Sampled, silent: str) -> tuple[list[Check], list[str]]:
    """Outside its condition a form is shown to fail where that can be seen; a note where it cannot."""
    tolerance = R.error + form.error
    if abs(R.value - form.value) <= 2 * tolerance:
        return [], [f"{silent}, and the two cannot be told apart here."]
    why = f"intervals at {100 * LEVEL:g} % of both sides"
    return [Check(what, SUBJECT, R.value, form.value, tolerance, why, "differs from", outside=True)], []


def _chart(f: Forms) -> Chart:
    ends = (min(f.first.value, f.second.value, f.R.value), max(f.first.value, f.second.value, f.R.value))

    def against(name: str, form: Sampled) -> Series:
        return Series(name, (form.value,), (f.R.value,), (f.R.error + form.error,))

    return Chart(
        "R against its two forms at the target",
        f"One point; the probes were sampled, intervals of the difference at {100 * LEVEL:g} %. The line is equality.",
        "what the form says",
        "R",
        (
            Series("equal", ends, ends, mark="line"),
            against("(tr H)² − |H|²_F", f.first),
            against("|H|²_* − |H|²_F", f.second),
        ),
    )

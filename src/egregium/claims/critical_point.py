"""C2: R at a critical point and at a minimum, from trace, Frobenius norm and nuclear norm."""

import math
from dataclasses import dataclass, replace

import torch

from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.critical_target import on_target
from egregium.claims.minima import DECAY, digit_minimum
from egregium.claims.networks import digit_landscape
from egregium.claims.spectra import Spectrum, departure_bound, spectrum
from egregium.claims.surfaces import DOUBLE, Surface, paraboloid, quadratic, quadratic_form, saddle, sphere
from egregium.curvature import hessian
from egregium.geometry.reference import tensors
from egregium.landscape import Landscape
from egregium.measurement import scalar_curvature
from egregium.operators import dense_matrix
from egregium.results import Chart, Check, Series

#: Rounding, relative to (tr H)^2 + |H|_F^2: derivatives of the metric, n products, a dense eigendecomposition.
ROUNDING = 1e-9
#: Level of the interval of what is sampled.
LEVEL = 0.999
#: Smallest departure on the chart, where rounding is all there is.
LEAST = 1e-16

FIRST = "R = (tr H)² − |H|²_F"
SECOND = "R = |H|²_* − |H|²_F"
SAMPLED = "R from sampled products = |H|²_* − |H|²_F from all eigenvalues"
NOT_FIRST = "where the gradient is not 0: (tr H)² − |H|²_F is not R"
NOT_SECOND = "where H is indefinite: |H|²_* − |H|²_F is not R"
NOT_TRACE = "where H is indefinite: |H|_* is not tr H"
CLOSED = "R = β [(tr H)² − |H|²_F] + 2β² (|H g|² − tr H gᵀH g), from all entries of H"
BOUNDED = "|R − (tr H)² + |H|²_F| is at most |g|² times its bound"


@dataclass(frozen=True, eq=False)
class Place:
    """A point of a surface: its name, |g|, R, the spectrum of H, and the closed form of R where it is compared."""

    subject: str
    gradient_norm: float
    R: float
    spectrum: Spectrum
    closed_form: float = math.nan

    @property
    def closed_form_check(self) -> Check:
        """R with what the gradient adds to it, from all of H."""
        return Check(CLOSED, self.subject, self.R, self.closed_form, self.rounding, "rounding")

    @property
    def bound(self) -> float:
        """The most that R may differ from (tr H)^2 - |H|_F^2."""
        return departure_bound(self.gradient_norm, self.spectrum)

    @property
    def rounding(self) -> float:
        """Of R and of what it is held against."""
        return ROUNDING * self.spectrum.size

    @property
    def nuclear_form(self) -> float:
        """|H|_*^2 - |H|_F^2."""
        return self.spectrum.nuclear**2 - self.spectrum.squared_frobenius


def _run(run: Run) -> Outcome:
    checks = list[Check]()
    for surface in (*_resting(run.seed), *_steep()):
        g, R = float(surface.land.gradient().norm()), tensors(surface.f, surface.theta).scalar_curvature
        checks += _forms(Place(surface.name, g, R, spectrum(surface.land)))
    run.advance("a network at a minimum", 0.2)
    hidden, samples = run.pick(((4,), 200), ((8,), 300))
    land = digit_minimum(hidden, samples, run.seed)
    checks += _at_minimum(land, run)
    stops = run.pick((0, 3, 6, 12, 24, 40, 80, 150), (0, 1, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 150, 250))
    path = list[Place]()
    for i, steps in enumerate(stops):
        run.advance("along its training", 0.4 + 0.6 * i / len(stops))
        name = f"the network after {steps} steps" if steps else "the network at initialisation"
        path.append(_place(name, digit_landscape(hidden, samples, seed=run.seed, steps=steps, decay=DECAY)))
        checks += [_bounded(path[-1]), path[-1].closed_form_check]
    return Outcome((*checks, *_forms(path[0])), (_chart(path),))


def _resting(seed: int) -> tuple[Surface, ...]:
    """Surfaces at critical points: minima, a maximum and saddles."""
    generator = torch.Generator().manual_seed(seed)
    A = torch.randn(6, 6, dtype=DOUBLE, generator=generator)
    pole = sphere()
    return (
        saddle(),
        quadratic(torch.tensor([-1.0, -2.0])),
        quadratic(torch.tensor([3.0, 2.0, 1.0, 0.5])),
        replace(pole, name=f"{pole.name}, at its pole", theta=torch.zeros_like(pole.theta)),
        quadratic_form((A + A.T) / 2, "quadratic with random symmetric A, n = 6"),
        quadratic_form(A.T @ A / 6, "quadratic with random A = BᵀB, n = 6"),
    )


def _steep() -> tuple[Surface, ...]:
    """Surfaces where the gradient is not 0; that of the sphere is about 2 at 0.9 of its radius."""
    round_, theta = sphere(r=2.0), torch.tensor([1.0, 1.0, 1.12], dtype=DOUBLE)
    return (replace(round_, name=f"{round_.name}, at 0.9 of it from its pole", theta=theta), paraboloid())


def _place(subject: str, land: Landscape) -> Place:
    """R from products with the shape operator, which knows the gradient; the rest from H alone."""
    R, H, g = scalar_curvature(land, method="exact").value, dense_matrix(hessian(land)), land.gradient()
    s, beta, Hg = Spectrum(torch.linalg.eigvalsh(H)), 1 / (1 + float(g @ g)), H @ g
    added = 2 * beta**2 * float(Hg @ Hg - s.trace * (g @ Hg))
    return Place(subject, float(g.norm()), R, s, beta * s.at_rest + added)


def _forms(place: Place) -> list[Check]:
    """Both forms of R, each as what holds here or as what does not."""
    s, subject, rounding = place.spectrum, place.subject, place.rounding
    near, why = place.bound + rounding, "rounding, and |g|² times a bound from |H|₂, tr H and |H|_F"
    at_rest = place.bound <= rounding

    def differs(what: str, found: float, expected: float) -> Check:
        return Check(what, subject, found, expected, rounding, "rounding", "differs from", outside=True)

    checks = list[Check]()
    if at_rest:
        checks.append(Check(FIRST, subject, place.R, s.at_rest, near, why))
    else:
        checks.append(differs(NOT_FIRST, place.R, s.at_rest))
    if not s.semidefinite:
        checks += [differs(NOT_SECOND, place.R, place.nuclear_form), differs(NOT_TRACE, s.nuclear, s.trace)]
    elif at_rest:
        checks.append(Check(SECOND, subject, place.R, place.nuclear_form, near, why))
    return checks


def _at_minimum(land: Landscape, run: Run) -> list[Check]:
    """The network where its gradient is 0 up to rounding: exactly, and by sampling alone."""
    place = _place(f"tanh network on digits, n = {land.n}, at a minimum", land)
    s, subject = place.spectrum, place.subject
    sampled = scalar_curvature(land, method="stochastic", rtol=0.01, confidence=LEVEL, seed=run.seed)
    why = f"interval at {100 * LEVEL:g} %, and |g|² times a bound; to be told from (tr H)²"
    tolerance = sampled.half_width() + place.bound + place.rounding
    seen = s.squared_frobenius / 2
    return [
        Check("λ_min ≥ 0", subject, s.smallest, 0.0, s.rounding, "rounding of the eigenvalues", "at least"),
        *_forms(place),
        Check(SAMPLED, subject, sampled.value, place.nuclear_form, tolerance, why, resolves=seen),
    ]


def _bounded(place: Place) -> Check:
    """How fast the first form becomes true: an inequality without a condition."""
    found = abs(place.R - place.spectrum.at_rest)
    return Check(BOUNDED, place.subject, found, place.bound, place.rounding, "rounding", "at most")


def _chart(path: list[Place]) -> Chart:
    x = tuple(place.gradient_norm for place in path)

    def relative(departures: list[float]) -> tuple[float, ...]:
        return tuple(max(d / p.spectrum.size, LEAST) for d, p in zip(departures, path, strict=True))

    return Chart(
        "Two formulas for R on the way to a minimum",
        "A tanh network on digits at points of its training, from right to left; nothing was sampled. The formula with "
        "the trace becomes true as |g|², the one with the nuclear norm when H has lost its negative eigenvalues.",
        "length of the gradient, |g|",
        "departure from R, relative to (tr H)² + |H|²_F",
        (
            Series("(tr H)² − |H|²_F", x, relative([abs(p.R - p.spectrum.at_rest) for p in path])),
            Series("|H|²_* − |H|²_F", x, relative([abs(p.R - p.nuclear_form) for p in path])),
            Series("|g|² times its bound", *_ordered(x, relative([p.bound for p in path])), mark="line"),
        ),
        x_scale="log",
        y_scale="log",
    )


def _ordered(x: tuple[float, ...], y: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Places of a line from left to right."""
    pairs = sorted(zip(x, y, strict=True))
    return tuple(a for a, _ in pairs), tuple(b for _, b in pairs)


CLAIM = Claim(
    id="C2",
    title="R at a minimum is the nuclear norm squared minus the Frobenius norm squared",
    statement=(
        "At a critical point R = (tr H)² − |H|²_F; at a minimum, where H is positive semi-definite and tr H = |H|_*, "
        "R = |H|²_* − |H|²_F, with the nuclear norm |H|_* = Σ |λ|."
    ),
    source="arXiv 2307.04719, scalar curvature at critical points and minima",
    condition=(
        "The first form needs g = 0; elsewhere it is off by at most |g|² (|t² − F| + 2 |H|₂ (|H|₂ + |t|)), t = tr H, "
        "F = |H|²_F. The second needs g = 0 and all eigenvalues of one sign: a minimum or a maximum, not a saddle."
    ),
    simulated=(
        "R by derivatives of the metric on six surfaces at critical points and two away from them; R of a tanh network "
        "on digits with weight decay, by products with the shape operator, at a minimum found by Newton's method and "
        "at points of its training; trace, Frobenius and nuclear norm from all eigenvalues of H."
    ),
    run=_run,
    on_target=on_target,
    simulated_on_target="R, both forms of it and the smallest eigenvalue at the target's point, by random probes.",
)

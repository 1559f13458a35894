"""The leading orders of what a step from a minimum does to the loss, and how simulated steps are held against them."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from egregium.claims.perturbation import LEVEL, Differences, differences, next_order, order, sampled_mean
from egregium.claims.spectra import Sampled
from egregium.landscape import Landscape
from egregium.measurement import eigenpairs, measure
from egregium.results import Check
from egregium.results.claims import Relation

MEAN = "mean of the difference / ε² = tr H / 2n"
SQUARE = "mean of its square / ε⁴ = [(tr H)² + 2 |H|²_F] / 4n(n + 2)"
ATTAINED = "the square / ε⁴ along the top eigenvector = λ_max² / 4"
ASCENT = "the square / ε⁴ in the worst direction that ascent finds ≤ λ_max² / 4"
RANDOM = "the largest square / ε⁴ of random directions ≤ λ_max² / 4"
NORMS = "λ_max² / 4 ≤ |H|²_F / 4"
NORMS_ALIKE = "λ_max² / 4 = |H|²_F / 4 where rank H = 1"
NO_SQUARE = "where the gradient is not 0: the mean of the square / ε⁴ is not [(tr H)² + 2 |H|²_F] / 4n(n + 2)"
NO_BOUND = "where the gradient is not 0: along it the square / ε⁴ passes λ_max² / 4"
NO_SADDLE = "at a saddle: along the lowest eigenvector the square / ε⁴ passes λ_max² / 4"
#: Rounding, relative to a mean: directions of a frame are orthonormal up to that.
ROUNDING = 1e-12
STATISTICAL = f"interval at {100 * LEVEL:g} % over the directions, and the next order as measured at ε and 2ε"


@dataclass(frozen=True, eq=False)
class LeadingOrder:
    """tr H, |H|_F^2, the largest eigenvalue and its vector, with their errors, and what they say of the loss."""

    n: int
    trace: Sampled
    squared_frobenius: Sampled
    largest: Sampled
    vector: Float[Tensor, " n"]

    @property
    def mean(self) -> Sampled:
        """tr H / 2n: the mean over the sphere of the difference / eps^2."""
        return Sampled(self.trace.value / (2 * self.n), self.trace.error / (2 * self.n))

    @property
    def square(self) -> Sampled:
        """[(tr H)^2 + 2 |H|_F^2] / 4n(n + 2): that of its square / eps^4."""
        below, t, F = 4 * self.n * (self.n + 2), self.trace, self.squared_frobenius
        return Sampled((t.value**2 + 2 * F.value) / below, (2 * abs(t.value) * t.error + 2 * F.error) / below)

    @property
    def without_norm(self) -> float:
        """How much of `square` is the Frobenius norm's: the square of the mean alone would be less by that."""
        return 2 * self.squared_frobenius.value / (4 * self.n * (self.n + 2))

    @property
    def worst(self) -> Sampled:
        """lambda_max^2 / 4: the largest square / eps^4."""
        return Sampled(self.largest.value**2 / 4, abs(self.largest.value) * self.largest.error / 2)

    @property
    def norm_bound(self) -> Sampled:
        """|H|_F^2 / 4."""
        return Sampled(self.squared_frobenius.value / 4, self.squared_frobenius.error / 4)


def leading_order(land: Landscape, seed: int, rtol: float = 0.003) -> LeadingOrder:
    """From sampled products, all columns where they are few."""
    m = measure(land, rtol=rtol, confidence=LEVEL, seed=seed, extremes=False)
    top = eigenpairs(land, 1, tol=1e-4, seed=seed)
    return LeadingOrder(
        land.n,
        Sampled(m.trace.value, m.trace.half_width()),
        Sampled(m.squared_frobenius.value, m.squared_frobenius.half_width()),
        Sampled(float(top.values[0]), float(top.bounds[0])),
        top.vectors[:, 0],
    )


def mean_check(subject: str, known: LeadingOrder, at: Differences, twice: Differences, seen: float) -> Check:
    """The mean of the difference at eps; `twice`: at 2 eps in the first of the same directions."""
    found, k = sampled_mean(at.first, at.group), twice.even.numel()
    further = next_order(at.first[:k], twice.first)
    tolerance = found.error + further + known.mean.error + at.rounding / at.eps**2 + ROUNDING * abs(found.value)
    resolves = seen * abs(known.mean.value)
    return Check(MEAN, subject, found.value, known.mean.value, tolerance, STATISTICAL, resolves=resolves)


def square_tolerance(known: LeadingOrder, at: Differences, twice: Differences) -> float:
    """How far the mean of the square at eps may be from its leading order."""
    further = next_order(at.second[: twice.even.numel()], twice.second)
    rounding = 2 * float(at.even.abs().mean()) * at.rounding / at.eps**4
    return sampled_mean(at.second, at.group).error + further + known.square.error + rounding


def square_check(subject: str, known: LeadingOrder, at: Differences, twice: Differences, seen: float) -> Check:
    """The mean of its square, likewise; `seen`: the departure that must be, absolutely."""
    found, tolerance = sampled_mean(at.second, at.group).value, square_tolerance(known, at, twice)
    return Check(SQUARE, subject, found, known.square.value, tolerance, STATISTICAL, resolves=seen)


def order_checks(subject: str, at: list[Differences]) -> list[Check]:
    """The first correction to either mean is of order eps^2 beyond the leading one: from 1, 2, 4 and 8 times eps.

    An order is a whole number, so that it is told where 2 is nearer than 1 and 3 by more than the error.
    """
    k = at[-1].even.numel()
    checks = list[Check]()
    for what, values in (("mean", [d.first[:k] for d in at]), ("square", [d.second[:k] for d in at])):
        found = order(values)
        name = f"order in ε of the next term of the {what}, beyond the leading one"
        why = f"nearer than 1 and 3 by more than the error {found.error:.2g}: jackknife, and the change from 4ε to 8ε"
        tolerance = 0.5 - found.error if found.error < 0.25 else math.inf
        checks.append(Check(name, subject, found.value, 2.0, tolerance, why, resolves=0.5))
    return checks


def bound_check(what: str, subject: str, land: Landscape, known: LeadingOrder, x: Tensor, eps: float) -> Check:
    """The larger of the squares / eps^4 along x and -x against lambda_max^2 / 4: at most that, or that where ATTAINED.

    An error s c eps + d eps^2 along s x changes by s c eps + 3 d eps^2 from eps to 2 eps: the sizes of both changes add
    up to more than it.
    """
    near, far = (differences(land, x.unsqueeze(0), step) for step in (eps, 2 * eps))
    changes = [abs(float(far.square_along(sign) - near.square_along(sign))) for sign in (1, -1)]
    rounding = 4 * float(near.even.abs() + near.odd.abs()) * near.rounding / eps**4
    tolerance = sum(changes) + rounding + known.worst.error
    why = "the next order as measured at ε and 2ε, both ways"
    seen = max((known.norm_bound.value - known.worst.value) / 2, known.worst.value / 4)
    relation: Relation = "equals" if what == ATTAINED else "at most"
    return Check(what, subject, near.largest(), known.worst.value, tolerance, why, relation, seen)


def norms_check(subject: str, known: LeadingOrder) -> Check:
    """The second bound, by the Frobenius norm."""
    worst, norm = known.worst, known.norm_bound
    return Check(NORMS, subject, worst.value, norm.value, norm.error + worst.error, "errors of both", "at most")

"""C5: the scalar curvature is the leading correction to the volume of geodesic balls."""

from dataclasses import replace
from typing import Any

import torch

from egregium.claims.ball_coefficient import (
    COEFFICIENT,
    LEVEL,
    SHARES,
    STEPS,
    Fit,
    chart_of,
    fitted,
    largest_radius,
    leading_coefficient,
    of_volumes,
    points,
)
from egregium.claims.ball_limits import chord_ratios, creased, hemisphere, plain_ratios, pyramid, sphere_ratio
from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.networks import pooled_digit_landscape
from egregium.claims.surfaces import DOUBLE, Surface, mixed, paraboloid, saddle, sphere
from egregium.claims.target_balls import on_target
from egregium.geometry import ball_volumes
from egregium.landscape import Landscape
from egregium.measurement import scalar_curvature
from egregium.results import BallVolumes, Chart, Check, Series
from egregium.stats import mean_half_width

#: The leading correction at the largest radius: small, so that the next ones are smaller still.
CORRECTION = 0.001
#: Weight decay of the networks, without which some seeds lead into valleys that bend within the smallest balls.
DECAY = 0.001


def area_coefficient(R: float, n: int) -> float:
    """Of r^2 in the area of the ball's boundary, over the Euclidean one: the law that this one must be told from."""
    return -R / (6 * n)


def _run(run: Run) -> Outcome:
    checks = list[Check]()
    for surface in (saddle(), sphere(), paraboloid(), mixed()):
        run.advance(surface.name, 0.05 * len(checks))
        checks.append(_on_surface(surface, run))
    run.advance("where the expansion ends", 0.2)
    far, chart = _far_out(run)
    checks += [_by_the_equation(run), *far, *_creased(run), *_not_intrinsic(run)]
    charts = [chart]
    for land, pairs in _networks(run):
        run.advance(f"a trained network of {land.n} parameters", 0.1 + 0.2 * len(charts))
        check, found = _on_network(land, pairs, run)
        checks.append(check)
        charts.append(chart_of(found, check.subject))
    return Outcome(tuple(checks), tuple(charts))


def _on_surface(surface: Surface, run: Run) -> Check:
    found = _volumes(surface.land, surface.scalar_curvature, run.pick(3, 12) * surface.land.n, run)
    return _compared(surface.name, of_volumes(found), surface.scalar_curvature, found.n, found.method)


def _on_network(land: Landscape, pairs: int, run: Run) -> tuple[Check, BallVolumes]:
    R = scalar_curvature(land, method="exact").value
    found = _volumes(land, R, pairs, run)
    subject = f"tanh network on digits, n = {land.n}"
    return _compared(subject, of_volumes(found), R, land.n, found.method, whole=pairs >= 2 * land.n), found


def _volumes(land: Landscape, R: float, pairs: int, run: Run) -> BallVolumes:
    radii = [largest_radius(R, land.n, CORRECTION) * share for share in SHARES]
    return ball_volumes(land, radii, pairs=pairs, steps=STEPS, seed=run.seed)


def _compared(subject: str, fit: Fit, R: float, n: int, drawn: str, whole: bool = True) -> Check:
    """`whole`: frames or as exact, which tell the law from that of areas; a few pairs do from no correction at all."""
    expected = leading_coefficient(R, n)
    rival = area_coefficient(R, n) if whole else 0.0
    why = f"{100 * LEVEL:g} % Student over {drawn}; what the r⁶ term changes; what solver and determinants leave out"
    return Check(COEFFICIENT, subject, fit.value, expected, fit.tolerance, why, resolves=abs(expected - rival) / 2)


def _networks(run: Run) -> list[tuple[Landscape, int]]:
    """Trained networks, and so many pairs of directions: whole frames of the first two."""
    how: dict[str, Any] = {"steps": 100, "decay": DECAY, "seed": run.seed}
    small = pooled_digit_landscape(4, 2, classes=2, **how)
    if run.preset == "quick":
        return [(small, 3 * small.n)]
    middle, large = pooled_digit_landscape(4, 2, **how), pooled_digit_landscape(2, 4, **how)
    return [(small, 5 * small.n), (middle, 3 * middle.n), (large, 128)]


def _by_the_equation(run: Run) -> Check:
    """By plain Monte Carlo from the geodesic equation, without anything of the library."""
    surface, a, count = paraboloid(a=0.7), 0.7, run.pick(10_000, 100_000)
    n, R = len(surface.theta), surface.scalar_curvature
    radii = largest_radius(R, n, CORRECTION) * torch.tensor(SHARES, dtype=DOUBLE)
    draw = torch.Generator().manual_seed(run.seed)
    ratios = plain_ratios(a * torch.eye(n, dtype=DOUBLE), surface.theta, radii, count, draw)
    fit = fitted(radii, ratios, torch.full((len(radii),), 1e-8, dtype=DOUBLE))  # the step squared
    subject = f"{surface.name}, finite differences of exp"
    return _compared(subject, fit, R, n, f"{count} pairs of points of the tangent ball")


def _far_out(run: Run) -> tuple[list[Check], Chart]:
    """A sphere as far as its edge: the exact ratio is met, by its leading correction it is missed."""
    surface, rho = sphere(), 2.0
    r = [rho * share / 10 for share in range(1, 11)]
    found = ball_volumes(surface.land, r, pairs=run.pick(3, 8) * 3, steps=3 * STEPS, seed=run.seed)
    leading = [1 + leading_coefficient(surface.scalar_curvature, 3) * x**2 for x in r]
    exact, e = [sphere_ratio(x, rho) for x in r], found.ratios[-1]
    wide = e.half_width(LEVEL)
    why = f"{100 * LEVEL:g} % over {found.method}, solver and quadrature"
    apart = abs(exact[-1] - leading[-1]) / 2
    subject = f"{surface.name}, ball of radius {r[-1]:g}"
    checks = [
        Check("volume ratio = its exact value", subject, e.value, exact[-1], wide, why, resolves=apart),
        Check(
            "volume ratio ≠ 1 − R r² / (6 (n + 2)), where r is not small",
            subject,
            e.value,
            leading[-1],
            wide,
            why,
            "differs from",
            resolves=apart,
            outside=True,
        ),
    ]
    series = (
        Series("exact", tuple(r), tuple(exact), mark="line"),
        Series("1 − R r² / (6 (n + 2))", tuple(r), tuple(leading), mark="line"),
        points(tuple(r), found.ratios),
    )
    caption = f"n = 3; {found.method}; bars at 95 %."
    return checks, Chart(f"Balls on a {surface.name}", caption, "radius r", "volume over Euclidean volume", series)


def _creased(run: Run) -> list[Check]:
    """A gradient without jumps is not enough: the Hessian's jump at the centre is seen at every radius."""
    surface = creased()
    bent, flat = surface.scalar_curvature, scalar_curvature(surface.land).value
    found = _volumes(surface.land, bent, run.pick(8, 32), run)
    check = _compared(surface.name, of_volumes(found), bent, 2, found.method)
    quarter = leading_coefficient(bent, 2) / 4
    return [
        replace(
            check,
            what=f"coefficient of r² ≠ −R / (6 (n + 2)), R = {R:g} {where}",
            expected=leading_coefficient(R, 2),
            relation="differs from",
            resolves=abs(leading_coefficient(R, 2) - quarter) / 2,
            outside=True,
        )
        for R, where in (
            (bent, "on one side of the creases"),
            (flat, "on the others, and by automatic differentiation"),
        )
    ]


def _not_intrinsic(run: Run) -> list[Check]:
    """A kink, whose R is 0 almost everywhere, and balls of the surrounding space."""
    draw, count, r = torch.Generator().manual_seed(run.seed), run.pick(100_000, 1_000_000), 0.5
    beside = torch.tensor([0.3, 0.2], dtype=DOUBLE)
    checks = list[Check]()
    for what, subject, f, exact in (
        ("area ratio of a ball about the vertex ≠ 1 − R r² / 24, R beside it", "kink |u| + |v|", pyramid, 2 / 3),
        ("area ratio within the straight distance r ≠ 1 − R r² / 24", "sphere of radius 1, r = 1/2", hemisphere, 1.0),
    ):
        expected = 1 + leading_coefficient(scalar_curvature(Landscape.from_function(f, beside)).value, 2) * r**2
        samples = chord_ratios(f, r, count, draw)
        wide = mean_half_width(samples, LEVEL)
        why = f"{100 * LEVEL:g} % over {len(samples)} points"
        resolves = abs(exact - expected) / 2
        checks.append(
            Check(what, subject, float(samples.mean()), expected, wide, why, "differs from", resolves, outside=True)
        )
    return checks


CLAIM = Claim(
    id="C5",
    title="R is the leading correction to the volume of geodesic balls",
    statement=(
        "vol B_M(r) / vol B_E(r) = 1 − R r² / (6 (n + 2)) + O(r⁴): a geodesic ball about a point of the loss surface "
        "is smaller than a Euclidean ball of the same radius where R > 0, and larger where R < 0."
    ),
    source="arXiv 2307.04719, on the meaning of scalar curvature; A. Gray, Michigan Math. J. 20, 1974",
    condition=(
        "f has four continuous derivatives near the point, the balls are those of the distance along the surface, and "
        "r is small against the lengths over which the curvature changes: no kinks (ReLU), no jumps of the Hessian."
    ),
    simulated=(
        "Volumes at five radii by Monte Carlo through the exponential map with Jacobi fields, on four surfaces in "
        "closed form and tanh networks trained on digits with weight decay; once by the geodesic equation alone. The "
        "coefficient of r² is fitted together with those of r⁴ and r⁶, sample by sample. Where it ends: a sphere as "
        "far as its edge, a crease, a kink, balls of the surrounding space."
    ),
    run=_run,
    on_target=on_target,
    simulated_on_target=(
        "Geodesics from the target's point, in pairs of opposite directions, to several radii; R by random probes."
    ),
)

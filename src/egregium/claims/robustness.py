"""C6: how much the loss changes at a distance eps from a minimum, in the worst direction and on average."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.leading_order import (
    ASCENT,
    ATTAINED,
    NO_BOUND,
    NO_SADDLE,
    NO_SQUARE,
    NORMS_ALIKE,
    RANDOM,
    LeadingOrder,
    bound_check,
    leading_order,
    mean_check,
    norms_check,
    order_checks,
    square_check,
)
from egregium.claims.minima import DECAY, digit_minimum
from egregium.claims.networks import digit_landscape
from egregium.claims.perturbation import (
    LEVEL,
    Differences,
    differences,
    directions,
    frames,
    sampled_mean,
    worst_direction,
)
from egregium.claims.robustness_target import on_target
from egregium.claims.surfaces import DOUBLE, quadratic, sphere
from egregium.landscape import Landscape
from egregium.results import Chart, Check, Series

#: Radii at which random directions are looked at: the statement at the first, the order of what is left at all.
RADII = (0.1, 0.2, 0.4, 0.8)
#: The fewest frames of directions.
FEWEST = 6
#: Radius of the worst direction, whose next order is eps and not eps^2, and ascents towards it.
WORST, ASCENTS = 0.01, 60
#: Share of a mean that must be seen.
SEEN = 0.2


@dataclass(frozen=True, eq=False)
class Steps:
    """Random steps from one point: unit directions as rows, the differences at all radii, and the leading orders."""

    subject: str
    land: Landscape
    known: LeadingOrder
    x: Float[Tensor, "k n"]
    at: list[Differences]


def _run(run: Run) -> Outcome:
    generator = torch.Generator().manual_seed(run.seed)
    checks = list[Check]()
    for name, land in _surfaces().items():
        steps = _steps(name, land, run.pick((1000, 150), (10_000, 1000)), generator, run)
        checks += _at_minimum(steps, generator)
        if name.startswith("sphere"):
            checks += order_checks(name, steps.at)
    run.advance("a network at its minimum", 0.2)
    hidden, samples = run.pick(((4,), 200), ((8,), 300))
    land = digit_minimum(hidden, samples, run.seed)
    name = f"tanh network on digits, n = {land.n}"
    trained = _steps(f"{name}, at its minimum", land, run.pick((3100, 200), (12_200, 1000)), generator, run)
    checks += [*_at_minimum(trained, generator), *order_checks(trained.subject, trained.at)]
    run.advance("the network at initialisation", 0.8)
    untrained = digit_landscape(hidden, samples, seed=run.seed, steps=0, decay=DECAY)
    first = _steps(f"{name}, at initialisation", untrained, run.pick((1860, 100), (6100, 1000)), generator, run)
    checks += _at_initialisation(first)
    return Outcome((*checks, _one_direction(run), _at_saddle()), (_chart(trained), _quotients(trained, first)))


def _surfaces() -> dict[str, Landscape]:
    """Minima in closed form: a quadratic, one with a cubic term, and a sphere."""
    d, pole = torch.tensor([3.0, 2.0, 1.0, 0.5], dtype=DOUBLE), sphere(n=6)
    many = quadratic(0.6 ** torch.arange(20, dtype=DOUBLE), "quadratic with eigenvalues 0.6^i, i < 20")
    return {
        many.name: many.land,
        "(3x₀² + 2x₁² + x₂² + x₃²/2)/2 + x₀³": Landscape.from_function(
            lambda x: (d * x.square()).sum() / 2 + x[0] ** 3, torch.zeros(4, dtype=DOUBLE)
        ),
        f"{pole.name}, n = 6, at its pole": replace(pole, theta=torch.zeros(6, dtype=DOUBLE)).land,
    }


def _steps(subject: str, land: Landscape, counts: tuple[int, int], generator: torch.Generator, run: Run) -> Steps:
    """`counts`: of directions at the first radius, in whole frames, and, the first of the same, at the others.

    Within a frame these are taken as independent: what they are used for hardly depends on that.
    """
    x = frames(land.n, max(-(-counts[0] // land.n), FEWEST), generator)
    known = leading_order(land, run.seed)
    first, *others = RADII
    at = [differences(land, x, first, land.n), *(differences(land, x[: counts[1]], eps) for eps in others)]
    return Steps(subject, land, known, x, at)


def _at_minimum(s: Steps, generator: torch.Generator) -> list[Check]:
    """Means over random directions; the largest of these, the top eigenvector, and where ascent leads."""
    at, twice, *_ = s.at
    ascended = worst_direction(s.land, WORST, directions(s.land.n, 1, generator)[0], ASCENTS)
    tried = (
        (RANDOM, s.x[at.where_largest()], at.eps),
        (ATTAINED, s.known.vector, WORST),
        (ASCENT, ascended, WORST),
    )
    return [
        mean_check(s.subject, s.known, at, twice, SEEN),
        square_check(s.subject, s.known, at, twice, s.known.without_norm / 2),
        *(bound_check(what, s.subject, s.land, s.known, x, eps) for what, x, eps in tried),
        norms_check(s.subject, s.known),
    ]


def _at_initialisation(s: Steps) -> list[Check]:
    """The mean of the difference needs no minimum; its square and the bound do."""
    at, twice, *_ = s.at
    known, found = s.known, sampled_mean(at.second, at.group).value
    g = s.land.gradient()
    along = differences(s.land, (g / g.norm()).unsqueeze(0), WORST)
    room, why = sampled_mean(at.second, at.group).error + known.square.error, f"interval at {100 * LEVEL:g} %"
    steep, error = along.largest(), known.worst.error
    return [
        mean_check(s.subject, known, at, twice, SEEN),
        Check(NO_SQUARE, s.subject, found, known.square.value, room, why, "differs from", outside=True),
        Check(NO_BOUND, s.subject, steep, known.worst.value, error, "error of λ_max", "differs from", outside=True),
    ]


def _one_direction(run: Run) -> Check:
    """Where one direction has all the curvature the norm bounds no more than the eigenvalue does."""
    surface = quadratic(torch.tensor([3.0, 0.0, 0.0]))
    known = leading_order(surface.land, run.seed)
    norm, error = known.norm_bound.value, known.norm_bound.error + known.worst.error + 1e-12
    return Check(NORMS_ALIKE, surface.name, known.worst.value, norm, error, "errors of both", resolves=norm / 4)


def _at_saddle() -> Check:
    """The bound is by the largest absolute eigenvalue, which at a saddle may be the lowest."""
    surface = quadratic(torch.tensor([1.0, -3.0]))
    down = torch.tensor([[0.0, 1.0]], dtype=DOUBLE)
    found = differences(surface.land, down, WORST).largest()
    return Check(NO_SADDLE, surface.name, found, 1 / 4, 1e-9, "rounding", "differs from", outside=True)


def _chart(s: Steps) -> Chart:
    """The three quantities against the radius."""
    known, x = s.known, tuple(d.eps for d in s.at)
    first, second = [sampled_mean(d.first, d.group) for d in s.at], [sampled_mean(d.second, d.group) for d in s.at]
    worst = [differences(s.land, known.vector.unsqueeze(0), eps) for eps in x]

    def line(factor: float) -> tuple[float, ...]:
        return tuple(eps**2 * factor for eps in x)

    roots = [(m.value**0.5, m.error / (2 * m.value**0.5)) for m in second]
    return Chart(
        "How the loss changes at a distance from a minimum",
        f"{s.subject}: random directions both ways, intervals at {100 * LEVEL:g} %, and the top eigenvector. "
        "The lines are the leading orders, from trace, Frobenius norm and largest eigenvalue of H.",
        "distance ε",
        "difference of the loss",
        (
            Series("largest: ε² λ_max / 2", x, line(known.worst.value**0.5), mark="line"),
            Series("along the top eigenvector", x, tuple(w.largest() ** 0.5 * w.eps**2 for w in worst)),
            Series("root of the mean square: ε² √(…)", x, line(known.square.value**0.5), mark="line"),
            Series(
                "root of the mean square over directions",
                x,
                tuple(eps**2 * root for eps, (root, _) in zip(x, roots, strict=True)),
                tuple(eps**2 * half for eps, (_, half) in zip(x, roots, strict=True)),
            ),
            Series("mean: ε² tr H / 2n", x, line(known.mean.value), mark="line"),
            Series(
                "mean over directions",
                x,
                tuple(eps**2 * m.value for eps, m in zip(x, first, strict=True)),
                tuple(eps**2 * m.error for eps, m in zip(x, first, strict=True)),
            ),
        ),
        x_scale="log",
        y_scale="log",
    )


def _quotients(trained: Steps, untrained: Steps) -> Chart:
    """Mean square by its leading order, at the minimum and where there is a gradient."""

    def quotient(name: str, s: Steps) -> Series:
        unit, means = s.known.square.value, [sampled_mean(d.second, d.group) for d in s.at]
        values, halves = tuple(m.value / unit for m in means), tuple(m.error / unit for m in means)
        return Series(name, tuple(d.eps for d in s.at), values, halves)

    return Chart(
        "Only at a minimum is the mean square of order ε⁴",
        "A tanh network on digits: mean square over random directions, by what it should be at a minimum. Intervals at "
        f"{100 * LEVEL:g} % over the directions. With a gradient it is of order ε², and the quotient grows as 1/ε².",
        "distance ε",
        "mean square / its leading order",
        (
            Series("1", (RADII[0], RADII[-1]), (1.0, 1.0), mark="line"),
            quotient("at its minimum", trained),
            quotient("at initialisation", untrained),
        ),
        x_scale="log",
        y_scale="log",
    )


CLAIM = Claim(
    id="C6",
    title="A flat minimum is robust: how far the loss moves",
    statement=(
        "At a minimum, for |x| = 1 and small ε: (f(θ + εx) − f(θ))² ≤ ε⁴ λ_max²/4 + O(ε⁵) ≤ ε⁴ |H|²_F/4 + O(ε⁵). Over "
        "the unit sphere the mean of the difference is ε² tr H / 2n + O(ε⁴), that of its square "
        "ε⁴ [(tr H)² + 2 |H|²_F] / 4n(n + 2) + O(ε⁶)."
    ),
    source="arXiv 2307.04719, robustness of flat minima; means of quadratic forms over the sphere",
    condition=(
        "The bounds need a minimum (at a saddle λ_max is the largest absolute eigenvalue), the mean square a critical "
        "point: with a gradient it is ε² |g|²/n + O(ε⁴). The mean of the difference holds at any point. f has four "
        "continuous derivatives."
    ),
    simulated=(
        "Steps of several lengths in random directions and their opposites, along the top eigenvector, and in the "
        "direction that ascent on the sphere finds, from minima in closed form and from a tanh network on digits at a "
        "minimum and at initialisation; trace, Frobenius norm and largest eigenvalue from products."
    ),
    run=_run,
    on_target=on_target,
    simulated_on_target=(
        "Random steps of several lengths from the target's point and one along its top eigenvector, in float64."
    ),
)

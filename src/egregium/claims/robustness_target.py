"""C6 on a landscape of the user's own: random steps and the sharpest one, in float64."""

from dataclasses import replace

import torch

from egregium.claims.claim import Outcome, Run
from egregium.claims.leading_order import (
    ATTAINED,
    NO_BOUND,
    NO_SADDLE,
    NO_SQUARE,
    LeadingOrder,
    bound_check,
    leading_order,
    mean_check,
    square_check,
    square_tolerance,
)
from egregium.claims.perturbation import LEVEL, Differences, differences, directions, sampled_mean
from egregium.geometry.kinks import kink_note
from egregium.landscape import Landscape
from egregium.measurement import eigenpairs
from egregium.results import Chart, Check, Series

SUBJECT = "the target"
#: The first radius, and how often it is halved until the loss is quadratic over it.
FIRST, HALVINGS = 1.0, 16
#: Directions along which that is looked at, and how much the second difference may change over a doubling.
LOOKED_AT, ALIKE = 4, 0.03
#: Share of a mean that must be seen.
SEEN = 0.5
#: Share of the mean square that the gradient may have for the point to be critical.
AT_REST = 0.1


def on_target(land: Landscape, run: Run) -> Outcome:
    """The mean at any point; mean square and bound at critical points, or that they do not hold elsewhere."""
    land = land.fixed().to(dtype=torch.float64)
    generator = torch.Generator().manual_seed(run.seed)
    known = leading_order(land, run.seed, run.pick(0.02, 0.005))
    x = directions(land.n, run.pick(100, 600), generator)
    eps = _radius(land, x[:LOOKED_AT])
    if eps is None:
        return Outcome((), (), ("At no distance is the difference of the loss both quadratic and above rounding.",))
    run.advance("random directions", 0.3)
    at = differences(land, x, eps)
    run.advance("the same at twice the distance", 0.6)
    twice = differences(land, x, 2 * eps)
    note = f"Steps of ε = {eps:.3g} and {2 * eps:.3g} in {len(x)} directions, both ways: {4 * len(x) + 2} values of f."
    chart = _chart(known, at, twice)
    mean = mean_check(SUBJECT, known, at, twice, SEEN)
    if kink_note(land):
        checks, more = _with_kinks(mean)
        return Outcome(tuple(checks), (chart,), (note, *more))
    checks = [mean]
    of_gradient = float(land.gradient().norm()) ** 2 / (land.n * eps**2)
    if of_gradient <= AT_REST * known.square.value:
        checks += _at_rest(land, known, at, twice, of_gradient, run)
    else:
        checks += _with_gradient(land, known, at, twice)
    return Outcome(tuple(checks), (chart,), (note,))


def _radius(land: Landscape, x: torch.Tensor) -> float | None:
    """The first of 1, 1/2, ... over which second differences hardly change, rounding far below them."""
    eps = FIRST
    for _ in range(HALVINGS):
        near, far = differences(land, x, eps), differences(land, x, 2 * eps)
        a, b = float(near.first.mean()), float(far.first.mean())
        if abs(a - b) <= ALIKE * abs(a):
            return eps if near.rounding / eps**2 < ALIKE * abs(a) else None
        eps /= 2
    return None


def _with_kinks(mean: Check) -> tuple[list[Check], list[str]]:
    """With a gradient that jumps there is no expansion: kinks bend f too, and H does not know of them."""
    if abs(mean.found - mean.expected) <= 2 * mean.tolerance:
        return [], ["The loss has kinks, so that it has no expansion; on average over these steps that cannot be seen."]
    what = "where the loss has kinks: the mean of the difference / ε² is not tr H / 2n"
    return [replace(mean, what=what, relation="differs from", resolves=0.0, outside=True)], []


def _at_rest(
    land: Landscape, known: LeadingOrder, at: Differences, twice: Differences, of_gradient: float, run: Run
) -> list[Check]:
    """What the gradient adds to the mean square is in its tolerance. The bound is by the largest |λ|."""
    square = square_check(SUBJECT, known, at, twice, SEEN * known.square.value)
    square = replace(square, tolerance=square.tolerance + of_gradient)
    lowest = eigenpairs(land, 1, largest=False, tol=1e-4, seed=run.seed)
    if -float(lowest.values[0]) > abs(known.largest.value) + float(lowest.bounds[0]) + known.largest.error:
        down = differences(land, lowest.vectors[:, 0].unsqueeze(0), at.eps / 10).largest()
        worst, why = known.worst, "error of λ_max"
        return [square, Check(NO_SADDLE, SUBJECT, down, worst.value, worst.error, why, "differs from", outside=True)]
    bound = bound_check(ATTAINED, SUBJECT, land, known, known.vector, at.eps / 10)
    return [square, bound]


def _with_gradient(land: Landscape, known: LeadingOrder, at: Differences, twice: Differences) -> list[Check]:
    """Where the mean square and the bound fail, as far as that can be seen."""
    found, room = sampled_mean(at.second), square_tolerance(known, at, twice)
    why = f"interval at {100 * LEVEL:g} % over directions, and what changes from ε to 2ε"
    checks = list[Check]()
    if abs(found.value - known.square.value) > 2 * room:
        expected = known.square.value
        checks.append(Check(NO_SQUARE, SUBJECT, found.value, expected, room, why, "differs from", outside=True))
    g = land.gradient()
    steep = differences(land, (g / g.norm()).unsqueeze(0), at.eps / 10).largest()
    worst = known.worst
    if steep > worst.value + 2 * worst.error:
        what, why = NO_BOUND, "error of λ_max"
        checks.append(Check(what, SUBJECT, steep, worst.value, worst.error, why, "differs from", outside=True))
    return checks


def _chart(known: LeadingOrder, at: Differences, twice: Differences) -> Chart:
    x, means = (at.eps, twice.eps), [sampled_mean(d.first) for d in (at, twice)]
    return Chart(
        "Mean difference of the loss at a distance from the target",
        f"Random directions and their opposites, intervals at {100 * LEVEL:g} % over the directions.",
        "distance ε",
        "mean difference / ε²",
        (
            Series("tr H / 2n", x, (known.mean.value, known.mean.value), mark="line"),
            Series("over directions", x, tuple(m.value for m in means), tuple(m.error for m in means)),
        ),
        x_scale="log",
    )

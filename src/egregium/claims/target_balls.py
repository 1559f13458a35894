"""C5 on a landscape of the user's own: a few pairs of directions, or whole frames where there are few parameters."""

import math

from egregium.claims.ball_coefficient import (
    COEFFICIENT,
    SHARES,
    STEPS,
    chart_of,
    largest_radius,
    leading_coefficient,
    of_volumes,
)
from egregium.claims.claim import Outcome, Run
from egregium.errors import ArithmeticalError, UnsuitableError
from egregium.geometry import ball_volumes
from egregium.geometry.kinks import kink_note
from egregium.landscape import Landscape
from egregium.measurement import scalar_curvature
from egregium.results import BallVolumes, Check

#: Level of the one comparison there is.
LEVEL = 0.999
#: The leading correction at the largest radius.
CORRECTION = 0.02
#: Parameters of a target up to which whole orthonormal frames are drawn.
FRAMES_UP_TO = 8
#: Pairs of directions above. The largest radius, over |theta|.
PAIRS, REACH = (24, 96), 0.2


def on_target(land: Landscape, run: Run) -> Outcome:
    """A few pairs of directions: no correction at all is what the law is told from."""
    if kink_note(land):
        raise UnsuitableError(
            "C5 cannot be run on this target: its loss has kinks (ReLU, max pooling, ...), which geodesics do not see, "
            "and R is that of the pieces between them. Use smooth activations (tanh, GELU, SiLU)."
        )
    R = scalar_curvature(land, rtol=0.03, seed=run.seed)
    if R.half_width(LEVEL) >= abs(R.value):
        return Outcome((), notes=(f"R = {R} is not told from 0, so that there is no correction to see.",))
    run.advance("geodesics", 0.2)
    found = _volumes(land, R.value, run)
    fit = of_volumes(found, LEVEL)
    expected = leading_coefficient(R.value, land.n)
    check = Check(
        COEFFICIENT,
        "the target",
        fit.value,
        expected,
        fit.tolerance + abs(expected / R.value) * R.half_width(LEVEL),
        f"{100 * LEVEL:g} % Student over {found.method}; what the r⁶ term changes; the error of R",
        resolves=abs(expected) / 2,
    )
    price = (
        f"{found.cost.gradients + R.cost.gradients:,.0f} gradients of the full data, for a tolerance of "
        f"{100 * check.tolerance / abs(expected):.2g} % of the coefficient."
    )
    return Outcome((check,), (chart_of(found, "the target"),), (price, *found.notes))


def _volumes(land: Landscape, R: float, run: Run) -> BallVolumes:
    """Of radii where the correction is small; where the surface is all but flat, small against theta.

    Raises ArithmeticalError where geodesics end however small the ball.
    """
    n = land.n
    pairs = run.pick(4, 16) * n if n <= FRAMES_UP_TO else run.pick(*PAIRS)
    probes = None if n <= FRAMES_UP_TO else 2
    largest = min(largest_radius(R, n, CORRECTION), REACH * float(land.theta.norm()) or math.inf)
    for smaller in (1.0, 0.25, 0.0625):
        radii = [smaller * largest * share for share in SHARES]
        try:
            return ball_volumes(land, radii, pairs=pairs, probes=probes, steps=STEPS, seed=run.seed)
        except ArithmeticalError as error:
            ended = error
    raise ended

"""What to do next: more probes at this depth, or a deeper sketch. Pure functions of the samples' statistics."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from egregium.errors import BudgetError

#: Pilots, the first that fits the budget: sketched directions and fresh probes. With 8 and 8, intervals of runs
#: stopped at 10 % covered 80 % on a spectrum of ten outliers; with 16 and 16, 95 % (docs/estimation.md).
PILOTS = ((16, 16), (12, 12), (8, 12), (8, 8), (4, 6), (2, 4), (0, 3))
PILOT_PROBES = PILOTS[0][1]
#: Probes below which there is no error bar: the jackknife over pairs needs three.
FEWEST_PROBES = PILOTS[-1][1]
#: Probes below which a narrow interval is luck: a few signs may agree by chance.
FEWEST_TO_STOP = 8
#: Depths that are compared with the present one, as factors; and how far one step may widen.
DEEPER, WIDEST = (1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0), 3
#: Two-sided normal quantile and margin for predicting how many probes are needed.
SPREAD, MARGIN = 2.0, 1.1
#: Decay of a probe's deviation with depth that is assumed after one depth, and the least and most that are believed:
#: two noisy depths that show none would end all deepening.
FIRST_DECAY, SLOWEST_DECAY, STEEPEST_DECAY = 1.0, 0.25, 4.0
#: Products to go above which a sketch is tried though the first probes found the spectrum flat, after so many probes:
#: the error of a pair mean near 0 falls faster than a few show.
UNSKETCHED, BELIEVED = 1000, 128
#: The pilot where the trace comes from elsewhere: |A|_F^2 alone needs fewer probes than a squared mean.
TRACED_PILOT = (8, 8)
#: The smallest one worth a trace by parts: errors of a sampled trace are many times those of |A|_F^2. Where the trace
#: is known it covers 95 to 98 % (six spectra, 250 seeds).
LEAST_TRACED_PILOT = PILOTS[4]
#: Shares of the squared error that are left to the trace when passes and products are weighed.
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7)


@dataclass(frozen=True)
class Plan:
    """The next step: deepen, or take `more` probes; `products`: predicted until the goal (infinite if out of reach)."""

    deeper: bool
    more: int
    products: float


def pilot(n: int, price: Callable[[int], float], room: float, largest: tuple[int, int] = PILOTS[0]) -> tuple[int, int]:
    """(directions, probes) of the largest pilot that fits into `room`, for products that cost `price(k)` in blocks.

    Raises BudgetError where not even three probes fit.
    """
    for depth, probes in (largest, *(smaller for smaller in PILOTS if sum(smaller) < sum(largest))):
        depth = min(depth, n)
        if (2 * price(depth) if depth else 0.0) + price(probes) <= room:
            return depth, probes
    need = price(FEWEST_PROBES)
    raise BudgetError(
        f"The budget leaves {max(room, 0):.3g} gradients for products, but {FEWEST_PROBES} probes, the fewest with an "
        f"error bar, cost {need:g}. Raise budget= by at least {need - room:.3g}; {2 * price(16) + price(12):g} make a "
        "good pilot."
    )


def next_step(
    history: tuple[tuple[int, float, int], ...],
    fresh: int,
    target: float,
    most: float = math.inf,
    fewest: int = PILOT_PROBES,
) -> Plan:
    """The cheaper of wider and deeper, for a history of (depth, deviation of one probe, probes), the last current.

    With deviation s at depth m, `(2 s / target)^2` probes are needed; at depth f m, no more than `most`, the deviation
    is predicted as `s f^(-decay)`, the decay fitted to the history in logarithms. A new direction costs one product
    beyond its own probe's; `fresh` probes are there to become directions. A depth takes `fewest` probes at least.
    Without a sketch nothing is known of the decay: one is tried where the way is long.
    """
    depth, deviation, probes = history[-1]
    if not target > 0:
        return Plan(deeper=fresh > 0 and depth < most, more=max(probes, 1), products=math.inf)

    def needed(s: float) -> float:
        return max(fewest, (SPREAD * s / target) ** 2 * MARGIN)

    stay = max(needed(deviation) - probes, 1.0)
    wider = Plan(deeper=False, more=min(math.ceil(stay), WIDEST * probes), products=stay)
    if depth == 0:  # nothing is known of the decay
        return replace(wider, deeper=stay > UNSKETCHED and probes >= BELIEVED and min(fresh, most) > 0)
    decay = _decay(history)
    factors = [f for f in DEEPER if depth * f <= most]
    costs = (2 * depth * (f - 1) - min(fresh, depth * (f - 1)) + needed(deviation * f**-decay) for f in factors)
    deepest = min(costs, default=math.inf)
    if fresh and deepest < stay:
        return Plan(deeper=True, more=fewest, products=deepest)
    return wider


@dataclass(frozen=True)
class TracedPlan:
    """The next step where the trace has passes of its own: `passes` more, then `step`; `gradients` predicted."""

    passes: int
    step: Plan | None
    gradients: float


def traced_step(
    history: tuple[tuple[int, float, int], ...],
    fresh: int,
    target: float,
    most: float,
    trace: tuple[float, int, float],
    price: float,
) -> TracedPlan:
    """The split of the squared error between trace and Frobenius norm that is cheapest to reach.

    `trace`: (its share of the estimate's error now, passes so far, gradients a pass); `price`: gradients a product.
    Passes lower the error as one over the square root of their number. Without an error, all is left to the products.
    """
    error, passes, each = trace

    def plan(share: float) -> TracedPlan:
        more, k = 0, history[-1][2]
        if share:
            needed = passes * (SPREAD * error / target) ** 2 * MARGIN / share if target > 0 else math.inf
            more = min(max(math.ceil(needed) - passes, 0) if math.isfinite(needed) else passes, WIDEST * passes)
            wait = max(needed - passes, 0.0) * each
        else:
            wait = 0.0
        aim = target * math.sqrt(1 - share)
        if more and SPREAD * history[-1][1] / math.sqrt(k) <= aim:
            return TracedPlan(more, None, wait)
        step = next_step(history, fresh, aim, most, TRACED_PILOT[1])
        return TracedPlan(more, step, wait + step.products * price)

    return min((plan(share) for share in (SHARES if error else (0.0,))), key=lambda p: p.gradients)


def _decay(history: tuple[tuple[int, float, int], ...]) -> float:
    """Minus the slope of log deviation over log depth, each depth weighted by its probes."""
    history = tuple(entry for entry in history if entry[0])
    if len(history) < 2:
        return FIRST_DECAY
    depths, deviations, probes = (np.array(column, dtype=float) for column in zip(*history, strict=True))
    slope = np.polyfit(np.log(depths), np.log(np.maximum(deviations, 1e-300)), 1, w=np.sqrt(probes))[0]
    return float(np.clip(-slope, SLOWEST_DECAY, STEEPEST_DECAY))

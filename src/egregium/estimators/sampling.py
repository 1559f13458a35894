"""The loop of the sampling estimator: pilot, then the cheaper of wider and deeper, until the goal or the budget.

The pilot is a sketch of 16 directions and 16 fresh probes; of 8 and 8 where the trace comes from elsewhere. The
deviation of one probe's contribution, as a power of the sketch's depth fitted to the depths seen so far, predicts what
either step would still cost: more probes at this depth, or a deeper sketch and fresh ones; and passes for the trace.
The estimate uses the probes of the last depth alone, so that they are independent given the sketch. It is looked at
after each planned step and not in between.
"""

import math
import time
from dataclasses import replace

from scipy.special import stdtr

from egregium.errors import BudgetError
from egregium.estimators.driver import Driver, Run
from egregium.estimators.goal import Goal, ProgressCallback, Room
from egregium.estimators.moments import TraceMoments
from egregium.estimators.plan import FEWEST_PROBES, PILOT_PROBES, TRACED_PILOT, Plan, next_step
from egregium.estimators.traces import TraceSource
from egregium.operators import SymmetricOperator
from egregium.results import Cost, Estimate
from egregium.stats import Statistic

#: How much cheaper the probes' own trace must look before the one by parts is given up.
CLEARLY = 0.5
#: Chance at which a trace by parts that the probes' own traces contradict is given up.
CONTRADICTED = 1e-4


def sampled_moments(
    op: SymmetricOperator,
    statistic: Statistic,
    goal: Goal,
    *,
    seed: int = 0,
    spent: Cost = Cost(),
    room: Room = Room(),
    may_turn_exact: bool = False,
    source: TraceSource | None = None,
    progress: ProgressCallback | None = None,
) -> tuple[TraceMoments, Cost, str]:
    """Samples of (tr A, |A|_F^2) until `statistic` meets the goal: (moments, cost, why it ended, "" at the goal).

    `spent` is charged to the budget. With `may_turn_exact`, all n columns are taken where that costs less than the
    samples still needed. `source`: the trace from elsewhere, for a budget that has room for its first passes; given
    up where one set of probes is predicted to be cheaper. Memory:
    m + min(k, 64) vectors for a sketch of depth m and k probes, at most `room.vectors`, and five blocks of
    `room.block` vectors. Raises BudgetError where budget, time or the caller leave no room for three probes.
    """
    started = time.perf_counter()
    driver = Driver(op, statistic, goal, spent, room, progress)
    run, probes = driver.begin(seed, source)
    run = driver.widen(run, probes, probes)
    while not run.ended:
        if run.trace is not None and contradicted(driver.samples(run)):
            run = _untraced(run)
        if driver.satisfied(run):
            break
        if drowned(driver.estimate(run), goal):
            run = replace(run, ended="rounding")
            break
        run = driver.recorded(run)
        everything = driver.price(op.n)
        products = predicted(driver, run)
        if may_turn_exact and op.n <= products and everything <= driver.left(run):
            moments, run = driver.exactly(run)
            if moments is not None:
                return moments, _timed(run.cost, started), ""
        else:
            run = _stepped(driver, run)
    return enough(driver, run), _timed(run.cost, started), run.ended


def predicted(driver: Driver, run: Run) -> float:
    """Products, or what costs as much, until the goal, by the cheaper way to the trace."""
    if run.trace is None:
        return shared_plan(driver, run).products
    return min(driver.plan(run).gradients / driver.each(), _by_shared_probes(driver, run))


def _by_shared_probes(driver: Driver, run: Run) -> float:
    """Products until the goal of a run that gives up its trace by parts."""
    return shared_plan(driver, driver.recorded(_untraced(run))).products


def _stepped(driver: Driver, run: Run) -> Run:
    if run.trace is not None:
        without, plan = _untraced(run), driver.plan(run)
        if _by_shared_probes(driver, run) * driver.each() < CLEARLY * plan.gradients:
            if run.sketch.probes < PILOT_PROBES:  # too few to tell
                return driver.widen(run, PILOT_PROBES - run.sketch.probes, plan.gradients / driver.each())
            run = without
        else:
            run = driver.traced(run, plan.passes)
            return run if plan.step is None or run.ended else driver.step(run, plan.step)
    run = driver.recorded(run)
    return driver.step(run, shared_plan(driver, run))


def drowned(estimate: Estimate, goal: Goal) -> bool:
    """Whether rounding allows no interval as narrow as asked, wherever in the present one the number lies, and is half
    of that one."""
    half = estimate.half_width(goal.confidence)
    return estimate.rounding > goal.target(abs(estimate.value) + half) and half <= 2 * estimate.rounding


def contradicted(moments: TraceMoments) -> bool:
    """Whether the probes' own traces say that the trace by parts is another number: a guard against a wrong one."""
    assert moments.known is not None
    t, k = moments.traces, moments.traces.numel()
    if k < FEWEST_PROBES:
        return False
    size = max(float(t.abs().max()), abs(moments.known.value))
    error = math.hypot(float(t.std()) / k**0.5, moments.known.stderr, 100 * moments.rounding * size)
    off = abs(float(t.mean()) - moments.known.value)
    return error > 0 and 2 * float(stdtr(k - 1, -off / error)) < CONTRADICTED


def _untraced(run: Run) -> Run:
    """The run without its trace by parts, whose cost stays."""
    spent = run.trace.cost if run.trace is not None else Cost()
    return replace(run, trace=None, history=(), earlier=None, abandoned=run.abandoned + spent)


def shared_plan(driver: Driver, run: Run) -> Plan:
    """The next step where trace and Frobenius norm come from the same probes."""
    target = driver.aim(driver.estimate(run))
    return next_step(run.history, run.sketch.kept, target, driver.room.vectors)


def enough(driver: Driver, run: Run) -> TraceMoments:
    """The samples of the last depth, or of the one before where the run ended at less than half a pilot."""
    pilot = PILOT_PROBES if run.trace is None else TRACED_PILOT[1]
    if run.sketch.probes >= (FEWEST_PROBES if run.earlier is None else pilot // 2):
        return driver.samples(run)
    if run.earlier is not None:
        return run.earlier
    raise BudgetError(
        f"The estimate ended ({run.ended}) after {run.sketch.probes} fresh probes, and an error bar needs "
        f"{FEWEST_PROBES}. Allow more time or a larger budget."
    )


def _timed(cost: Cost, started: float) -> Cost:
    return replace(cost, seconds=time.perf_counter() - started)

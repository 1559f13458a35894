"""The loop of the sampling estimator: pilot, then the cheaper of wider and deeper, until the goal or the budget.

The pilot is a sketch of 16 directions and 16 fresh probes. The deviation of one probe's contribution, as a power of
the sketch's depth fitted to the depths seen so far, predicts what either step would still cost: more probes at this
depth, or a deeper sketch and 16 fresh ones. The estimate uses the probes of the last depth alone, so that they are
independent given the sketch. It is looked at after each planned step and not in between.
"""

import time
from dataclasses import dataclass, replace

import torch

from egregium.errors import BudgetError
from egregium.estimators.goal import Goal, Progress, ProgressCallback, Room, stopped
from egregium.estimators.moments import TraceMoments, exact_moments, price_of
from egregium.estimators.plan import FEWEST_PROBES, FEWEST_TO_STOP, PILOT_PROBES, Plan, next_step, pilot
from egregium.estimators.sketch import KEPT, Sketch, begun, deepened, empty_sketch, widened
from egregium.operators import SymmetricOperator
from egregium.results import Cost, Estimate
from egregium.stats import Statistic

#: What the exact way is called while it runs.
EXACTLY = "every column, then R is exact"


@dataclass(frozen=True, eq=False)
class Run:
    """The state of an estimation.

    Attributes:
        sketch: what is known of the operator.
        history: (depth, deviation of one probe's contribution, probes) of each depth, the last one current.
        earlier: the samples of the depth before, for a run that ends before this depth has its own.
        ended: why, where it ended before the goal: "budget", "time", "stopped" or "rounding"; else "".
    """

    sketch: Sketch
    history: tuple[tuple[int, float, int], ...] = ()
    earlier: TraceMoments | None = None
    ended: str = ""


@dataclass(frozen=True, eq=False)
class Driver:
    """What stays the same during a run."""

    op: SymmetricOperator
    statistic: Statistic
    goal: Goal
    spent: Cost
    room: Room
    progress: ProgressCallback | None

    def price(self, k: int) -> float:
        return price_of(self.op, k, self.room.block)

    def left(self, run: Run) -> float:
        """What is left of the budget."""
        return self.goal.left(self.spent + run.sketch.cost)

    def estimate(self, run: Run) -> Estimate:
        return self.samples(run.sketch).estimate(self.statistic, confidence=self.goal.confidence)

    def samples(self, sketch: Sketch) -> TraceMoments:
        rounding = torch.finfo(self.op.dtype).eps
        return TraceMoments(sketch.traces, sketch.squares, exact=False, rounding=rounding)

    def satisfied(self, run: Run) -> bool:
        """Whether the goal is met, by enough probes to believe it."""
        enough = run.sketch.probes >= FEWEST_TO_STOP or run.sketch.depth == self.op.n
        return enough and self.goal.reached(self.estimate(run))

    def watched(self, run: Run, phase: str, still: float, fraction: float | None = None) -> Run:
        """The run, ended where the time is over or the caller says so; `still`: products still needed."""
        if self.goal.late():
            return replace(run, ended="time")
        if self.progress is not None:
            done = run.sketch.cost.total_products
            estimate = self.estimate(run) if run.sketch.probes >= FEWEST_PROBES else None
            part = done / max(done + still, 1) if fraction is None else fraction
            report = Progress(phase, part, estimate, self.spent + run.sketch.cost)
            if stopped(self.progress, report):
                return replace(run, ended="stopped")
        return run

    def exactly(self, run: Run) -> tuple[TraceMoments | None, Run]:
        """All n columns where time and caller allow, else None; and the run, ended where they did not."""
        ended = run

        def goes_on(fraction: float, cost: Cost) -> bool:
            nonlocal ended
            ended = self.watched(run, EXACTLY, 0.0, fraction)
            return not ended.ended

        moments, cost = exact_moments(self.op, self.room.block, goes_on)
        return moments, replace(ended, sketch=replace(run.sketch, cost=run.sketch.cost + cost))

    def begin(self, seed: int) -> tuple[Run, int]:
        """The run with its pilot's sketch, and how many probes the pilot still needs."""
        run = Run(empty_sketch(seed))
        depth, probes = pilot(min(self.op.n, self.room.vectors), self.price, self.left(run))
        run = self.watched(run, "sketching", 2 * depth + probes)
        if depth and not run.ended:
            run = replace(run, sketch=begun(self.op, depth, seed, self.room.block))
        return run, probes

    def deepen(self, run: Run, still: float) -> Run:
        """The run at a new depth, without probes."""
        run = self.watched(run, "deepening the sketch", still)
        if run.ended:
            return run
        return replace(run, earlier=self.samples(run.sketch), sketch=deepened(self.op, run.sketch))

    def widen(self, run: Run, more: int, still: float) -> Run:
        """The run with `more` probes, or as many as budget, time and caller allow."""
        while more > 0 and not run.ended:
            run = self.watched(run, "sampling", still)
            k = min(more, self.room.block)
            while k and self.price(k) > self.left(run):
                k -= 1
            if not k and not run.ended:
                run = replace(run, ended="budget")
            if not run.ended:
                kept = min(KEPT, self.room.vectors - run.sketch.depth)
                run = replace(run, sketch=widened(self.op, run.sketch, k, kept))
                more, still = more - k, max(still - k, 0)
        return run

    def step(self, run: Run, plan: Plan) -> Run:
        """One planned step: deeper and a pilot's number of probes, or wider."""
        affordable = self.price(run.sketch.kept) + self.price(PILOT_PROBES) <= self.left(run)
        if plan.deeper and affordable:
            return self.widen(self.deepen(run, plan.products), PILOT_PROBES, plan.products)
        return self.widen(run, plan.more, plan.products)

    def recorded(self, run: Run) -> Run:
        """The run with its current depth in the history."""
        estimate = self.estimate(run)
        entry = (run.sketch.depth, estimate.stderr * run.sketch.probes**0.5, run.sketch.probes)
        before = tuple(h for h in run.history if h[0] != run.sketch.depth)
        return replace(run, history=(*before, entry))


def sampled_moments(
    op: SymmetricOperator,
    statistic: Statistic,
    goal: Goal,
    *,
    seed: int = 0,
    spent: Cost = Cost(),
    room: Room = Room(),
    may_turn_exact: bool = False,
    progress: ProgressCallback | None = None,
) -> tuple[TraceMoments, Cost, str]:
    """Samples of (tr A, |A|_F^2) until `statistic` meets the goal: (moments, cost, why it ended, "" at the goal).

    `spent` is charged to the budget. With `may_turn_exact`, all n columns are taken where that costs less than the
    samples still needed. Memory: m + min(k, 64) vectors for a sketch of depth m and k probes, at most `room.vectors`,
    and five blocks of `room.block` vectors.
    Raises BudgetError where budget, time or the caller leave no room for three probes.
    """
    started = time.perf_counter()
    driver = Driver(op, statistic, goal, spent, room, progress)
    run, probes = driver.begin(seed)
    run = driver.widen(run, probes, probes)
    while not run.ended and not driver.satisfied(run):
        if driver.estimate(run).rounding > goal.target(driver.estimate(run).value):
            run = replace(run, ended="rounding")
            break
        run = driver.recorded(run)
        target = goal.target(driver.estimate(run).value)
        plan = next_step(run.history, run.sketch.kept, target, room.vectors)
        everything = driver.price(op.n)
        if may_turn_exact and op.n <= plan.products and everything <= driver.left(run):
            moments, run = driver.exactly(run)
            if moments is not None:
                return moments, _timed(run.sketch.cost, started), ""
        else:
            run = driver.step(run, plan)
    return enough(driver, run), _timed(run.sketch.cost, started), run.ended


def enough(driver: Driver, run: Run) -> TraceMoments:
    """The samples of the last depth, or of the one before where the run ended at less than half a pilot."""
    if run.sketch.probes >= (FEWEST_PROBES if run.earlier is None else PILOT_PROBES // 2):
        return driver.samples(run.sketch)
    if run.earlier is not None:
        return run.earlier
    raise BudgetError(
        f"The estimate ended ({run.ended}) after {run.sketch.probes} fresh probes, and an error bar needs "
        f"{FEWEST_PROBES}. Allow more time or a larger budget."
    )


def _timed(cost: Cost, started: float) -> Cost:
    return replace(cost, seconds=time.perf_counter() - started)

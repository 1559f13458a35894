"""One run of the sampling estimator: its state, and the steps that it can take within budget, time and memory."""

import math
from dataclasses import dataclass, replace

import torch

from egregium.estimators.goal import Goal, Progress, ProgressCallback, Room, stopped
from egregium.estimators.moments import TraceMoments, exact_moments, price_of
from egregium.estimators.plan import (
    FEWEST_PROBES,
    FEWEST_TO_STOP,
    PILOT_PROBES,
    PILOTS,
    SPREAD,
    TRACED_PILOT,
    Plan,
    TracedPlan,
    pilot,
    traced_step,
)
from egregium.estimators.sketch import KEPT, Sketch, deepened, deflates, empty_sketch, widened
from egregium.estimators.traces import PartedTrace, TraceSource, begun_trace, further
from egregium.operators import SymmetricOperator
from egregium.results import Cost, Estimate
from egregium.stats import Statistic, student_half_width

#: Degrees of freedom that a run is expected to end with.
DEGREES = 60
#: What the exact way is called while it runs.
EXACTLY = "every column, then R is exact"


@dataclass(frozen=True, eq=False)
class Run:
    """The state of an estimation.

    Attributes:
        sketch: what is known of the operator.
        trace: its trace, where that comes from elsewhere.
        history: (depth, deviation of one probe's contribution, probes) of each depth, the last one current.
        earlier: the samples of the depth before, for a run that ends before this depth has its own.
        abandoned: cost of a trace from elsewhere that was given up.
        ended: why, where it ended before the goal: "budget", "time", "stopped" or "rounding"; else "".
    """

    sketch: Sketch
    trace: PartedTrace | None = None
    history: tuple[tuple[int, float, int], ...] = ()
    earlier: TraceMoments | None = None
    abandoned: Cost = Cost()
    ended: str = ""

    @property
    def cost(self) -> Cost:
        """Of products and passes."""
        return self.sketch.cost + self.abandoned + (self.trace.cost if self.trace is not None else Cost())


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
        return self.goal.left(self.spent + run.cost)

    def estimate(self, run: Run) -> Estimate:
        return self.samples(run).estimate(self.statistic, confidence=self.goal.confidence)

    def samples(self, run: Run) -> TraceMoments:
        rounding = torch.finfo(self.op.dtype).eps
        known = None if run.trace is None else run.trace.known
        sketch = run.sketch
        return TraceMoments(
            sketch.traces, sketch.squares, exact=False, rounding=rounding, known=known, head=sketch.head_square
        )

    def satisfied(self, run: Run) -> bool:
        """Whether the goal is met, by enough probes to believe it."""
        enough = (
            run.sketch.probes >= (FEWEST_TO_STOP if run.trace is None else TRACED_PILOT[1])
            or run.sketch.depth == self.op.n
        )
        return enough and self.goal.reached(self.estimate(run))

    def watched(self, run: Run, phase: str, still: float, fraction: float | None = None) -> Run:
        """The run, ended where the time is over or the caller says so; `still`: products still needed."""
        if self.goal.late():
            return replace(run, ended="time")
        if self.progress is not None:
            done = run.cost.total_products
            estimate = self.estimate(run) if run.sketch.probes >= FEWEST_PROBES else None
            part = done / max(done + still, 1) if fraction is None else fraction
            report = Progress(phase, part, estimate, self.spent + run.cost)
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

    def begin(self, seed: int, source: TraceSource | None) -> tuple[Run, int]:
        """The run with its pilot's sketch, and how many probes the pilot still needs.

        The first probes become the sketch's directions, unless the spectrum is so flat that they serve better as they
        are.
        """
        run = Run(empty_sketch(seed))
        if source is not None:
            run = self.watched(run, "trace by parts", 0.0)
            if not run.ended:
                run = replace(run, trace=begun_trace(source))
        largest = PILOTS[0] if run.trace is None else TRACED_PILOT
        depth, probes = pilot(min(self.op.n, self.room.vectors), self.price, self.left(run), largest)
        run = self.widen(run, depth, 2 * depth + probes)
        if run.ended or not deflates(run.sketch):
            return run, max(probes - depth, 0)
        run = self.watched(run, "sketching", depth + probes)
        return (run if run.ended else replace(run, sketch=deepened(self.op, run.sketch))), probes

    def deepen(self, run: Run, still: float) -> Run:
        """The run at a new depth, without probes."""
        run = self.watched(run, "deepening the sketch", still)
        if run.ended:
            return run
        return replace(run, earlier=self.samples(run), sketch=deepened(self.op, run.sketch))

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
        """One planned step: deeper and as many probes as a depth takes at least, or wider."""
        fewest = PILOT_PROBES if run.trace is None else TRACED_PILOT[1]
        affordable = self.price(run.sketch.kept) + self.price(fewest) <= self.left(run)
        if plan.deeper and affordable:
            return self.widen(self.deepen(run, plan.products), fewest, plan.products)
        return self.widen(run, plan.more, plan.products)

    def traced(self, run: Run, count: int) -> Run:
        """The run with `count` more passes for its trace, or as many as the budget allows."""
        for _ in range(count):
            run = self.watched(run, "trace by parts", 0.0)
            if run.ended or run.trace is None:
                break
            affordable = run.trace.source.price().effort <= self.left(run)
            run = replace(run, trace=further(run.trace, 1)) if affordable else replace(run, ended="budget")
        return run

    def each(self) -> float:
        """Gradients a product, in a whole block."""
        return self.price(self.room.block) / self.room.block

    def plan(self, run: Run) -> TracedPlan:
        """The next step of a run whose trace comes from elsewhere."""
        assert run.trace is not None
        estimate, alone = self.estimate(run), self.deviation(run) / run.sketch.probes**0.5
        error = math.sqrt(max(estimate.stderr**2 - alone**2, 0.0))
        known = run.trace.known
        if error and known.degrees < math.inf:  # few passes of few units: the error itself is hardly known
            error = student_half_width(error, self.goal.confidence, known.degrees) / SPREAD
        trace = (error, len(run.trace.passes), run.trace.source.price().effort)
        target = self.aim(estimate)
        return traced_step(run.history, run.sketch.kept, target, self.room.vectors, trace, self.each())

    def aim(self, estimate: Estimate) -> float:
        """The half-width at 95 % that is as narrow as the goal's at its own confidence: what plans are made for."""
        half = max(self.goal.target(estimate.value), estimate.rounding)
        return half * SPREAD / student_half_width(1.0, self.goal.confidence, DEGREES)

    def recorded(self, run: Run) -> Run:
        """The run with its current depth in the history."""
        entry = (run.sketch.depth, self.deviation(run), run.sketch.probes)
        before = tuple(h for h in run.history if h[0] != run.sketch.depth)
        return replace(run, history=(*before, entry))

    def deviation(self, run: Run) -> float:
        """Of one probe's contribution, a trace from elsewhere taken as exact."""
        moments = self.samples(run)
        if moments.known is not None:
            moments = replace(moments, known=replace(moments.known, stderr=0.0, degrees=math.inf))
        e = moments.estimate(self.statistic)
        error = e.stderr if e.bend is None else max(e.bend.sides(SPREAD)) / SPREAD
        return error * math.sqrt(run.sketch.probes)

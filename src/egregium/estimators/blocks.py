"""Moments of all diagonal blocks of a block-diagonal matrix side by side: each product serves every block.

Each block is estimated as a matrix of its own would be (`estimators.driver`: a pilot, then the cheaper of wider and
deeper), small ones by all their columns. A block asks for the products it needs next and waits; when all have asked,
one product answers them. Blocks that are done ask no more, and their part of the vectors is zero.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import BudgetError
from egregium.estimators.driver import Driver, Run
from egregium.estimators.goal import Goal, Progress, ProgressCallback, Room, stopped
from egregium.estimators.moments import TraceMoments
from egregium.estimators.plan import PILOT_PROBES, pilot
from egregium.estimators.sampling import drowned, enough, shared_plan
from egregium.estimators.sketch import (
    KEPT,
    deflates,
    directions,
    empty_sketch,
    fresh_probes,
    rows_of,
    with_image,
    with_probes,
)
from egregium.operators import Principal, SymmetricOperator
from egregium.operators.inner import dots
from egregium.operators.symmetry import refuse_skew
from egregium.results import Cost
from egregium.stats import Statistic

#: Numbers in a block up to which all its columns are taken: a pilot takes 48 products.
SMALL = 64
#: Numbers in a block above which its columns are never taken all.
EXACT_LIMIT = 20_000
#: Stream of the seeds of blocks: their probes are independent of each other.
SEEDS = 2

#: Rows to be multiplied go out, their products come in.
Requests = Generator[Float[Tensor, "k n"], Float[Tensor, "k n"], None]


def seed_of(seed: int, block: int) -> int:
    """The seed of a block's probes; that of the first block is `seed` itself, so that one block is the whole."""
    return seed if block == 0 else int(np.random.SeedSequence(seed, spawn_key=(SEEDS, block)).generate_state(1)[0])


class BlockRun:
    """One block: what it knows, and what it asks for next; `affordable(k)` says whether its share pays k products.

    Attributes: `products` so far; `ended`: why, where before its goal, as in `estimators.driver.Run`.
    """

    def __init__(
        self,
        op: SymmetricOperator,
        statistic: Statistic,
        goal: Goal,
        seed: int,
        room: Room,
        affordable: Callable[[int], bool],
    ) -> None:
        self.n, self.products, self.ended = op.n, 0, ""
        self._affordable = affordable
        self._op, self._room = op, room
        self._driver = Driver(op, statistic, goal, Cost(), room, None)
        self._run = Run(empty_sketch(seed))
        self._exact: TraceMoments | None = None

    @property
    def moments(self) -> TraceMoments:
        """What is known. Raises BudgetError where that is less than an error bar needs."""
        return self._exact or enough(self._driver, replace(self._run, ended=self.ended))

    def requests(self, depth: int, probes: int) -> Requests:
        """Asks until the goal is met, beginning with a pilot of so many directions and probes."""
        if self.n <= SMALL:
            yield from self._columns()
            return
        first = min(depth, self.n, self._room.vectors)
        yield from self._widen(first)
        if deflates(self._run.sketch):
            yield from self._deepen()
            first = 0
        yield from self._widen(probes - first)
        while not self._driver.satisfied(self._run):
            if drowned(self._driver.estimate(self._run), self._driver.goal):
                self.ended = "rounding"
                return
            self._run = self._driver.recorded(self._run)
            plan = shared_plan(self._driver, self._run)
            if self.n <= min(plan.products, EXACT_LIMIT) and self._affordable(self.n):
                yield from self._columns()
                return
            deeper = plan.deeper and self._affordable(self._run.sketch.kept + PILOT_PROBES)
            if deeper:
                self._run = replace(self._run, earlier=self._driver.samples(self._run))
                yield from self._deepen()
            yield from self._widen(PILOT_PROBES if deeper else plan.more)

    def _columns(self) -> Requests:
        trace = square = 0.0
        for start in range(0, self.n, self._room.block):
            stop = min(start + self._room.block, self.n)
            rows = torch.zeros(stop - start, self.n, dtype=self._op.dtype, device=self._op.device)
            rows[torch.arange(stop - start), torch.arange(start, stop)] = 1
            product = yield rows
            refuse_skew(product[:, start:stop].double(), self._op.dtype)
            trace += float(product[:, start:stop].diagonal().double().sum())
            square += float(dots(product, product).sum())
        self._exact = _exactly(self._op, trace, square)

    def _deepen(self) -> Requests:
        sketch = self._run.sketch
        new = directions(sketch, self._op.dtype)
        none = sketch.traces[:0]
        sketch = replace(sketch, traces=none, squares=none, remainders=())
        self._run = replace(self._run, sketch=sketch)
        for rows in new:
            sketch = with_image(sketch, rows, (yield rows))
        self._run = replace(self._run, sketch=sketch)

    def _widen(self, more: int) -> Requests:
        while more > 0:
            k = min(more, self._room.block)
            w = fresh_probes(self._run.sketch, self.n, k, self._op.dtype, self._op.device)
            product = yield w
            kept = min(KEPT, self._room.vectors - self._run.sketch.depth)
            self._run = replace(self._run, sketch=with_probes(self._run.sketch, w, product, kept))
            more -= k


def _exactly(op: SymmetricOperator, trace: float, square: float) -> TraceMoments:
    t, F = (torch.tensor([x], dtype=torch.float64) for x in (trace, square))
    return TraceMoments(t, F, exact=True, rounding=torch.finfo(op.dtype).eps)


def block_moments(
    op: SymmetricOperator,
    places: Sequence[slice],
    statistic: Statistic,
    goal: Goal,
    price: Callable[[int], Cost],
    *,
    seed: int = 0,
    spent: Cost = Cost(),
    room: Room = Room(),
    progress: ProgressCallback | None = None,
) -> tuple[list[BlockRun], Cost]:
    """The runs of all blocks, ended at the goal, the budget, the time or by the caller; and what they cost.

    `op` is zero outside the blocks at `places`; `price(m)` is what a product costs in which blocks take m vectors
    together. Memory: that of one run over op: what the blocks hold together is as long as its vectors.
    Raises BudgetError where the budget leaves no room for an error bar of every block.
    """
    cost, wanted = Cost(), dict[BlockRun, Tensor]()

    def affordable(k: int) -> bool:
        return price(k * max(len(wanted), 1)).effort <= goal.left(spent + cost)

    runs = [
        BlockRun(Principal(op, at), statistic, goal, seed_of(seed, b), room, affordable) for b, at in enumerate(places)
    ]
    shape = _pilot(runs, price, goal.left(spent), room.block)
    waiting = {run: run.requests(*shape) for run in runs}
    wanted = {run: next(requests) for run, requests in waiting.items()}
    while wanted:
        number = sum(len(rows) for rows in wanted.values())
        why = _ended(goal, spent + cost, price(number), progress, 1 - len(wanted) / len(runs))
        if why:
            for run in wanted:
                run.ended = why
            break
        cost = cost + price(number)
        products = _answered(op, places, runs, wanted)
        for run in list(wanted):
            run.products += len(products[run])
            try:
                wanted[run] = waiting[run].send(products.pop(run))
            except StopIteration:
                del wanted[run]
    return runs, cost


def _pilot(runs: Sequence[BlockRun], price: Callable[[int], Cost], left: float, block: int) -> tuple[int, int]:
    """(directions, probes) of every block that is sampled, so that all have an error bar within what is left."""
    small = [run.n for run in runs if run.n <= SMALL]
    large = len(runs) - len(small)
    left -= price(sum(small)).effort + max(small, default=0) // block * price(0).effort if small else 0.0
    if left < 0:
        raise BudgetError(
            f"All columns of the small blocks cost {-left:.3g} gradients more than is left. Raise budget=."
        )

    def priced(k: int) -> float:
        whole, rest = divmod(k, block)
        return whole * price(block * large).effort + (price(rest * large).effort if rest else 0.0)

    return pilot(max(run.n for run in runs), priced, left) if large else (0, 0)


def _ended(goal: Goal, spent: Cost, next_pass: Cost, progress: ProgressCallback | None, fraction: float) -> str:
    """Why the passes end before the next one; "" where they go on."""
    if goal.late():
        return "time"
    if stopped(progress, Progress("blocks", fraction, None, spent)):
        return "stopped"
    return "budget" if next_pass.effort > goal.left(spent) else ""


def _answered(
    op: SymmetricOperator, places: Sequence[slice], runs: Sequence[BlockRun], wanted: dict[BlockRun, Tensor]
) -> dict[BlockRun, Tensor]:
    """What was asked for, from one product."""
    at = dict(zip(runs, places, strict=True))
    rows = torch.zeros(max(len(asked) for asked in wanted.values()), op.n, dtype=op.dtype, device=op.device)
    for run, asked in wanted.items():
        rows[: len(asked), at[run]] = asked
    product = rows_of(op @ rows.T)
    return {run: product[: len(asked), at[run]].clone() for run, asked in wanted.items()}

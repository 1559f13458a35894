"""Many runs of the estimator on a stored matrix, one a seed, over processes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from egregium.estimators import Goal, TraceMoments, gauss_statistic, sampled_moments
from egregium.estimators.sketch import begun, empty_sketch, widened
from egregium.operators import SymmetricOperator
from egregium.results import Cost, Estimate
from egregium.results.cost import GRADIENTS_PER_HVP
from egregium.stats import jackknife_stderr, leave_one_out_mean, leave_one_out_pair_mean, pair_mean

#: Seeds a task, so that both processes end together.
CHUNK = 10
Task = Callable[[int], "Trial"]


@dataclass(frozen=True)
class Trial:
    """One run: the estimate of (tr A)^2 - |A|_F^2.

    `low`, `high`: the interval at 95 %. `mean_squared`: with the square of the mean instead of the mean over pairs;
    `first_order`: the half-width by the jackknife alone; `plain`: by as many probes
    without a sketch.
    """

    value: float
    low: float
    high: float
    mean_squared: float
    first_order: float
    products: int
    gradients: float
    ended: str = ""
    plain: float | None = None

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class KnownTrace:
    """A trace that costs nothing: what a run is worth whose trace comes from elsewhere, exactly."""

    trace: float
    words: str = "known"
    sampled: bool = False

    def first(self) -> Cost:
        """Nothing."""
        return Cost()

    def begin(self) -> tuple[float, Cost]:
        """The trace."""
        return self.trace, Cost()

    def sample(self, index: int) -> Tensor:
        """No passes."""
        raise NotImplementedError

    def price(self) -> Cost:
        """Nothing."""
        return Cost()


@final
class Stored(SymmetricOperator):
    """A dense matrix at the price of a Hessian's products."""

    def __init__(self, matrix: Tensor) -> None:
        self.n, self.dtype, self.device = matrix.shape[0], matrix.dtype, matrix.device
        self._matrix = matrix

    def matmat(self, V: Tensor) -> Tensor:
        """The products."""
        return self._matrix @ V

    def trace(self) -> float:
        """Of the matrix."""
        return float(self._matrix.trace())

    def cost(self, k: int) -> Cost:
        """As `egregium.hessian` counts."""
        return Cost(gradients=1 + GRADIENTS_PER_HVP * k, hvps=k)


@contextmanager
def pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that compute with one thread each."""
    with ProcessPoolExecutor(processes, get_context("spawn"), torch.set_num_threads, (1,)) as executor:
        yield executor


def over_seeds(executor: ProcessPoolExecutor, task: Task, seeds: int) -> list[Trial]:
    """`task` of 0, ..., seeds - 1, in order."""
    chunks = [range(start, min(start + CHUNK, seeds)) for start in range(0, seeds, CHUNK)]
    return [trial for part in executor.map(partial(_each, task), chunks) for trial in part]


def stopped(path: Path, rtol: float, plain: bool, seed: int) -> Trial:
    """A run that ends by itself at `rtol`; with `plain`, the same number of products spent without a sketch too."""
    return _ended(_operator(path), rtol, plain, seed, None)


def traced(path: Path, rtol: float, seed: int) -> Trial:
    """The same where the trace is known exactly."""
    op = _operator(path)
    return _ended(op, rtol, False, seed, KnownTrace(op.trace()))


def _ended(op: Stored, rtol: float, plain: bool, seed: int, source: KnownTrace | None) -> Trial:
    first = Cost(gradients=1)
    moments, cost, ended = sampled_moments(op, gauss_statistic, Goal(rtol), seed=seed, spent=first, source=source)
    trial = replace(_trial(moments, cost), gradients=1 + cost.gradients, ended=ended)
    return replace(trial, plain=_plain(op, cost.total_products, seed)) if plain else trial


def fixed(path: Path, depth: int, probes: int, seed: int) -> Trial:
    """A run of `probes` fresh probes after a sketch of `depth` directions."""
    op = _operator(path)
    sketch = widened(op, begun(op, depth, seed, 16) if depth else empty_sketch(seed), probes)
    rounding = torch.finfo(op.dtype).eps
    return _trial(TraceMoments(sketch.traces, sketch.squares, exact=False, rounding=rounding), sketch.cost)


def _trial(moments: TraceMoments, cost: Cost) -> Trial:
    estimate = moments.estimate(gauss_statistic)
    t, F = moments.traces, moments.squares
    left_out = leave_one_out_pair_mean(t) - leave_one_out_mean(F)
    first_order = Estimate(estimate.value, jackknife_stderr(left_out), estimate.degrees).half_width()
    naive = float(t.mean() ** 2 - F.mean())
    return Trial(estimate.value, *estimate.interval(), naive, first_order, cost.total_products, cost.gradients)


def _plain(op: SymmetricOperator, products: int, seed: int) -> float:
    """Pairs of plain probes: the same statistic without a sketch."""
    sketch = widened(op, empty_sketch(seed), products)
    return float(gauss_statistic(sketch.traces.mean(), pair_mean(sketch.traces), sketch.squares.mean()))


def _each(task: Task, seeds: Sequence[int]) -> list[Trial]:
    return [task(seed) for seed in seeds]


@lru_cache(maxsize=1)
def _operator(path: Path) -> Stored:
    return Stored(torch.load(path))

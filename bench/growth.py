"""How the time of a whole run grows with the number of parameters n and of samples N: fitted exponents.

The work is the same at each size: a budget that ends after as many products, in blocks that the largest size has room
for too. The time is to be linear in both, within an exponent of 1.1.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from scipy.stats import linregress
from torch import Tensor, nn

import egregium as eg
from bench.networks import CLASSES, mlp
from bench.options import Options
from bench.subjects import fashion
from bench.tables import Column, Row, Table, attempted
from bench.timing import clock, now

#: Width of both hidden layers: n about 100,000 to 25 million, each size about three times the one before.
INPUTS, WIDTHS, BATCH = 64, (288, 512, 896, 1600, 2816, 4960), 512
#: Samples in batches of the first size, and the hidden layers' width there: n = 35,370.
SAMPLES, WIDTH = (2000, 4000, 8000, 16_000, 32_000, 60_000), 160
QUICK, ROUNDS = 3, 2
#: A graph counts in the budget, so that the same budget means as many products only in the same blocks: those that the
#: memory allows at the largest n.
CALL: dict[str, Any] = {"method": "stochastic", "block": 2}
#: (budget, memory): where memory is bounded, a product of the first batch is tried and counts, a share of 1 / batches.
IN_n, IN_N = (74, "4GiB"), (71, None)
#: Gradients, in ms, below which what a call takes beside its products would make the slope less; rows for a fit.
SHORTEST, FEWEST = 20.0, 4
#: The exponent that is allowed.
MOST = 1.1

MEASURED = (
    Column("size", "", ",d"),
    Column("milliseconds", "gradient, ms", ".1f"),
    Column("products", "products", "d"),
    Column("counted", "counted gradients", ".1f"),
    Column("seconds", "scalar_curvature, s", ".2f"),
    Column("each", "ns / (products x size)", ",.1f"),
    Column("wall", "by the wall, s", ".2f"),
    Column("trace", "trace, s", ".3f"),
    Column("trace_each", "ns / size", ",.1f"),
    Column("trace_wall", "by the wall, s", ".3f"),
)
EXPONENTS = (
    Column("call", "call"),
    Column("size", "in"),
    Column("exponent", "exponent", ".3f"),
    Column("stderr", "standard error", ".3f"),
    Column("wall", "by the wall", ".3f"),
    Column("wall_stderr", "standard error", ".3f"),
    Column("most", "at most", ".1f"),
    Column("within", "within"),
    Column("fitted", "rows fitted"),
)
#: The same times by the wall; and what the least of all rounds is taken of: whatever else the machine does adds to it.
WALL = {"seconds": "wall", "trace": "trace_wall"}
TIMES = ("milliseconds", "seconds", "each", "wall", "trace", "trace_each", "trace_wall")


@dataclass(frozen=True)
class Case:
    """A size, and a new landscape of it, since a landscape remembers what it was asked once; budget and memory."""

    size: int
    built: Callable[[], eg.Landscape]
    limits: tuple[int, str | None] = IN_n


def tables(options: Options) -> Iterator[Table]:
    """Times at each n, at each N, and the exponents; --quick takes the three smallest sizes."""
    count = options.number(len(WIDTHS), QUICK)
    in_n = [Case(_parameters(width), partial(_random, width)) for width in WIDTHS[:count]]
    in_N = [Case(size, partial(_images, options.fashion_mnist, size), IN_N) for size in SAMPLES[:count]]
    _once(Case(0, partial(_random, 16)))  # loads what is loaded late
    how = (
        f"A budget for as many products at each size, in blocks of {CALL['block']}; least of {ROUNDS} rounds over all "
        f"sizes. Seconds by the {clock()}'s clock where not by the wall, threads: {torch.get_num_threads()}."
    )
    of_n = _rows(in_n)
    about = (
        f"ReLU MLPs {INPUTS}-h-h-{CLASSES} as initialised, {BATCH} random samples labelled by a random network, "
        f"memory={IN_n[1]}. "
    )
    yield Table("parameters", "Time against the number of parameters n", _columns("n"), of_n, about + how)
    of_N = _rows(in_N)
    about = f"ReLU MLP 49-{WIDTH}-{WIDTH}-{CLASSES} on images of Fashion-MNIST in batches of {SAMPLES[0]:,}. "
    yield Table("samples", "Time against the number of samples N", _columns("N"), of_N, about + how)
    rows = [
        attempted({"call": call, "size": size}, lambda key=key, rows=rows: _fit(key, rows))
        for call, key in (("scalar_curvature", "seconds"), ("trace", "trace"))
        for size, rows in (("n", of_n), ("N", of_N))
    ]
    note = (
        "Slope of log seconds over log size, least squares; the trace is exact here, by layers. Where gradients take "
        f"less than {SHORTEST:g} ms, what a call takes beside its products counts and makes the slope less: such rows "
        f"are left out where {FEWEST} others remain. By the wall, what other programs took meanwhile counts too."
    )
    yield Table("exponents", "Exponents of the time", EXPONENTS, rows, note)


def _columns(size: str) -> tuple[Column, ...]:
    return tuple(Column(c.key, c.head.replace("size", size) or size, c.form) for c in MEASURED)


def _rows(cases: Sequence[Case]) -> list[Row]:
    """The rounds go over all sizes in turn: a slow minute of the machine does not meet all runs of one size."""
    rounds = [[attempted({"size": case.size}, partial(_once, case)) for case in cases] for _ in range(ROUNDS)]
    return [_best(runs) for runs in zip(*rounds, strict=True)]


def _once(case: Case) -> Row:
    land = case.built()
    gradients = [_timed(land.gradient)[1] for _ in range(3)]
    budget, memory = case.limits
    e, seconds = _timed(partial(eg.scalar_curvature, case.built(), budget=budget, memory=memory, **CALL))
    trace, of_trace = _timed(partial(eg.trace, case.built(), memory=memory))
    if not trace.exact:
        raise RuntimeError(f"the trace is sampled: {trace.method}")
    return {
        "milliseconds": 1e3 * min(gradients),
        "products": e.cost.total_products,
        "counted": e.cost.gradients,
        "seconds": seconds,
        "each": 1e9 * seconds / max(e.cost.total_products * case.size, 1),
        "wall": e.cost.seconds,
        "trace": of_trace,
        "trace_each": 1e9 * of_trace / max(case.size, 1),
        "trace_wall": trace.cost.seconds,
        "method": f"{e.method}; {trace.method}",
    }


def _best(runs: Sequence[Row]) -> Row:
    failed = [run for run in runs if "failure" in run]
    return failed[0] if failed else runs[0] | {key: min(run[key] for run in runs) for key in TIMES}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = now()
    result = work()
    return result, now() - started


def _fit(key: str, rows: Sequence[Row]) -> Row:
    """The exponent of the times `key`. Raises RuntimeError where the work was not the same."""
    good = [row for row in rows if "failure" not in row]
    if len(good) < QUICK or len({row["products"] for row in good}) > 1:
        raise RuntimeError(f"no slope: the products are {', '.join(str(row['products']) for row in good) or 'none'}")
    slow = [row for row in good if row["milliseconds"] >= SHORTEST]
    taken = slow if len(slow) >= FEWEST else good
    sizes = torch.tensor([row["size"] for row in taken]).double().log().tolist()
    of_clock, of_wall = (
        linregress(sizes, torch.tensor([row[name] for row in taken]).double().log().tolist())
        for name in (key, WALL[key])
    )
    return {
        "exponent": of_clock.slope,
        "stderr": of_clock.stderr,
        "wall": of_wall.slope,
        "wall_stderr": of_wall.stderr,
        "most": MOST,
        "within": "yes" if max(of_clock.slope, of_wall.slope) <= MOST else "no",
        "fitted": f"{len(taken)} of {len(rows)}" + ("" if taken is slow else ": all"),
    }


def _parameters(width: int) -> int:
    sizes = (INPUTS, width, width, CLASSES)
    return sum((wide + 1) * narrow for wide, narrow in pairwise(sizes))


def _random(width: int) -> eg.Landscape:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        teacher, X = mlp((INPUTS, 32, CLASSES)), torch.randn(BATCH, INPUTS)
        model = mlp((INPUTS, width, width, CLASSES))
    with torch.no_grad():
        return eg.Landscape(model, nn.CrossEntropyLoss(), (X, teacher(X).argmax(1)))


@cache
def _fashion(folder: Path) -> tuple[Tensor, Tensor]:
    X, y = fashion(folder, SAMPLES[-1])
    return X.float(), y


def _images(folder: Path, size: int) -> eg.Landscape:
    X, y = _fashion(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = mlp((X.shape[1], WIDTH, WIDTH, CLASSES))
    data = list(zip(X[:size].split(SAMPLES[0]), y[:size].split(SAMPLES[0]), strict=True))
    return eg.Landscape(model, nn.CrossEntropyLoss(), data)

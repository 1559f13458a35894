"""What R to one percent costs on networks, with the trace by parts and without it.

Real runs of `scalar_curvature`, timed by the wall in gradients of the same data on the same machine, one gradient
before each run; the truth is the exact way in float64.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest import mock

import torch
from torch import Tensor, nn

import egregium as eg
from bench import summary
from bench.networks import mlp
from bench.options import Options
from bench.subjects import digits, train
from bench.tables import Column, Row, Table, attempted
from bench.trials import Trial
from egregium.results import Estimate

SEEDS, QUICK_SEEDS, RTOL, BUDGET = 200, 10, 0.01, 1500
WITHOUT = "egregium.measurement.frame.trace_by_parts"
COLUMNS = (
    Column("case", "network"),
    Column("n", "n", ",d"),
    Column("milliseconds", "gradient, ms", ".1f"),
    Column("wall", "gradients of wall time, median", ".1f"),
    Column("nine", "in 9 of 10 runs at most", ".1f"),
    Column("counted", "counted gradients", ".0f"),
    Column("within", "within 1 %, %", ".1f"),
    Column("covered", "coverage, %", ".1f"),
    Column("without", "without parts: gradients", ".1f"),
    Column("without_within", "within 1 %, %", ".1f"),
    Column("ratio", "times fewer", ".1f"),
    Column("words", "the trace"),
)


class Recurrent(nn.Module):
    """A GRU over the rows of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrence, self.head = nn.GRU(8, 16, batch_first=True), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """x of shape (N, 64)."""
        return self.head(self.recurrence(x.view(-1, 8, 8))[0][:, -1])


class Attending(nn.Module):
    """Attention between the rows of an image, a norm, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.attention = nn.Linear(8, 16), nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """x of shape (N, 64)."""
        h = self.rows(x.view(-1, 8, 8))
        h = h + self.attention(h, h, h, need_weights=False)[0]
        return self.head(self.norm(h).mean(1))


def convolutions() -> nn.Module:
    """Two convolutions with BatchNorm and ReLU, and a head."""
    return nn.Sequential(
        *(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(16, 10),
    )


@dataclass(frozen=True)
class Subject:
    """A network on the digits, trained or as it starts."""

    title: str
    model: Callable[[], nn.Module]
    trained: bool = True


SIZES = (64, 32, 32, 10)
SUBJECTS = (
    Subject("ReLU MLP", lambda: mlp(SIZES, nn.ReLU)),
    Subject("tanh MLP", lambda: mlp(SIZES, nn.Tanh)),
    Subject("GELU MLP", lambda: mlp(SIZES, nn.GELU)),
    Subject("tanh MLP, three hidden layers", lambda: mlp((64, 24, 24, 24, 10), nn.Tanh)),
    Subject("CNN with BatchNorm, ReLU", convolutions),
    Subject("GRU", Recurrent),
    Subject("attention block", Attending),
    Subject("ReLU MLP, untrained", lambda: mlp(SIZES, nn.ReLU), trained=False),
    Subject("tanh MLP, untrained", lambda: mlp(SIZES, nn.Tanh), trained=False),
)


def tables(options: Options) -> Iterator[Table]:
    """Networks on the 1,797 digits in float32."""
    seeds = options.number(SEEDS, QUICK_SEEDS)
    rows = [
        attempted({"case": s.title}, lambda s=s: _row(s, seeds if s.trained else max(seeds // 10, 4))) for s in SUBJECTS
    ]
    note = (
        f"scalar_curvature(rtol={RTOL}) on the digits, N = 1,797, {seeds} seeds a trained network, a tenth of them an "
        "untrained one and without parts. Small gradients: what a call takes beside its products counts in full."
    )
    yield Table("networks", "R to one percent on networks", COLUMNS, rows, note)


def _row(subject: Subject, seeds: int) -> Row:
    X, y = digits()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = subject.model().double()
    if subject.trained:
        train(model, X, y)
    model.eval()
    exact = eg.scalar_curvature(eg.Landscape(model, nn.CrossEntropyLoss(), (X, y)), method="exact", block=64).value
    land = eg.Landscape(model.float(), nn.CrossEntropyLoss(), (X.float(), y))
    ours = [_run(land, seed) for seed in range(seeds)]
    few = range(max(seeds // 10, 4))
    with mock.patch(WITHOUT, return_value=None):
        without = [_run(land, seed) for seed in few]
    trials, plain = [_trial(e) for e, _, _ in ours], [_trial(e) for e, _, _ in without]
    wall, wall_without = [r for _, r, _ in ours], [r for _, r, _ in without]
    return {
        "n": land.n,
        "milliseconds": 1000 * statistics.median(g for _, _, g in ours),
        "wall": statistics.median(wall),
        "nine": sorted(wall)[int(0.9 * len(wall))],
        "counted": statistics.median(e.cost.gradients for e, _, _ in ours),
        "within": summary.within(trials, exact, RTOL),
        "covered": summary.covered(trials, exact),
        "without": statistics.median(wall_without),
        "without_within": summary.within(plain, exact, RTOL),
        "ratio": statistics.median(wall_without) / statistics.median(wall),
        "words": ours[0][0].method.rpartition("; ")[2],
    }


def _run(land: eg.Landscape, seed: int) -> tuple[Estimate, float, float]:
    """(estimate, seconds in gradients, seconds of a gradient)."""
    gradients = []
    for _ in range(3):
        started = time.perf_counter()
        land.gradient()
        gradients.append(time.perf_counter() - started)
    each, started = statistics.median(gradients), time.perf_counter()
    e = eg.scalar_curvature(land, method="stochastic", rtol=RTOL, seed=seed, budget=BUDGET)
    return e, (time.perf_counter() - started) / each, each


def _trial(e: Estimate) -> Trial:
    return Trial(e.value, *e.interval(), 0.0, 0.0, e.cost.total_products, e.cost.gradients)

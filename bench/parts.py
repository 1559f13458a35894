"""What R to one percent costs on networks, with the trace by parts and without it.

Real runs of `scalar_curvature`, timed by the wall in gradients of the same data in the same process, three gradients
before each run; the truth is the exact way, all columns.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor, nn

import egregium as eg
from bench import summary
from bench.networks import mlp
from bench.options import Options
from bench.subjects import digits, fashion, train
from bench.tables import Column, Row, Table, attempted
from bench.trials import Trial
from egregium.results import Estimate

SEEDS, QUICK_SEEDS, RTOL, CONFIDENCE, BUDGET = 200, 10, 0.01, 0.9, 3000
#: Images of Fashion-MNIST, of 7 x 7 or of 8 x 8 pixels as a model takes them: so many that a gradient takes 20 ms.
IMAGES, IMAGES_IN_ROWS = 30_000, 4_000
#: Runs of an untrained network, and without parts, are fewer: they take ten times as long.
FEWER = 20
WITHOUT = "egregium.measurement.frame.trace_by_parts"
COLUMNS = (
    Column("case", "network"),
    Column("n", "n", ",d"),
    Column("milliseconds", "gradient, ms", ".1f"),
    Column("seeds", "runs", "d"),
    Column("wall", "wall, gradients", ".0f"),
    Column("nine", "90 % of runs", ".0f"),
    Column("counted", "counted", ".0f"),
    Column("hvps", "products", ".0f"),
    Column("within", "within 1 %, %", ".1f"),
    Column("covered", "coverage, %", ".1f"),
    Column("without", "without parts", ".0f"),
    Column("ratio", "times as many", ".1f"),
    Column("dual", "norm of G by its dual", ",.0f"),
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
    """A network on "digits" or "fashion", trained or as it starts; made by one of MODELS.

    `fewer`: runs for each so many that were asked for.
    """

    model: str
    data: str = "digits"
    trained: bool = True
    fewer: int = 1

    @property
    def title(self) -> str:
        """Data, network, state."""
        return f"{self.data}: {self.model}" + ("" if self.trained else ", untrained")


#: Networks by name, for inputs of so many numbers.
MODELS: dict[str, Callable[[int], nn.Module]] = {
    "ReLU MLP": lambda wide: mlp((wide, 32, 16, 10), nn.ReLU),
    "tanh MLP": lambda wide: mlp((wide, 32, 16, 10), nn.Tanh),
    "GELU MLP": lambda wide: mlp((wide, 32, 16, 10), nn.GELU),
    "tanh MLP, three hidden layers": lambda wide: mlp((wide, 24, 24, 24, 10), nn.Tanh),
    "CNN, BatchNorm, ReLU": lambda wide: convolutions(),
    "GRU": lambda wide: Recurrent(),
    "attention block": lambda wide: Attending(),
}
#: Those that take 8 x 8 pixels.
IN_ROWS = ("CNN, BatchNorm, ReLU", "GRU", "attention block")
SUBJECTS = (
    *(Subject(model) for model in MODELS),
    *(Subject(model, "fashion") for model in ("ReLU MLP", "tanh MLP", "GELU MLP", *IN_ROWS)),
    *(Subject(model, trained=False, fewer=FEWER) for model in ("ReLU MLP", "tanh MLP", "GELU MLP", *IN_ROWS)),
    *(Subject(model, "fashion", trained=False, fewer=FEWER) for model in ("ReLU MLP", *IN_ROWS)),
)


def tables(options: Options) -> Iterator[Table]:
    """Networks on the 1,797 digits and on Fashion-MNIST, in float32, one thread each."""
    seeds = options.number(SEEDS, QUICK_SEEDS)
    with ProcessPoolExecutor(options.processes, get_context("spawn"), torch.set_num_threads, (1,)) as executor:
        found = [executor.submit(_attempt, subject, seeds, options.fashion_mnist) for subject in SUBJECTS]
        rows = [task.result() for task in found]
    note = (
        f"scalar_curvature(rtol={RTOL}, confidence={CONFIDENCE}): digits N = 1,797, Fashion-MNIST averaged to 7 x 7, "
        f"N = {IMAGES:,}, or for CNN, GRU and attention to 8 x 8, N = {IMAGES_IN_ROWS:,}. Medians; "
        "a gradient of the same data is timed before each run, in the same process. Without "
        "parts: t and F from shared probes alone. Norm of G: gradients of wall time for |G|_F^2, for a control. "
        "Where a gradient takes less than 20 ms, what a call takes beside its products shows."
    )
    yield Table("networks", "R to one percent on networks", COLUMNS, rows, note)


def _attempt(subject: Subject, seeds: int, folder: Path) -> Row:
    return attempted({"case": subject.title}, partial(_row, subject, seeds, folder))


def _fashion(subject: Subject, folder: Path) -> tuple[Tensor, Tensor]:
    return fashion(folder, IMAGES_IN_ROWS, border=2) if subject.model in IN_ROWS else fashion(folder, IMAGES)


def _row(subject: Subject, seeds: int, folder: Path) -> Row:
    X, y = digits() if subject.data == "digits" else _fashion(subject, folder)
    X, few = X.float(), max(seeds // FEWER, 4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MODELS[subject.model](X.shape[1])
    if subject.trained:
        train(model, X, y)
    model.eval()
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (X, y))
    exact = eg.scalar_curvature(land, method="exact", block=64).value
    ours = [_run(land, seed) for seed in range(max(seeds // subject.fewer, 4))]
    with mock.patch(WITHOUT, return_value=None):
        without = [_run(land, seed) for seed in range(few)]
    trials, wall = [_trial(e) for e, _, _ in ours], [r for _, r, _ in ours]
    return {
        "n": land.n,
        "milliseconds": 1000 * statistics.median(g for _, _, g in ours),
        "seeds": len(ours),
        "wall": statistics.median(wall),
        "nine": sorted(wall)[int(0.9 * len(wall))],
        "counted": statistics.median(e.cost.gradients for e, _, _ in ours),
        "hvps": statistics.median(e.cost.hvps for e, _, _ in ours),
        "within": summary.within(trials, exact, RTOL),
        "covered": summary.covered(trials, exact),
        "without": statistics.median(r for _, r, _ in without),
        "ratio": statistics.median(r for _, r, _ in without) / statistics.median(wall),
        "dual": _dual(land, statistics.median(g for _, _, g in ours)),
        "words": ours[0][0].method.rpartition("; ")[2],
    }


def _dual(land: eg.Landscape, gradient: float) -> float | None:
    """Gradients of wall time that |G|_F^2 takes exactly, None where the dual cannot: what G would cost as a control."""
    started = time.perf_counter()
    try:
        eg.squared_frobenius(land, operator="ggn", method="dual", memory="4GiB")
    except eg.EgregiumError:
        return None
    return (time.perf_counter() - started) / gradient


def _run(land: eg.Landscape, seed: int) -> tuple[Estimate, float, float]:
    """(estimate, seconds in gradients, seconds of a gradient)."""
    gradients = []
    for _ in range(3):
        started = time.perf_counter()
        land.gradient()
        gradients.append(time.perf_counter() - started)
    each, started = statistics.median(gradients), time.perf_counter()
    e = eg.scalar_curvature(land, method="stochastic", rtol=RTOL, confidence=CONFIDENCE, seed=seed, budget=BUDGET)
    return e, (time.perf_counter() - started) / each, each


def _trial(e: Estimate) -> Trial:
    return Trial(e.value, *e.interval(0.95), 0.0, 0.0, e.cost.total_products, e.cost.gradients)

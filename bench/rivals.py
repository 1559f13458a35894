"""What R to one percent costs with other libraries' estimators, on the same trained networks.

Ours is timed by the wall, everything that a call does counted. A peer has estimators of tr S and |S|_F^2 alone, so its
runs are on the dense S, with the fewest products that would have done; their price is that of its Hessian product.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import egregium as eg
from bench.networks import mlp
from bench.options import Options
from bench.parts import IMAGES, convolutions
from bench.peers import asked
from bench.rivals_run import CONFIDENCE, ROUNDS, RTOL, WAYS
from bench.subjects import digits, fashion, train
from bench.tables import Column, Row, Table, attempted
from bench.timing import interleaved, ratio
from egregium.curvature import shape_operator
from egregium.operators import dense_matrix

SEEDS, QUICK_SEEDS = 40, 4
SIZES = (49, 32, 16, 10)
#: Networks by data and name; Fashion-MNIST with so many images that a gradient takes 20 ms.
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "fashion: ReLU MLP": lambda: mlp(SIZES, nn.ReLU),
    "fashion: tanh MLP": lambda: mlp(SIZES, nn.Tanh),
    "fashion: GELU MLP": lambda: mlp(SIZES, nn.GELU),
    "digits: CNN, BatchNorm, ReLU": convolutions,
}
#: The peers' distributions and their columns' names.
PEERS = {"curvlinops-for-pytorch": "curvlinops", "hessian-eigenthings": "eigenthings"}
COLUMNS = (
    Column("case", "network"),
    Column("n", "n", ",d"),
    Column("wall", "ours: gradients", ".1f"),
    Column("bare", "in bare gradients", ".1f"),
    Column("within", "within 1 %, %", ".1f"),
    *(
        Column(f"{short}_{key}", head, form)
        for short in PEERS.values()
        for key, head, form in (
            ("products", f"{short}: products", ",d"),
            ("price", "each", ".2f"),
            ("gradients", "gradients", ",.0f"),
        )
    ),
    Column("ratio", "times fewer", ".1f"),
)


@dataclass(frozen=True)
class Subject:
    """A trained network in float32 with its data, and the shape operator by n products, the way of method="exact"."""

    model: nn.Module
    x: Tensor
    y: Tensor
    matrix: Tensor

    @property
    def truth(self) -> float:
        """R of the matrix."""
        return float(self.matrix.trace() ** 2 - self.matrix.square().sum())

    @property
    def land(self) -> eg.Landscape:
        """The landscape of the mean cross-entropy."""
        return eg.Landscape(self.model, nn.CrossEntropyLoss(), (self.x, self.y))


def tables(options: Options) -> Iterator[Table]:
    """Networks on Fashion-MNIST and the digits in float32, one thread."""
    seeds, threads = options.number(SEEDS, QUICK_SEEDS), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = [
            attempted({"case": title}, lambda title=title, model=model: _row(title, model, seeds, options))
            for title, model in NETWORKS.items()
        ]
    finally:
        torch.set_num_threads(threads)
    note = (
        f"R within {RTOL:.0%} in {CONFIDENCE:.0%} of {seeds} seeds, 1 thread; digits N = 1,797, Fashion-MNIST "
        f"N = {IMAGES:,}. Ours: median wall time of scalar_curvature(rtol={RTOL}, confidence={CONFIDENCE}) in "
        "land.gradient(), and that in torch's own gradients, which are faster where a network is small; its own "
        "interval says when to end. Peers: xtrace and hutchinson_squared_fro; Hutch++ and the mean |S v|^2 by hand. "
        "The fewest products, all counted, with the best of three splits and the truth known, on the dense S (float64; "
        "float32 for Hutch++); times the price of the library's Hessian product in bare gradients: what it takes "
        "beside its products is not counted. Times fewer: bare gradients of the better peer per bare gradient of ours; "
        "over n products, n would give R exactly."
    )
    if options.peers is None:
        note += " No --peers was given: the peers' columns are empty."
    yield Table("rivals", "R to one percent by other libraries' estimators, in gradients", COLUMNS, rows, note)


def _row(title: str, model: Callable[[], nn.Module], seeds: int, options: Options) -> Row:
    subject = _trained(model, *(fashion(options.fashion_mnist, IMAGES) if title.startswith("fashion") else digits()))
    row = _ours(subject, seeds)
    if (python := options.peers) is None:
        return row
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "subject.pt"
        torch.save(vars(subject) | {"truth": subject.truth, "seeds": seeds}, file)
        asked_for = lambda peer: attempted({}, lambda: _theirs(python, file, peer, row["n"]))
        with ThreadPoolExecutor(options.processes) as pool:
            for answer in list(pool.map(asked_for, WAYS)):
                if "failure" in row and "failure" in answer:
                    answer["failure"] = f"{row['failure']}; {answer['failure']}"
                row |= answer
    costs = [(row[f"{short}_least"], short) for short in PEERS.values() if f"{short}_least" in row]
    if costs:
        least, short = min(costs)
        times = least / row["bare"]
        row["ratio"] = times if row[f"{short}_reached"] else f"> {times:.1f}"
    return row


def _trained(build: Callable[[], nn.Module], X: Tensor, y: Tensor) -> Subject:
    X = X.float()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build()
    train(model, X, y)
    model.eval()
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (X, y))
    return Subject(model, X, y, dense_matrix(shape_operator(land)).double())


def _ours(subject: Subject, seeds: int) -> Row:
    land, parameters = subject.land, list(subject.model.parameters())
    runs = [_run(land, seed) for seed in range(seeds)]
    bare = lambda: torch.autograd.grad(F.cross_entropy(subject.model(subject.x), subject.y), parameters)
    times = interleaved({"gradient": land.gradient, "bare": bare}, ROUNDS)
    truth = subject.truth
    near = [abs(value - truth) <= RTOL * abs(truth) for value, _ in runs]
    wall, each = statistics.median(wall for _, wall in runs), ratio(times["gradient"], times["bare"])[0]
    return {"n": land.n, "wall": wall, "bare": wall * each, "gradient": each, "within": 100 * statistics.mean(near)}


def _run(land: eg.Landscape, seed: int) -> tuple[float, float]:
    """(R, seconds in gradients)."""
    gradients = []
    for _ in range(3):
        started = time.perf_counter()
        land.gradient()
        gradients.append(time.perf_counter() - started)
    each, started = statistics.median(gradients), time.perf_counter()
    e = eg.scalar_curvature(land, method="stochastic", rtol=RTOL, confidence=CONFIDENCE, seed=seed)
    return e.value, (time.perf_counter() - started) / each


def _theirs(python: Path, file: Path, peer: str, n: int) -> Row:
    found = asked(python, "bench.rivals_run", str(file), peer)
    reached = found["products"] is not None
    products = found["products"] if reached else n
    least = products * found["price"]
    shown = {"products": products, "gradients": least} if reached else {}
    shown = shown or {"products": f"> {n:,}", "gradients": f"> {least:,.0f}"}
    row = shown | {"price": found["price"], "for_trace": found["for_trace"], "version": found["version"]}
    return {f"{PEERS[peer]}_{key}": value for key, value in (row | {"least": least, "reached": reached}).items()}

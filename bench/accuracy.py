"""Whether a run on a real network is as accurate as was asked, and what it cost.

The truth is the dense shape operator's; the estimator then runs on that stored matrix, once a seed, at the price of
Hessian products.
"""

import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

import egregium as eg
from bench import summary
from bench.options import Options
from bench.subjects import SUBJECTS, Subject
from bench.tables import Column, Row, Table, attempted
from bench.trials import over_seeds, pool, stopped
from egregium.operators import dense_matrix

SEEDS, QUICK_SEEDS = 60, 6
TOLERANCES = (0.1, 0.03, 0.01)
NETWORK = Column("case", "network")
POINTS = (
    NETWORK,
    Column("n", "n", ",d"),
    Column("loss", "loss", ".4f"),
    Column("gradient_norm", "gradient norm", ".2e"),
    Column("curvature", "R", ".5g"),
    Column("rank", "effective rank of the shape operator", ".1f"),
)
RUNS = (
    NETWORK,
    Column("rtol", "asked", ".0%"),
    Column("within", "within, %", ".1f"),
    Column("covered", "coverage, %", ".1f"),
    Column("rmse", "RMSE, %", ".2f"),
    Column("products", "products", ".0f"),
    Column("gradients", "counted gradients", ".0f"),
    Column("share", "of exact, %", ".0f"),
    Column("plain", "plain probes: RMSE times", ".1f"),
    Column("ended", "ended early, %", ".1f"),
)


def tables(options: Options) -> Iterator[Table]:
    """The networks, and how runs at 10, 3 and 1 % do on them."""
    seeds = options.number(SEEDS, QUICK_SEEDS)
    points: list[Row] = []
    rows: list[Row] = []
    with TemporaryDirectory() as folder, pool(options.processes) as executor:
        for index, subject in enumerate(SUBJECTS):
            path = Path(folder) / f"{index}.pt"  # a name each: processes remember the last they read
            point = attempted({"case": subject.title}, partial(_point, subject, options, path))
            points.append(point)
            if "failure" not in point:
                rows += [_row(executor, path, point, rtol, seeds) for rtol in TOLERANCES]
            path.unlink(missing_ok=True)
    yield Table("networks", "Where accuracy is measured: exact values, float64", POINTS, points)
    note = (
        f"{seeds} seeds a row. Products and counted gradients are medians. Plain probes: RMSE of pairs of probes "
        "without a sketch, at each run's number of products, over the estimator's."
    )
    yield Table("runs", "Runs that stop by themselves, on networks", RUNS, rows, note)


def _point(subject: Subject, options: Options, path: Path) -> Row:
    """The exact numbers of a subject; its shape operator's matrix goes to `path`."""
    model, X, y = subject.built(options.fashion_mnist)
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (X, y))
    S = dense_matrix(eg.shape_operator(land))
    torch.save(S, path)
    loss, gradient = land.value_and_gradient()
    t, F = float(S.trace()), float((S**2).sum())
    return {
        "n": land.n,
        "loss": loss,
        "gradient_norm": float(gradient.norm()),
        "curvature": t**2 - F,
        "rank": t**2 / F,
    }


def _row(executor: ProcessPoolExecutor, path: Path, point: dict[str, Any], rtol: float, seeds: int) -> Row:
    truth = point["curvature"]

    def case() -> Row:
        trials = over_seeds(executor, partial(stopped, path, rtol, True), seeds)
        values, plain = [trial.value for trial in trials], [trial.plain or 0.0 for trial in trials]
        row = {
            "within": summary.within(trials, truth, rtol),
            "covered": summary.covered(trials, truth),
            "rmse": summary.rmse(values, truth),
            "plain": summary.rmse(plain, truth) / summary.rmse(values, truth),
        }
        row |= summary.effort(trials)
        return row | {"share": 100 * statistics.median(trial.products for trial in trials) / point["n"]}

    return attempted({"case": point["case"], "rtol": rtol}, case)

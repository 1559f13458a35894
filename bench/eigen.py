"""Eigenpairs against ARPACK (SciPy's eigsh) on known spectra: products, errors, copies that were missed. Float64."""

import math
from collections.abc import Callable, Iterator
from typing import Any, final

import numpy as np
import torch
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor

from bench.options import Options
from bench.tables import Column, Row, Table, attempted
from egregium.estimators.basis import Basis
from egregium.estimators.eigen import ROWS, eigenpairs
from egregium.estimators.outermost import WITHIN, _first
from egregium.estimators.restarted import Run
from egregium.operators import SymmetricOperator

N = 2000
SEEDS = 5
CASES = ((5, 1e-3), (5, 1e-6), (50, 1e-3))
#: Products after which either gives up.
MOST = 4000
COLUMNS = (
    Column("case", "spectrum, end, k, tol"),
    Column("ours", "products", ".0f"),
    Column("main", "of them until k had converged", ".0f"),
    Column("arpack", "ARPACK", ".0f"),
    Column("ours_error", "largest error / spread", ".1e"),
    Column("arpack_error", "ARPACK", ".1e"),
    Column("wrong", "wrong", "d"),
    Column("arpack_wrong", "ARPACK", "d"),
    Column("unfinished", "unfinished", "d"),
)


@final
class Diagonal(SymmetricOperator):
    """diag(values): to Lanczos from a random vector all rotations of it are the same."""

    def __init__(self, values: Tensor) -> None:
        self.n, self.dtype, self.device, self.values = values.numel(), values.dtype, values.device, values

    def matmat(self, V: Tensor) -> Tensor:
        return self.values.unsqueeze(1) * V


def spectra(n: int) -> dict[str, Tensor]:
    """Eigenvalues as of networks, and such that are hard for Krylov spaces."""
    i = torch.arange(1, n + 1, dtype=torch.float64)
    bulk = torch.cos(torch.pi * (i - 0.5) / n)  # in (-1, 1), dense at both ends
    tail = torch.where(i % 3 == 0, -1.0, 1.0) * 3 / i
    return {
        "outliers + bulk": torch.where(i <= 10, 33 - 3 * i, bulk),
        "network, both signs": torch.where(i <= 10, 13 - i, tail),
        "decay to 0 (1 / i)": 1 / i,
        "clusters": torch.where(i <= 15, 10 - torch.div(i - 1, 5, rounding_mode="floor") + 1e-5 * (i % 5), bulk),
        "threefold outliers": torch.where(i <= 15, 10 - torch.div(i - 1, 3, rounding_mode="floor"), bulk),
    }


def tables(options: Options) -> Iterator[Table]:
    """Means over seeds; an end is wrong where a value is off by more than tol times the spread."""
    seeds, rows = options.number(SEEDS, 1), []
    for name, values in spectra(N).items():
        for largest in (True, False):
            for k, tol in CASES:
                label = {"case": f"{name}, {'largest' if largest else 'smallest'}, {k}, {tol:g}"}
                case: Callable[[], Row] = lambda v=values, e=largest, k=k, t=tol: _row(v, e, k, t, seeds)  # type: ignore[misc]
                rows.append(attempted(label, case))
    note = (
        f"n = {N:,}, means over {seeds} seeds; ARPACK on A shifted by its spectral radius, ncv = max(2 k + 1, 20). "
        "Both with k products more for residuals. Wrong: runs that say they have "
        "converged, with a value off by more than tol times the spread; inf: fewer than k."
    )
    yield Table("eigen", "Eigenpairs, thick-restart Lanczos against ARPACK", COLUMNS, rows, note)


def _row(values: Tensor, largest: bool, k: int, tol: float, seeds: int) -> Row:
    truth, spread = values.sort(descending=largest).values[:k], float(values.max() - values.min())
    each = []
    for seed in range(seeds):
        pairs = eigenpairs(Diagonal(values), k, largest=largest, tol=tol, seed=seed, products=MOST)
        until = unsearched(values, k, largest, tol, seed)
        found, products = arpack(values, k, largest, tol, seed)
        ours, theirs = (_error(got, truth) / spread for got in (pairs.values, found))
        wrong = (pairs.converged and ours > tol, math.isfinite(theirs) and theirs > tol)
        each.append([pairs.cost.products, until, products + k, ours, theirs, *wrong, not pairs.converged])
    mean, most = (np.array(each, dtype=float).mean(0), np.array(each, dtype=float).max(0))
    total = np.array(each, dtype=float).sum(0)
    return {
        "ours": mean[0],
        "main": mean[1],
        "arpack": mean[2],
        "ours_error": most[3],
        "arpack_error": most[4],
        "wrong": int(total[5]),
        "arpack_wrong": int(total[6]),
        "unfinished": int(total[7]),
    }


def _error(got: Tensor, truth: Tensor) -> float:
    return float((got - truth).abs().max()) if got.numel() == truth.numel() else float("inf")


def unsearched(values: Tensor, k: int, largest: bool, tol: float, seed: int) -> int:
    """Products until k pairs have converged, without the search for missed ones."""
    op = Diagonal(values)
    run = Run(op, Basis(op, k, k + ROWS + 1), 2 * k + ROWS, 1.0 if largest else -1.0, seed)
    _first(run, k, WITHIN * tol, MOST)
    return run.products + k


def arpack(values: Tensor, k: int, largest: bool, tol: float, seed: int) -> tuple[Tensor, int]:
    """(eigenvalues, products) of eigsh."""
    n, sign, radius = values.numel(), 1.0 if largest else -1.0, float(values.abs().max())
    counted = [0]
    shifted = sign * values.numpy() + radius

    def product(v: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        counted[0] += 1
        return shifted * v.reshape(-1)

    start = np.random.default_rng(seed).standard_normal(n)
    steps = max(2 * k + 1, 20)
    linear = LinearOperator((n, n), matvec=product, dtype=np.float64)
    try:
        found, _ = eigsh(linear, k, which="LA", ncv=steps, v0=start, tol=tol, maxiter=MOST // steps)
    except ArpackNoConvergence as partial:
        found = partial.eigenvalues
    return torch.from_numpy(sign * (found - radius)).sort(descending=largest).values, counted[0]

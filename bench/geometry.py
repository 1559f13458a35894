"""Geometry: the price of a right-hand side, what relaxing before shooting and whole frames save, and the drift."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import egregium as eg
from bench.networks import mlp
from bench.options import Options
from bench.subjects import digits, train
from bench.tables import Column, Row, Table, attempted
from bench.timing import interleaved, ratio
from egregium import geometry as geo
from egregium.curvature import hessian
from egregium.geometry.logarithm import BoundaryMethod

DOUBLE = torch.float64
METHODS: tuple[BoundaryMethod, ...] = ("auto", "relaxation", "shooting")
SIDE = (
    Column("case", "network"),
    Column("n", "n", ",d"),
    Column("milliseconds", "gradient, ms", ".1f"),
    Column("together", "in one pass, gradients", ".2f"),
    Column("apart", "gradient, then product", ".2f"),
)
LOG = (
    Column("case", "to a point at this distance in theta"),
    *(Column(f"{m}_{k}", f"{m}: {k}", f) for m in METHODS for k, f in (("gradients", ",.0f"), ("left", ".0e"))),
)
BALLS = (
    Column("case", "surface"),
    Column("n", "n", "d"),
    Column("radius", "radius", "g"),
    Column("pairs", "half-width, pairs", ".1e"),
    Column("frames", "half-width, frames", ".1e"),
    Column("ratio", "times narrower", ".1f"),
)
DRIFT = (
    Column("case", "surface"),
    Column("paths", "paths", "d"),
    Column("drift", "most drift a unit of length", ".1e"),
    Column("gradients", "gradients a unit of length", ",.0f"),
)


def tables(options: Options) -> Iterator[Table]:
    """One thread; networks on the digits."""
    torch.set_num_threads(1)
    rounds, paths = options.number(9, 2), options.number(40, 3)
    cases = [("digits: tanh MLP 64-32-10", 1), ("the same, data 8 times", 8)]
    rows = [attempted({"case": name}, partial(_side, times, rounds)) for name, times in cases]
    yield Table("side", "A right-hand side of a geodesic", SIDE, rows, "Median of rounds, by the processor's clock.")
    distances = (0.3, 1.0, 3.0, 10.0)[: options.number(4, 2)]
    rows = [attempted({"case": f"{distance:g}"}, partial(_log, distance)) for distance in distances]
    note = "tanh MLP 16-8-10 trained on the digits, 226 parameters, float64; left: relative residual, or unrelaxed."
    yield Table("log", "The logarithm: relaxed, then shot; relaxed alone; shot from the straight line", LOG, rows, note)
    rows = [attempted({"case": name}, partial(_balls, n, r)) for name, n, r in (("wave", 3, 0.1), ("wave", 8, 0.1))]
    note = "As many geodesics less one pair: 2 n - 1 pairs of directions against two orthonormal frames."
    yield Table("balls", "Ball volumes by whole frames", BALLS, rows, note)
    rows = [attempted({"case": name}, partial(_drift, name, paths)) for name in ("wave", "network")]
    yield Table("drift", "Drift of speed, norms and angles at the default tolerance", DRIFT, rows)


def _network(times: int = 1, sizes: tuple[int, ...] = (64, 32, 10), dtype: torch.dtype = torch.float32) -> eg.Landscape:
    X, y = digits()
    X = X.to(dtype)
    if sizes[0] == 16:
        X = nn.functional.avg_pool2d(X.view(-1, 1, 8, 8), 2).flatten(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = mlp(sizes, nn.Tanh).to(dtype)
    train(model, X, y)
    return eg.Landscape(model, nn.CrossEntropyLoss(), (X.repeat(times, 1), y.repeat(times)))


def _side(times: int, rounds: int) -> Row:
    land = _network(times).fixed()
    v = _direction(land, 0).unsqueeze(0)
    H = hessian(land)
    works = {
        "gradient": land.gradient,
        "together": lambda: H.with_gradient(v),
        "apart": lambda: (land.gradient(), H @ v[0]),
    }
    found = interleaved(works, rounds)
    return {
        "n": land.n,
        "milliseconds": 1000 * sorted(found["gradient"])[rounds // 2],
        **{name: ratio(found[name], found["gradient"])[0] for name in ("together", "apart")},
    }


def _log(distance: float) -> Row:
    land = _network(sizes=(16, 8, 10), dtype=DOUBLE)
    target, row = land.theta + distance * _direction(land, 1), {}
    for method in METHODS:
        found = geo.log(land, target, method=method, budget=20_000)
        left: Any = found.residual if math.isfinite(found.residual) else found.distance.rounding
        row |= {f"{method}_gradients": found.cost.gradients, f"{method}_left": left}
    return row


def _wave(x: Tensor) -> Tensor:
    return torch.sin(2 * x[:-1]).dot(x[1:]) + torch.exp(x[0] * x[-1]) / 3


def _balls(n: int, radius: float) -> Row:
    land = eg.Landscape.from_function(_wave, torch.linspace(-0.5, 0.7, n, dtype=DOUBLE))
    pairs, frames = (geo.ball_volumes(land, radius, pairs=p).ratios[0].half_width() for p in (2 * n - 1, 2 * n))
    return {"n": n, "radius": radius, "pairs": pairs, "frames": frames, "ratio": pairs / frames}


def _drift(name: str, paths: int) -> Row:
    land = _network(sizes=(16, 8, 10), dtype=DOUBLE)
    if name == "wave":
        land = eg.Landscape.from_function(_wave, torch.linspace(-0.5, 0.7, 6, dtype=DOUBLE))
    found = []
    for k in range(paths):
        v, w, x = (_direction(land, 3 * k + j) for j in range(3))
        found.append(geo.geodesic(land, 2 * v, carry=torch.stack([w, x], 1)))
    drift, price = max(g.drift / g.length for g in found), sum(g.cost.gradients / g.length for g in found) / paths
    return {"paths": paths, "drift": drift, "gradients": price}


def _direction(land: eg.Landscape, seed: int) -> Tensor:
    v = torch.randn(land.n, dtype=land.dtype, generator=torch.Generator().manual_seed(seed))
    return v / v.norm()

"""Slices: what a grid of losses costs beside plain evaluations, and what an adaptive grid is worth."""

import statistics
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.interpolate import RegularGridInterpolator
from torch import nn

import egregium as eg
from bench.networks import CASES, mlp
from bench.options import Options
from bench.subjects import digits, train
from bench.tables import Column, Row, Table, attempted
from bench.timing import now
from egregium import slices

#: Places along an axis of the timed grid, and of the adaptive one.
TIMED, FINE = 21, 65
#: What the adaptive grid is asked for.
SHARES = (0.03, 0.01, 0.003)
#: Networks that are timed.
NAMES = {
    "cnn-pooled": "CNN 3-16-32-32-64, pooled twice, 64 images",
    "mlp-4096": "MLP 784-256-256-10, batch 4,096",
    "transformer-encoder": "transformer, nn.TransformerEncoderLayer",
}
PRICE = (
    Column("case", "network"),
    Column("milliseconds", "plain evaluation, ms", ".1f"),
    Column("ratio", "21 x 21 losses, in 441 evaluations", ".3f"),
    Column("least", "least of the rounds", ".3f"),
    Column("most", "most", ".3f"),
)
ADAPTIVE = (
    Column("case", "plane"),
    Column("share", "asked, share of the range", "g"),
    Column("places", "places looked at, of 4,225", ",d"),
    Column("error", "largest error, share of the range", ".1e"),
    Column("uniform", "of a uniform grid with as many", ".1e"),
    Column("mean", "mean error", ".1e"),
    Column("mean_uniform", "uniform", ".1e"),
)


def tables(options: Options) -> Iterator[Table]:
    """One thread."""
    torch.set_num_threads(1)
    points, rounds = options.number(TIMED, 3), options.number(3, 1)
    rows = [attempted({"case": NAMES[name]}, partial(_price, name, points, rounds)) for name in NAMES]
    note = "A plain evaluation: model and loss on the batch under torch.no_grad, one before each place. Medians."
    yield Table("price", "The price of a grid of losses", PRICE, rows, note)
    land, rows = _trained(), []
    planes = {
        "filter-normalised": (slices.filter_normalised(land), 1.5),
        "sharpest": (slices.eigenvectors(land, 2, 0), 30.0),
    }
    for name, (V, span) in planes.items():
        full = slices.plane(land, V, points=FINE, span=span).sheets["loss"]
        for share in SHARES:
            case = partial(_adaptive, land, (V, span), full, share)
            rows.append(attempted({"case": f"{name}, ± {span:g}", "share": share}, case))
    note = "tanh MLP 64-32-10 trained on the digits, planes of 65 x 65."
    yield Table("adaptive", "An adaptive grid", ADAPTIVE, rows, note)


def _price(name: str, points: int, rounds: int) -> Row:
    model, x, y = CASES[name].built()
    loss = nn.CrossEntropyLoss()
    land = eg.Landscape(model, loss, (x, y))
    model.eval()
    directions = slices.filter_normalised(land)

    ratios, plain = [], []
    for _ in range(rounds + 1):  # the first is not counted
        beside = 0.0

        def evaluated(_: object) -> bool:
            nonlocal beside
            begun = now()
            with torch.no_grad():
                float(loss(model(x), y))
            beside += now() - begun
            return True

        begun = now()
        slices.plane(land, directions, points=points, progress=evaluated)
        ratios.append((now() - begun - beside) / beside)
        plain.append(1000 * beside / points**2)
    ratios, plain = ratios[1:], plain[1:]
    middle = statistics.median(ratios)
    return {"milliseconds": statistics.median(plain), "ratio": middle, "least": min(ratios), "most": max(ratios)}


def _trained() -> eg.Landscape:
    X, y = digits()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = mlp((64, 32, 10), nn.Tanh)
    train(model, X.float(), y)
    return eg.Landscape(model, nn.CrossEntropyLoss(), (X.float(), y))


def _adaptive(land: eg.Landscape, plane: tuple[Any, float], full: Any, share: float) -> Row:
    V, span = plane
    found = slices.plane(land, V, points=FINE, span=span, adaptive=share).sheets["loss"]
    truth = full.values.numpy()
    size = float(np.ptp(truth))
    off = np.abs(found.values.numpy() - truth) / size
    side = round(float(found.measured.sum()) ** 0.5)
    coarse = slices.plane(land, V, points=side, span=span).sheets["loss"]
    between = RegularGridInterpolator((coarse.b.numpy(), coarse.a.numpy()), coarse.values.numpy())
    b, a = np.meshgrid(full.b.numpy(), full.a.numpy(), indexing="ij")
    even = np.abs(between(np.stack([b, a], -1)) - truth) / size
    return {
        "places": int(found.measured.sum()),
        "error": float(off.max()),
        "uniform": float(even.max()),
        "mean": float(off.mean()),
        "mean_uniform": float(even.mean()),
    }

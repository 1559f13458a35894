"""Whether a result depends on how the data are cut: batches of 32, 32 and 6 against one of 70, in float64."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

import egregium as eg
from bench.networks import mlp
from bench.options import Options
from bench.subjects import digits
from bench.tables import Column, Row, Table, attempted

SIZES = (32, 32, 6)
LAYERS = (64, 8, 10)
COLUMNS = (
    Column("case", "loss"),
    Column("value", "value", ".1e"),
    Column("gradient", "gradient", ".1e"),
    Column("product", "Hessian product", ".1e"),
    Column("ggn", "GGN product", ".1e"),
    Column("curvature", "R", ".1e"),
    Column("equal", "Hessian product, equal weights", ".1e"),
)


def tables(options: Options) -> Iterator[Table]:
    """Relative differences for losses that count their terms in different ways. Nothing is timed or random."""
    rows = [attempted({"case": name}, lambda made=made: _row(*made())) for name, made in LOSSES.items()]
    note = "Relative, in float64. Last column: batches averaged with equal weight, as libraries that do not count do."
    yield Table("differences", "Batches of 32, 32 and 6 against one of 70", COLUMNS, rows, note)


def _row(loss: Any, X: Tensor, y: Tensor) -> Row:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = mlp(LAYERS, nn.Tanh).double()
    batches = list(zip(X.split(SIZES), y.split(SIZES), strict=True))
    whole, cut = eg.Landscape(model, loss, (X, y)), eg.Landscape(model, loss, batches)
    v = torch.randn(whole.n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    equal = sum(eg.hessian(eg.Landscape(model, loss, pair)) @ v for pair in batches) / len(batches)
    exact = eg.hessian(whole) @ v
    curvature = [eg.scalar_curvature(land, method="exact").value for land in (cut, whole)]
    return {
        "value": abs(cut.value() / whole.value() - 1),
        "gradient": _difference(cut.gradient(), whole.gradient()),
        "product": _difference(eg.hessian(cut) @ v, exact),
        "ggn": _difference(eg.ggn(cut) @ v, eg.ggn(whole) @ v),
        "curvature": abs(curvature[0] / curvature[1] - 1),
        "equal": _difference(equal, exact),
    }


def _difference(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm() / b.norm())


def _labels() -> tuple[Tensor, Tensor]:
    X, y = digits()
    return X[: sum(SIZES)], y[: sum(SIZES)]


def _weighted() -> tuple[nn.Module, Tensor, Tensor]:
    weight = torch.linspace(0.2, 3.0, LAYERS[-1], dtype=torch.float64)
    return nn.CrossEntropyLoss(weight=weight), *_labels()


def _ignored() -> tuple[nn.Module, Tensor, Tensor]:
    X, y = _labels()
    return nn.CrossEntropyLoss(ignore_index=-100), X, y.where(torch.arange(len(y)) % 3 > 0, -100)


def _one_hot(loss: Any) -> tuple[Any, Tensor, Tensor]:
    X, y = _labels()
    return loss, X, nn.functional.one_hot(y, LAYERS[-1]).double()


def own_loss(output: Tensor, target: Tensor) -> Tensor:
    """A mean over samples that is none of torch's own."""
    return (output.logsumexp(1) - output.gather(1, target.unsqueeze(1)).squeeze(1)).mean()


LOSSES: dict[str, Callable[[], tuple[Any, Tensor, Tensor]]] = {
    "cross-entropy": lambda: (nn.CrossEntropyLoss(), *_labels()),
    "cross-entropy, class weights": _weighted,
    "cross-entropy, a third ignored": _ignored,
    "cross-entropy, soft targets": lambda: _one_hot(nn.CrossEntropyLoss(label_smoothing=0.1)),
    "squared error": lambda: _one_hot(nn.MSELoss()),
    "binary cross-entropy, logits": lambda: _one_hot(nn.BCEWithLogitsLoss()),
    "a loss of one's own": lambda: (own_loss, *_labels()),
}

"""R from one mini-batch to the next."""

import time
from dataclasses import replace
from typing import Any

import torch

from egregium.estimators import Progress, ProgressCallback, stopped
from egregium.landscape import Landscape
from egregium.measurement.scalar import scalar_curvature
from egregium.results import BatchCurvatures


def batch_curvatures(
    land: Landscape, *, rtol: float = 0.1, progress: ProgressCallback | None = None, **how: Any
) -> BatchCurvatures:
    """The scalar curvature of each mini-batch's own loss at this point, beside that of all data.

    R is not linear in the loss: the mean over batches is not the R of the mean loss, and a batch's own gradient is not
    0 where that of the mean is. Options (`confidence`, `seed`, `budget` for each, ...) and errors as of
    `scalar_curvature`; the batches are held at once. Cost: R of all data, and R of each batch, whose gradient costs its
    share of one: about twice R in all.

    >>> from torch import nn
    >>> x = torch.arange(6.0, dtype=torch.float64).reshape(6, 1)
    >>> model = nn.Linear(1, 1).double()
    >>> found = batch_curvatures(Landscape(model, nn.MSELoss(), [(x[:3], x[:3]), (x[3:], x[3:])]))
    >>> found.values.shape, found.whole.exact
    (torch.Size([2]), True)
    """
    started = time.perf_counter()
    whole = scalar_curvature(land, rtol=rtol, progress=progress, **how)
    values, widths, cost = list[float](), list[float](), whole.cost
    notes: tuple[str, ...] = ()
    count = land.batch_count
    for k, single in enumerate(land.single_batches()):
        if stopped(progress, Progress(f"R of batch {k + 1} of {count}", min(k / count, 1.0), None, cost)):
            notes = (f"Stopped after {k} of {count} batches.",)
            break
        e = scalar_curvature(single, rtol=rtol, **how)
        values.append(e.value)
        widths.append(e.half_width())
        cost = cost + replace(e.cost, gradients=e.cost.gradients / count)
    cost = replace(cost, seconds=time.perf_counter() - started)
    each, half = (torch.tensor(x, dtype=torch.float64) for x in (values, widths))
    return BatchCurvatures(each, half, whole, land.n, whole.confidence, cost, notes)

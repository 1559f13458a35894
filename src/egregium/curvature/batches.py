"""What each batch contributes to gradients and products, as inner products with given vectors: no vector is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.autodiff import gradient
from egregium.curvature.hessian import SecondDerivative
from egregium.landscape import BatchLoss, Landscape
from egregium.landscape.losses import Count
from egregium.operators.inner import dots, gram


@dataclass(frozen=True, eq=False)
class PerBatch:
    """Deviations of batches from the whole: `values[b]` is batch b's mean minus that of all data, in units of f.

    `sizes`: the number of loss terms of each batch; batches without any are left out. Where f is a sum, a batch counts
    as often as the data are larger than it.
    """

    sizes: Float[Tensor, " m"]
    values: Float[Tensor, "m ..."]


def gradients_per_batch(land: Landscape, onto: Float[Tensor, "r n"]) -> PerBatch:
    """<g_b - g, onto_i> for each batch b, (m, r). Costs one gradient."""
    found: list[tuple[float, Tensor]] = []

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[tuple[Tensor, ...], Count]:
        total, count = batch.terms()
        row = torch.cat([part.to(land.dtype).reshape(-1) for part in gradient(total, parameters)])
        found.append((float(count), gram(row.unsqueeze(0), onto)[0].cpu()))
        return (), count

    land.means(look)
    return _deviations(land, found)


def products_per_batch(
    op: SecondDerivative, vectors: Float[Tensor, "k n"], onto: Sequence[Float[Tensor, "k n"]]
) -> PerBatch:
    """<(H_b - H) v_j, onto_i[j]> for each batch b, (m, i, j). Costs k products in one pass."""
    found: list[tuple[float, Tensor]] = []

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[tuple[Tensor, ...], Count]:
        rows = (op.parts_of(parameters, row) for row in vectors)
        products, _, count = op.batch_products(batch, parameters, rows)
        values = torch.empty(len(onto), len(vectors), dtype=torch.float64)
        for j, product in enumerate(products):
            row = op.flat(product).unsqueeze(0)
            for i, target in enumerate(onto):
                values[i, j] = dots(row, target[j : j + 1])
        found.append((float(count), values))
        return (), count

    op.land.means(look)
    return _deviations(op.land, found)


def _deviations(land: Landscape, found: Sequence[tuple[float, Tensor]]) -> PerBatch:
    """The batches' means minus the whole's, from their sums; weight decay is the same in both and in neither."""
    kept = [(count, value) for count, value in found if count > 0]
    sizes = torch.tensor([count for count, _ in kept], dtype=torch.float64)
    sums = torch.stack([value for _, value in kept])
    shaped = sizes.view(-1, *[1] * (sums.ndim - 1))
    total = 1.0 if land.is_mean else float(sizes.sum())
    means = land.scale * total * sums / shaped
    return PerBatch(sizes, means - (shaped * means).sum(0) / shaped.sum())

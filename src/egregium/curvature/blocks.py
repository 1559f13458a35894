"""The diagonal blocks of a landscape's second derivative, all of them in one pass over the data."""

from collections.abc import Iterator, Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature.hessian import SecondDerivative, Vector
from egregium.curvature.shape import TangentFrame
from egregium.landscape import BatchLoss, graph_was_cut
from egregium.landscape.losses import Count
from egregium.operators import SymmetricOperator
from egregium.results import Cost


@final
class DiagonalBlocks(SymmetricOperator):
    """diag(H_11, ..., H_BB): the principal submatrices of H that belong to blocks of parameters.

    A vector holds the blocks' numbers one block after the other (`places`). A product goes once over the data, each
    batch's gradient graph serving all blocks; of block b, derivatives are taken from its own part of the gradient to
    its own parameters and no others. A block whose part of a column is zero costs nothing.

    `members`: the places of each block's parameters in `land.shapes`, no parameter twice.
    """

    def __init__(self, second: SecondDerivative, members: Sequence[Sequence[int]]) -> None:
        self.second, self.members = second, tuple(tuple(block) for block in members)
        self.dtype, self.device = second.dtype, second.device
        self._shapes = list(second.land.shapes.values())
        self.places: list[slice] = []
        start = 0
        for block in self.members:
            stop = start + sum(self._shapes[i].numel() for i in block)
            self.places.append(slice(start, stop))
            start = stop
        self.n = start

    def gathered(self, v: Float[Tensor, " m"]) -> Float[Tensor, " n"]:
        """A vector of the whole landscape, cut to the blocks and in their order."""
        parts = list(self.second.land.unflatten(v).values())
        return torch.cat([parts[i].reshape(-1) for block in self.members for i in block])

    def price(self, products: int) -> Cost:
        """What a pass with so many (block, vector) products costs at most: each counts as one with all of H."""
        return self.second.cost(products)

    def cost(self, k: int) -> Cost:
        return self.price(k * len(self.members))

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        rows, land, depends = V.T.contiguous(), self.second.land, False
        live = [(b, j) for b, at in enumerate(self.places) for j in range(len(rows)) if bool(rows[j, at].any())]
        product = torch.zeros_like(rows)
        if not live:
            return product.T
        used = sorted({i for b, _ in live for i in self.members[b]})

        def contribution(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterator[Tensor], Count]:
            nonlocal depends
            part = [parameters[i] for i in used]
            vectors = (self._restricted(part, used, b, rows[j]) for b, j in live)
            products, graph, count = self.second.batch_products(batch, part, vectors)
            depends |= graph
            return (self._flat(found, used, b) for found, (b, _) in zip(products, live, strict=True)), count

        totals = land.means(contribution)
        if not depends:
            raise graph_was_cut()
        for number, (b, j) in enumerate(live):
            product[j, self.places[b]], totals[number] = totals[number], totals[number][:0]
        for at, block in zip(self.places, self.members, strict=True):
            land.add_decay(product[:, at], rows[:, at], block)
        return product.T

    def _restricted(self, parameters: Sequence[Tensor], used: Sequence[int], b: int, row: Tensor) -> Vector:
        """Block b's part of a row by parameter; None for the parameters of others."""
        sizes = [self._shapes[i].numel() for i in self.members[b]]
        parts = dict(zip(self.members[b], torch.split(row[self.places[b]], sizes), strict=True))
        return [
            parts[i].view(p.shape).to(p.dtype) if i in parts else None for i, p in zip(used, parameters, strict=True)
        ]

    def _flat(self, product: Vector, used: Sequence[int], b: int) -> Tensor:
        parts = dict(zip(used, product, strict=True))
        return self.second.flat([parts[i] for i in self.members[b]])


@final
class BlockFrames(SymmetricOperator):
    """diag(P_b / sqrt(W_b)): with it on both sides of H_bb, the shape operator of f restricted to block b."""

    def __init__(self, places: Sequence[slice], frames: Sequence[TangentFrame]) -> None:
        self.n = places[-1].stop
        self.dtype, self.device = frames[0].gradient.dtype, frames[0].gradient.device
        self._parts = [(at, frame.root(), frame.W**-0.5) for at, frame in zip(places, frames, strict=True)]

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        rows = torch.empty(V.shape[1], V.shape[0], dtype=V.dtype, device=V.device)
        for at, root, factor in self._parts:
            rows[:, at] = (root @ V[at]).T.mul_(factor)
        return rows.T

    def cost(self, k: int) -> Cost:
        return Cost()

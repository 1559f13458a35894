"""The Hessian and the Gauss-Newton matrix of a landscape, as operators."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils._pytree import tree_map

from egregium.autodiff import PeakAllocation, ggn_products, gradient, hessian_products
from egregium.errors import ArgumentError, ArithmeticalError
from egregium.landscape import BatchLoss, Landscape, graph_was_cut, tensors_of
from egregium.landscape.losses import Count
from egregium.operators import SymmetricOperator
from egregium.results.cost import GRADIENTS_PER_GGN_PRODUCT, GRADIENTS_PER_HVP, Cost

#: Bytes that an operation leaves beside its tensors: nodes of the graph, views (measured of LSTMs: 600 to 1,300).
NODE = 1300

#: Parts by parameter; None for zeros, whose product is not wanted.
Vector = Sequence[Tensor | None]


class SecondDerivative(SymmetricOperator):
    """A matrix of second derivatives of a landscape: a sum over batches, each batch's graph kept for all vectors."""

    def __init__(self, land: Landscape) -> None:
        if not isinstance(land, Landscape):
            raise ArgumentError(
                f"{type(self).__name__} needs a Landscape, got {type(land).__name__}. Make one: "
                "eg.Landscape(model, loss, data)."
            )
        self.land = land
        self.n, self.dtype, self.device = land.n, land.dtype, land.device

    @abstractmethod
    def batch_products(
        self, batch: BatchLoss, parameters: Sequence[Tensor], vectors: Iterator[Vector]
    ) -> tuple[Iterator[list[Tensor | None]], bool, Count]:
        """One batch's products (shaped like the vectors), whether its loss has a graph, its number of loss terms."""

    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        rows = V.T.contiguous()
        depends = False

        def contribution(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterator[Tensor], Count]:
            nonlocal depends
            vectors = (self.parts_of(parameters, row) for row in rows)
            products, live, count = self.batch_products(batch, parameters, vectors)
            depends |= live
            return (self.flat(product) for product in products), count

        totals = self.land.means(contribution)
        if not depends:
            raise graph_was_cut()
        product = torch.empty(rows.shape, dtype=self.dtype, device=self.device)
        for j in range(len(totals)):  # each total is freed as it is copied
            product[j], totals[j] = totals[j], totals[j][:0]
        self.land.add_decay(product, rows)
        return product.T

    def graph_bytes(self) -> int:
        """The peak of the first batch's graph and one product through it, in bytes; counted once for a landscape.

        Costs a graph and a product of that batch.
        """
        facts, name = self.land.facts, f"bytes of a graph of {type(self).__name__}"

        def trial(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterator[Tensor], Count]:
            products, _, _ = self.batch_products(batch, parameters, iter([parameters]))
            for product in products:
                del product
            return iter(()), 1.0

        if name not in facts:
            with PeakAllocation() as counted:  # copies of the batch, of buffers and of frozen parameters count too
                self.land.means(trial, most=1)
            facts[name] = counted.peak + NODE * counted.operations
        return facts[name]

    def flat(self, product: Vector) -> Tensor:
        """The parts of a product that were taken, one after the other, in the operator's dtype."""
        return torch.cat([part.detach().reshape(-1).to(self.dtype) for part in product if part is not None])

    def parts_of(self, parameters: Sequence[Tensor], row: Tensor) -> list[Tensor]:
        """A vector of shape (n,) by parameter, in the dtype of each."""
        parts = self.land.unflatten(row).values()
        return [part.to(p.dtype) for part, p in zip(parts, parameters, strict=True)]


@final
class Hessian(SecondDerivative):
    """H = d^2 f / d theta^2 at the landscape's point, read anew at each product; for ReLU networks almost everywhere.

    Products by reverse over reverse on a kept gradient graph (see `autodiff.hessian_products`).

    >>> import torch
    >>> land = Landscape.from_function(lambda x: x[0] ** 2 - 3 * x[0] * x[1], torch.zeros(2))
    >>> Hessian(land) @ torch.eye(2)
    tensor([[ 2., -3.],
            [-3.,  0.]])
    """

    def cost(self, k: int) -> Cost:
        return Cost(gradients=1 + GRADIENTS_PER_HVP * k, hvps=k)

    def batch_products(
        self, batch: BatchLoss, parameters: Sequence[Tensor], vectors: Iterator[Vector]
    ) -> tuple[Iterator[list[Tensor | None]], bool, Count]:
        total, count = batch.terms()
        return hessian_products(total, parameters, vectors), total.requires_grad, count

    def with_gradient(self, rows: Float[Tensor, "k n"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "k n"]]:
        """(grad f, H V) for k vectors as rows, in one pass over the data: the products' own graph holds the gradient.

        Costs 1 + 2 k gradients, what the products alone cost. Raises ArithmeticalError where either is not finite.
        """

        def contribution(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterator[Tensor], Count]:
            total, count = batch.terms()
            slopes = gradient(total, parameters, create_graph=True)
            vectors = (self.parts_of(parameters, row) for row in rows)
            products = hessian_products(total, parameters, vectors, slopes=slopes)
            return chain([self.flat(slopes)], (self.flat(product) for product in products)), count

        found = torch.stack([part.to(self.dtype) for part in self.land.means(contribution)])
        if not bool(torch.isfinite(torch.stack(torch.aminmax(found))).all()):
            raise ArithmeticalError("The gradient or a Hessian product is not finite at this point.")
        self.land.add_decay(found, torch.cat([self.land.theta.unsqueeze(0), rows]))
        return found[0], found[1:]


@final
class GaussNewton(SecondDerivative):
    """G = (1/N) sum_i J_i^T L_i J_i: J_i the Jacobian of the outputs, L_i the Hessian of the loss in the outputs.

    The curvature of f with the network linearised; H = G + D, where D is not small in general. Needs a landscape with
    a model and a loss(output, target): raises ArgumentError for batch_loss= and from_function. A penalty on the
    parameters inside the loss is no function of the outputs, and no part of G; the landscape's weight_decay is.
    """

    def cost(self, k: int) -> Cost:
        return Cost(gradients=1 + GRADIENTS_PER_GGN_PRODUCT * k, ggn_products=k)

    def batch_products(
        self, batch: BatchLoss, parameters: Sequence[Tensor], vectors: Iterator[Vector]
    ) -> tuple[Iterator[list[Tensor | None]], bool, Count]:
        if batch.outputs is None or batch.criterion is None:
            raise ArgumentError(
                'operator="ggn" needs to tell the outputs from the loss. Build the landscape as '
                "Landscape(model, loss, data); batch_loss= and from_function have no outputs."
            )
        criterion = batch.criterion
        output = batch.outputs()
        leaves = tensors_of(output)

        def loss(free: Sequence[Tensor]) -> Tensor:
            return criterion(_replaced(output, leaves, free))[0]

        total, count = criterion(output)
        live = total.requires_grad
        del total  # its graph is not needed
        return ggn_products(leaves, loss, parameters, vectors), live, count


def _replaced(output: object, leaves: Sequence[Tensor], free: Sequence[Tensor]) -> object:
    """`output` with its differentiable leaves replaced by `free`."""
    by_identity = {id(leaf): new for leaf, new in zip(leaves, free, strict=True)}
    return tree_map(lambda leaf: by_identity.get(id(leaf), leaf), output)


def hessian(land: Landscape) -> Hessian:
    """The Hessian of `land` as a SymmetricOperator: `op @ v`, `op @ V`, `.n`, `.dtype`, `.device`."""
    return Hessian(land)


def ggn(land: Landscape) -> GaussNewton:
    """The Gauss-Newton matrix of `land` as a SymmetricOperator. Raises ArgumentError where it has no outputs."""
    return GaussNewton(land)

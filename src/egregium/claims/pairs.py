"""R of a mean loss from its parts, samples or batches, pair by pair; and what batches drawn from samples have of it.

With f = sum_b w_b f_b, T(A, B) = tr A tr B - tr(A B), and g and beta = 1 / (1 + |g|^2) of f,

    R = beta sum_bc w_b w_c T(H_b, H_c) + 2 beta^2 sum_bc w_b w_c [g^T H_b H_c g - tr(H_b) g^T H_c g].
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import hessian
from egregium.landscape import Landscape
from egregium.operators import dense_matrix

#: Numbers of the Hessians of batches that are held at once.
HELD = 2**24


@dataclass(frozen=True, eq=False)
class Parts:
    """Gradients and dense Hessians of the parts of a loss at one point."""

    gradients: Float[Tensor, "B n"]
    hessians: Float[Tensor, "B n n"]

    @property
    def traces(self) -> Float[Tensor, " B"]:
        return self.hessians.diagonal(dim1=1, dim2=2).sum(1)

    @property
    def inner(self) -> Float[Tensor, "B B"]:
        """tr(H_b H_c)."""
        flat = self.hessians.flatten(1)
        return flat @ flat.T

    @property
    def pairs(self) -> Float[Tensor, "B B"]:
        """T(H_b, H_c)."""
        return torch.outer(self.traces, self.traces) - self.inner

    @property
    def size(self) -> float:
        """What a sum over pairs adds up, at the most: the measure of its rounding."""
        return float(self.traces.abs().max() ** 2 + self.inner.abs().max())

    def gradient(self, weights: Float[Tensor, " B"]) -> Float[Tensor, " n"]:
        """Of the loss with these weights."""
        return weights @ self.gradients

    def curvature_by_pairs(self, weights: Float[Tensor, " B"]) -> float:
        """R of the loss with these weights, by the sum over pairs."""
        g = self.gradient(weights)
        return sum_over_pairs(weights, self.pairs, self.traces, g, self.hessians @ g)

    def curvatures(self, weights: Float[Tensor, "D B"]) -> Float[Tensor, " D"]:
        """R of each of D losses, by the closed form from its own gradient and Hessian."""
        return torch.cat([_curvatures(chunk @ self.gradients, self._mixed(chunk)) for chunk in self._chunks(weights)])

    def _mixed(self, weights: Tensor) -> Tensor:
        return (weights @ self.hessians.flatten(1)).view(-1, *self.hessians.shape[1:])

    def _chunks(self, weights: Tensor) -> Iterator[Tensor]:
        yield from torch.split(weights, max(HELD // self.hessians[0].numel(), 1))


def parts_of(land: Landscape) -> Parts:
    """Those of a landscape's batches: n products for each."""
    gradients, hessians = zip(
        *((b.gradient(), dense_matrix(hessian(b), b.n)) for b in land.single_batches()), strict=True
    )
    return Parts(torch.stack(gradients), torch.stack(hessians))


def sum_over_pairs(
    weights: Float[Tensor, " B"],
    pairs: Float[Tensor, "B B"],
    traces: Float[Tensor, " B"],
    g: Float[Tensor, " n"],
    images: Float[Tensor, "B n"],
) -> float:
    """R of the mean loss from T(H_b, H_c), tr H_b, the mean's gradient and H_b g; the last two are linear in H_b."""
    beta = 1 / (1 + g @ g)
    of_gradient = images @ images.T - torch.outer(traces, images @ g)
    return float(beta * (weights @ pairs @ weights) + 2 * beta**2 * (weights @ of_gradient @ weights))


def expected_pair(pairs: Float[Tensor, "N N"], size: int) -> float:
    """E T(H_b, H_b) over batches of `size` of the N samples, drawn without replacement.

    T is bilinear, and `E H_b (x) H_b = H (x) H + (N - m) / (m (N - 1)) [mean_i H_i (x) H_i - H (x) H]`.
    """
    N, whole = len(pairs), float(pairs.mean())
    return whole + (N - size) / (size * (N - 1)) * (float(pairs.diagonal().mean()) - whole)


def _curvatures(g: Float[Tensor, "D n"], H: Float[Tensor, "D n n"]) -> Float[Tensor, " D"]:
    beta = 1 / (1 + g.square().sum(1))
    Hg = (H @ g.unsqueeze(2)).squeeze(2)
    t = H.diagonal(dim1=1, dim2=2).sum(1)
    at_rest = t**2 - H.square().sum((1, 2))
    return beta * at_rest + 2 * beta**2 * (Hg.square().sum(1) - t * (g * Hg).sum(1))

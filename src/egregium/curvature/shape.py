"""The shape operator of the loss graph, in a symmetric frame.

With `g = grad f`, `W = sqrt(1 + |g|^2)` and the metric `G = I + g g^T`, the shape operator in coordinates is
`G^-1 H / W`, which is not symmetric. In the frame `P = G^(-1/2) = I + (1/W - 1) u u^T`, `u = g / |g|`, it is

    S~ = P H P / W,

with the same eigenvalues: the principal curvatures. By Gauss, `R = (tr S~)^2 - tr S~^2`, without cancellation.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature.hessian import SecondDerivative, ggn, hessian
from egregium.errors import ArgumentError, LossError
from egregium.landscape import BatchLoss, Landscape
from egregium.landscape.data import not_finite_sample
from egregium.landscape.losses import Count
from egregium.operators import Congruence, Stretch, SymmetricOperator
from egregium.operators.inner import norm

OperatorName = Literal["hessian", "ggn"]


@dataclass(frozen=True, eq=False)
class TangentFrame:
    """First-order data of the graph at a point: loss f, gradient g (n,), W = sqrt(1 + |g|^2)."""

    loss: float
    gradient: Float[Tensor, " n"]
    gradient_norm: float

    @property
    def W(self) -> float:
        """The volume element sqrt(1 + |g|^2)."""
        return math.hypot(1.0, self.gradient_norm)

    def root(self) -> Stretch:
        """P = G^(-1/2), the symmetric frame; the identity where g = 0."""
        return Stretch(self.gradient, 1 / self.W)


def tangent_frame(land: Landscape) -> TangentFrame:
    """Loss and gradient at the point. Costs one gradient. Raises LossError where the gradient is not finite."""
    loss, gradient = land.value_and_gradient()
    if not bool(torch.isfinite(torch.stack(torch.aminmax(gradient))).all()):
        raise LossError(f"The gradient of the loss is not finite, though the loss is. {_not_finite_data(land)}")
    return TangentFrame(loss, gradient, norm(gradient))


def _not_finite_data(land: Landscape) -> str:
    """Where the data are not finite, as advice: a saturated loss may be finite all the same."""
    found: list[str] = []

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[tuple[Tensor, ...], Count]:
        sample = not_finite_sample(batch.batch)
        if sample is not None:
            found.append(f"Batch {batch.index} (counted from 0) is not finite at sample {sample}; mend or drop it.")
        return (), 1.0

    land.means(look)
    return found[0] if found else "Look for sqrt or log at 0."


def second_derivative(land: Landscape, operator: OperatorName = "hessian") -> SecondDerivative:
    """The matrix H named by `operator`: "hessian" or "ggn". Raises ArgumentError for any other name."""
    if operator not in ("hessian", "ggn"):
        raise ArgumentError(f'operator= must be "hessian" or "ggn", got {operator!r}.')
    return hessian(land) if operator == "hessian" else ggn(land)


def shape_operator(
    land: Landscape, *, operator: OperatorName = "hessian", frame: TangentFrame | None = None
) -> SymmetricOperator:
    """S~ = P H P / W at the point where the landscape is now; it stays at that point when the model trains on.

    Symmetric, its eigenvalues the n principal curvatures of the graph; a product costs one with H. `frame` saves the
    gradient where it is known already.

    >>> f = lambda x: -torch.sqrt(4 - x @ x)  # the lower half of a sphere of radius 2
    >>> S = shape_operator(Landscape.from_function(f, torch.tensor([1.0, 0.5], dtype=torch.float64)))
    >>> bool(torch.allclose(S @ torch.eye(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64) / 2, atol=1e-12))
    True
    """
    here = land.fixed()
    frame = tangent_frame(here) if frame is None else frame
    return Congruence(second_derivative(here, operator), frame.root(), 1 / frame.W)

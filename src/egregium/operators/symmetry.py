"""Whether a matrix that a user hands in is symmetric: what is estimated of it has no meaning otherwise."""

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.operators.base import SymmetricOperator
from egregium.operators.dense import Dense, Foreign
from egregium.operators.inner import dots, norm
from egregium.results.cost import Cost

#: Asymmetry that is refused, in square roots of the dtype's rounding, or of float32's: models compute parts in it.
SKEW = 10
#: Seed of the probe pair, and the power of the machine epsilon that is rounding: products in TF32 are 1e-3 off.
SEED, POWER = 0, 1 / 3


def refuse_asymmetric(op: SymmetricOperator) -> Cost:
    """Raise ArgumentError where a user's matrix is not symmetric to rounding; returns what it cost to look.

    A dense tensor is compared whole. A foreign operator is asked for two products: u.(A v) = v.(A u) for random u, v.
    Egregium's own operators are symmetric.
    """
    tolerance = torch.finfo(op.dtype).eps ** POWER
    if isinstance(op, Dense):
        off, size = (float(part.abs().max()) for part in (op.matrix - op.matrix.T, op.matrix))
        if off > tolerance * size:
            raise _asymmetric(f"its largest |A_ij - A_ji| is {off:.2g}, its largest entry {size:.2g}")
    elif isinstance(op, Foreign):
        draw = torch.Generator().manual_seed(SEED)
        pair = torch.randn(op.n, 2, generator=draw, dtype=torch.float64).to(op.device, op.dtype)
        images = op @ pair
        one, other = (
            float(dots(u.reshape(1, -1), w.reshape(1, -1))) for u, w in zip(pair.T, images.T.flip(0), strict=True)
        )
        if abs(one - other) > tolerance * max(norm(image) for image in images.T):
            raise _asymmetric(f"u.(A v) = {one:.6g} and v.(A u) = {other:.6g} for random u and v")
        return op.cost(2)
    return Cost()


def refuse_skew(corner: Float[Tensor, "k k"], dtype: torch.dtype) -> None:
    """Raise ArgumentError where a diagonal block of Q^T A Q, or of A, is not symmetric: a check that costs nothing."""
    skew, size = float(torch.linalg.matrix_norm(corner - corner.T)), float(torch.linalg.matrix_norm(corner))
    if skew > SKEW * max(torch.finfo(dtype).eps, torch.finfo(torch.float32).eps) ** 0.5 * size:
        raise ArgumentError(
            f"The operator is not symmetric: |B - B^T| is {skew / size:.2g} of |B| for a diagonal block B. Either "
            "a second derivative is wrong (a custom autograd.Function?), or the loss changes between passes."
        )


def _asymmetric(why: str) -> ArgumentError:
    return ArgumentError(
        f"The operator is not symmetric: {why}. Pass its symmetric part (A + A.T) / 2, which has the same trace "
        "and quadratic form."
    )

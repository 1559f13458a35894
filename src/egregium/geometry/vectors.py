"""Vectors of a tangent space, as they are given: checked, in the landscape's dtype and on its device."""

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.landscape import Landscape


def vector(land: Landscape, x: Float[Tensor, " n"], name: str) -> Float[Tensor, " n"]:
    """x for computing with. Raises ArgumentError unless it is a finite floating-point tensor of shape (n,)."""
    if not isinstance(x, Tensor) or x.shape != (land.n,) or not x.is_floating_point():
        came = f"{tuple(x.shape)} of {x.dtype}" if isinstance(x, Tensor) else type(x).__name__
        raise ArgumentError(
            f"{name} must be a floating-point tensor of shape ({land.n},), got {came}. land.flatten(tensors) makes one "
            "of tensors shaped like the parameters."
        )
    x = x.detach().to(land.device, land.dtype)
    if not bool(torch.isfinite(x).all()):
        raise ArgumentError(f"{name} must be finite; it holds inf or nan.")
    return x


def rows_of(land: Landscape, X: Float[Tensor, "n k"], name: str) -> Float[Tensor, "k n"]:
    """The columns of X, or X of shape (n,) as one, as rows for computing with. Raises ArgumentError as `vector`."""
    if not isinstance(X, Tensor) or X.ndim not in (1, 2) or X.shape[0] != land.n:
        came = str(tuple(X.shape)) if isinstance(X, Tensor) else type(X).__name__
        raise ArgumentError(f"{name} must be a tensor of shape ({land.n},) or ({land.n}, k), got {came}.")
    columns = X.unsqueeze(1) if X.ndim == 1 else X
    return torch.stack([vector(land, column, name) for column in columns.T]) if columns.shape[1] else columns.T

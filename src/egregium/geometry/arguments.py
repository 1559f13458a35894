"""Arguments as they are given, checked once: landscapes, vectors of a tangent space, counts and sizes."""

import operator
from numbers import Real
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.landscape import Landscape


def landscape(land: Any) -> Landscape:
    """`land` itself. Raises ArgumentError where it is none."""
    if not isinstance(land, Landscape):
        raise ArgumentError(
            f"Geometry needs a Landscape, got {type(land).__name__}. Make one: eg.Landscape(model, loss, data), or "
            "eg.Landscape.from_function(f, theta)."
        )
    return land


def vector(land: Landscape, x: Any, name: str) -> Float[Tensor, " n"]:
    """x for computing with. Raises ArgumentError unless it is a finite floating-point tensor of shape (n,)."""
    if not isinstance(x, Tensor) or x.shape != (land.n,) or not x.is_floating_point():
        came = f"{tuple(x.shape)} of {x.dtype}" if isinstance(x, Tensor) else type(x).__name__
        raise ArgumentError(
            f"{name} must be a floating-point tensor of shape ({land.n},), got {came}. land.flatten(tensors) makes one "
            "of tensors shaped like the parameters."
        )
    here: Tensor = x.detach().to(land.device, land.dtype)
    if not bool(torch.isfinite(here).all()):
        raise ArgumentError(f"{name} must be finite; it holds inf or nan.")
    return here


def rows_of(land: Landscape, X: Any, name: str) -> Float[Tensor, "k n"]:
    """The columns of X, or X of shape (n,) as one, as rows for computing with. Raises ArgumentError as `vector`."""
    if not isinstance(X, Tensor) or X.ndim not in (1, 2) or X.shape[0] != land.n:
        came = str(tuple(X.shape)) if isinstance(X, Tensor) else type(X).__name__
        raise ArgumentError(f"{name} must be a tensor of shape ({land.n},) or ({land.n}, k), got {came}.")
    columns = X.unsqueeze(1) if X.ndim == 1 else X
    if not columns.shape[1]:
        return torch.empty(0, land.n, dtype=land.dtype, device=land.device)
    return torch.stack([vector(land, column, name) for column in columns.T])


def whole(value: Any, least: int, name: str) -> int:
    """`value` as an int. Raises ArgumentError unless it is a whole number of at least `least`."""
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ArgumentError(f"{name} must be an integer of at least {least}, got {value!r}.")
    return number


def positive(value: Any, name: str, below: float = float("inf"), hint: str = "") -> float:
    """`value` as a float. Raises ArgumentError unless 0 < value < below."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < below:
        most = " and finite" if below == float("inf") else f" and below {below:g}"
        raise ArgumentError(f"{name} must be positive{most}, got {value!r}.{hint}")
    return float(value)


def orthonormal_columns(A: Float[Tensor, "n k"]) -> tuple[Float[Tensor, "n k"], Float[Tensor, "k k"]]:
    """Q and R of A = Q R, for half precision by way of float32: torch has no QR for it."""
    wide = A.float() if A.dtype in (torch.float16, torch.bfloat16) else A
    Q, R = torch.linalg.qr(wide)
    return Q.to(A.dtype), R

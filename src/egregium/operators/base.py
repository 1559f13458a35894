"""The core abstraction: a real symmetric matrix that is known only by its products with blocks of vectors.

Traces, spectra, curvature and geometry stand on these few lines. An operator has a size, a dtype, a
device and one abstract method, `matmat`; everything else is said in terms of it.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError, ArithmeticalError
from egregium.results.cost import Cost


class SymmetricOperator(ABC):
    """A real symmetric (n x n) matrix A, given by the map V -> A V.

    Attributes: `n` (rows), `dtype` and `device` (of the vectors it takes and returns).
    Subclasses implement `matmat` and are final; algorithms use `op @ v` and `op @ V`.
    """

    n: int
    dtype: torch.dtype
    device: torch.device

    @abstractmethod
    def matmat(self, V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """The block of products A V, for V of shape (n, k)."""

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return self.n, self.n

    def cost(self, k: int) -> Cost:
        """What a product with a block of k vectors costs, counted and not timed."""
        return Cost(products=k)

    def __matmul__(self, V: Tensor) -> Tensor:
        """A v for v of shape (n,), or A V for V of shape (n, k); same shape, dtype and device out, autocast or not.

        Raises ArgumentError where shape, dtype or device do not fit, ArithmeticalError where the product is not finite.
        """
        if not isinstance(V, Tensor):
            raise ArgumentError(f"{type(self).__name__} @ X needs a tensor X, got {type(V).__name__}.")
        if V.ndim not in (1, 2) or V.shape[0] != self.n:
            hint = " Did you mean X.T?" if V.ndim == 2 and V.shape[1] == self.n else ""
            raise ArgumentError(
                f"{type(self).__name__} @ X needs X of shape ({self.n},) or ({self.n}, k), got {tuple(V.shape)}.{hint}"
            )
        if V.dtype != self.dtype or V.device != self.device:
            raise ArgumentError(
                f"{type(self).__name__} @ X needs X of dtype {self.dtype} on {self.device}, got {V.dtype} on "
                f"{V.device}. Use X.to(device, dtype)."
            )
        with torch.autocast(self.device.type, enabled=False):
            product = self.matmat(V.unsqueeze(1)).squeeze(1) if V.ndim == 1 else self.matmat(V)
        if product.data_ptr() == V.data_ptr():  # callers work in place on what they get
            product = product.clone()
        rows = product.mT if product.ndim == 2 and product.mT.is_contiguous() else product  # 6 to 10 times as fast
        if product.numel() and not bool(torch.isfinite(torch.stack(torch.aminmax(rows))).all()):
            raise ArithmeticalError(
                f"{type(self).__name__} @ X is not finite. Either the second derivative does not exist at this point "
                f"(sqrt, log or a power at 0?), or it overflows {self.dtype}. Move the point, or rescale f."
            )
        return product

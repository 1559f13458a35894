"""Eigenvalues of a landscape's Hessian: all of them where they are few, and the nuclear norm where they are not."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import hessian
from egregium.landscape import Landscape
from egregium.measurement import nuclear_norm
from egregium.operators import dense_matrix
from egregium.results import Estimate

#: Parameters up to which all eigenvalues are taken in place of Lanczos runs.
FEW = 64


@dataclass(frozen=True)
class Sampled:
    """A number with how far it may be off."""

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The eigenvalues of a symmetric matrix H, ascending, and the sums over them."""

    values: Float[Tensor, " n"]

    @property
    def trace(self) -> float:
        """tr H."""
        return float(self.values.sum())

    @property
    def squared_frobenius(self) -> float:
        """|H|_F^2."""
        return float(self.values.square().sum())

    @property
    def nuclear(self) -> float:
        """|H|_*, the sum of the absolute eigenvalues."""
        return float(self.values.abs().sum())

    @property
    def spectral(self) -> float:
        """|H|_2, the largest absolute eigenvalue."""
        return float(self.values.abs().max())

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue."""
        return float(self.values[0])

    @property
    def rounding(self) -> float:
        """How far an eigenvalue may be off: n roundings of the largest one."""
        return self.values.numel() * torch.finfo(self.values.dtype).eps * self.spectral

    @property
    def semidefinite(self) -> bool:
        """Whether all eigenvalues have one sign, up to rounding."""
        return self.smallest >= -self.rounding or float(self.values[-1]) <= self.rounding

    @property
    def at_rest(self) -> float:
        """(tr H)^2 - |H|_F^2, twice the sum of the products of two eigenvalues: R where the gradient is 0."""
        return self.trace**2 - self.squared_frobenius

    @property
    def size(self) -> float:
        """(tr H)^2 + |H|_F^2, by which rounding of their difference is measured."""
        return self.trace**2 + self.squared_frobenius


def spectrum(land: Landscape) -> Spectrum:
    """By n products and a dense eigendecomposition."""
    return Spectrum(torch.linalg.eigvalsh(dense_matrix(hessian(land))))


def departure_bound(gradient_norm: float, s: Spectrum) -> float:
    """The most that R may differ from (tr H)^2 - |H|_F^2 at a gradient of this length.

    R - (t^2 - F) = -beta |g|^2 (t^2 - F) + 2 beta^2 (|H g|^2 - t g^T H g), beta <= 1, and H stretches g by no more than
    its spectral norm.
    """
    return gradient_norm**2 * (abs(s.at_rest) + 2 * s.spectral * (s.spectral + abs(s.trace)))


def excess(land: Landscape, probes: int, steps: int, confidence: float, seed: int) -> Sampled:
    """|H|_* - tr H, twice the sum of the absolute negative eigenvalues; 0 at a minimum.

    As the nuclear norm of a matrix of known trace: what is sampled is the negative part alone.
    """
    if land.n <= FEW:
        s = spectrum(land)
        return Sampled(s.nuclear - s.trace, s.values.numel() * s.rounding)
    known = Estimate(0.0, 0.0)  # of |H| - H then
    e = nuclear_norm(land, trace=known, probes=probes, steps=steps, confidence=confidence, seed=seed)
    return Sampled(e.value, e.half_width())

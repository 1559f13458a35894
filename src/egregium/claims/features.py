"""Least squares on random features: the effective rank of the Hessian at any width, in closed form.

A linear model `a . phi(x) / sqrt(w)` on w independent random features has `H = (2 / N w) Phi^T Phi` at every point,
with the nonzero spectrum of the Gram matrix `K_w = Phi Phi^T / w`, a mean of w independent terms that tends to the
kernel `K(x, x') = E phi(x) phi(x')`. So for every w, exactly,

    E |K_w|_F^2 = |K|_F^2 + (Q - |K|_F^2) / w,    E (tr K_w)^2 = (tr K)^2 + (Q - (tr K)^2) / w,    Q = E |phi|^4,

|phi|^2 the sum of one feature's squares over the samples.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from egregium.landscape import Landscape

DOUBLE = torch.float64

#: Length of the Gaussian kernel: 2^(-d/2) is the mean of its square over pairs of N(0, I_d).
LENGTH = 2.0


@dataclass(frozen=True)
class Moments:
    """What the features of N samples have for means, over features and, where they are random, over the samples.

    Attributes:
        square: |K|_F^2 / N^2. trace: tr K / N. fourth: Q / N^2.
    """

    square: float
    trace: float
    fourth: float

    def inverse_rank(self, width: float = math.inf) -> float:
        """E |H|_F^2 / E (tr H)^2 at a width: that of the kernel, and what 1/w adds to either mean.

        >>> Moments(square=0.25, trace=1.0, fourth=1.0).inverse_rank(1), Moments(0.25, 1.0, 1.0).inverse_rank()
        (1.0, 0.25)
        """
        square = self.square + (self.fourth - self.square) / width
        return square / (self.trace**2 + (self.fourth - self.trace**2) / width)


def relu_features(x: Float[Tensor, "N d"], width: int, draw: torch.Generator) -> Float[Tensor, "N w"]:
    """max(u . x, 0) for directions u from N(0, I)."""
    return torch.relu(x @ torch.randn(x.shape[1], width, generator=draw, dtype=DOUBLE))


def relu_moments(x: Float[Tensor, "N d"]) -> Moments:
    """The arc-cosine kernels of degree 1 and 2 (Y. Cho, L. Saul, NIPS 2009), halved."""
    norms = x.norm(dim=1)
    sizes = torch.outer(norms, norms)
    cosine = (x @ x.T / sizes).clamp(-1, 1)
    cosine.fill_diagonal_(1.0)
    sine, angle = (1 - cosine**2).sqrt(), torch.arccos(cosine)
    kernel = sizes * (sine + (math.pi - angle) * cosine) / (2 * math.pi)
    fourth = sizes**2 * (3 * sine * cosine + (math.pi - angle) * (1 + 2 * cosine**2)) / (2 * math.pi)
    return Moments(float(kernel.square().mean()), float(kernel.diagonal().mean()), float(fourth.mean()))


def fourier_features(samples: int, dimension: int, width: int, draw: torch.Generator) -> Float[Tensor, "N w"]:
    """sqrt(2) cos(u . x / LENGTH + b) of samples from N(0, I_d), u from N(0, I), b uniform on the circle."""
    x, u = (torch.randn(rows, dimension, generator=draw, dtype=DOUBLE) for rows in (samples, width))
    b = 2 * math.pi * torch.rand(width, generator=draw, dtype=DOUBLE)
    return math.sqrt(2) * torch.cos(x @ u.T / LENGTH + b)


def fourier_moments(samples: int, dimension: int) -> Moments:
    """The Gaussian kernel exp(-|x - x'|^2 / 2 LENGTH^2) (A. Rahimi, B. Recht, NIPS 2007), samples averaged over too.

    Of the N^2 pairs N are of a sample with itself: K = 1, E phi^4 = 3/2. Of the others E phi^2 phi'^2 = 1 + K^4 / 2,
    and `E exp(-s |x - x'|^2) = (1 + 4 s)^(-d/2)`.
    """
    alone = 1 / samples
    second, fourth = ((1 + 4 * s / LENGTH**2) ** (-dimension / 2) for s in (1, 2))
    return Moments(alone + (1 - alone) * second, 1.0, 1.5 * alone + (1 - alone) * (1 + fourth / 2))


def least_squares(phi: Float[Tensor, "N w"], draw: torch.Generator) -> Landscape:
    """The mean square error of a linear model on these features, at a minimum: the targets are what it puts out."""
    phi = phi / math.sqrt(phi.shape[1])
    model = nn.Linear(phi.shape[1], 1, bias=False, device="meta", dtype=DOUBLE)  # draws nothing
    model.weight = nn.Parameter(torch.randn(1, phi.shape[1], generator=draw, dtype=DOUBLE))
    targets = model(phi).detach()
    return Landscape(model, nn.MSELoss(), (phi, targets))

"""Symmetric matrices with known spectra in a random orthonormal basis, for the tests of the estimators."""

import torch
from torch import Tensor

N = 200


def spectrum(kind: str, n: int = N) -> Tensor:
    """(n,) eigenvalues: network-like (outliers, a tail of both signs), decaying, flat, ..."""
    i = torch.arange(1, n + 1, dtype=torch.float64)
    tail = 3 / i * torch.where(i % 3 == 0, -1.0, 1.0)
    kinds = {
        "network": torch.where(i <= 10, 13.0 - i, tail),
        "decay": 1 / i,
        "flat": torch.ones(n, dtype=torch.float64),
        "traceless": torch.where(i % 2 == 0, 1.0, -1.0).double(),
        "huge": torch.where(i == 1, 1000.0, 1.0).double(),
        # as of an untrained network: |A|_F^2 far above (tr A)^2, which is not 0
        "both signs": 0.7 * torch.exp(-i / 60) * torch.where(i % 2 == 0, -1.0, 1.0) + 0.006,
        "rank 3": torch.where(i <= 3, i, torch.zeros(())),
    }
    return kinds[kind]


def matrix(kind: str, n: int = N, seed: int = 0) -> Tensor:
    """The matrix Q diag(spectrum) Q^T for a random rotation Q."""
    generator = torch.Generator().manual_seed(seed)
    rotation = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64))[0]
    product = rotation * spectrum(kind, n) @ rotation.T
    return (product + product.T) / 2


def scalar(A: Tensor) -> float:
    """(tr A)^2 - |A|_F^2."""
    return float(A.trace() ** 2 - (A**2).sum())

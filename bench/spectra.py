"""Matrices of known spectrum, on which intervals are put to the test."""

import torch
from torch import Tensor

SIZE, SEED = 400, 20_230_704


def spectra() -> dict[str, Tensor]:
    """(SIZE,) eigenvalues by name."""
    g = torch.Generator().manual_seed(SEED)
    normal = torch.randn(SIZE, generator=g, dtype=torch.float64)
    uniform = torch.rand(SIZE, generator=g, dtype=torch.float64)
    index = torch.arange(1, SIZE + 1, dtype=torch.float64)
    network, huge, signs = 0.02 * normal, 0.1 * uniform, torch.ones(SIZE, dtype=torch.float64)
    network[:10] = torch.logspace(1, 0, 10, dtype=torch.float64)
    huge[0], signs[::2] = 100.0, -1.0
    return {
        "ten outliers 10 to 1, bulk 0.02 N(0, 1)": network,
        "power law 1/i": 1 / index,
        "flat, uniform on [0.5, 1.5]": 0.5 + uniform,
        "traceless, half 1 and half -1": signs,
        "both signs, 0.7 exp(-i/60) in turn, + 0.006": 0.7 * torch.exp(-index / 60) * -torch.cos(torch.pi * index)
        + 0.006,
        "one of 100, others uniform on [0, 0.1]": huge,
    }


def matrix(eigenvalues: Tensor) -> Tensor:
    """A symmetric (n, n) matrix with these eigenvalues and eigenvectors drawn uniformly, always the same ones."""
    n = eigenvalues.numel()
    Q, upper = torch.linalg.qr(torch.randn(n, n, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64))
    Q = Q * upper.diagonal().sign()
    A = Q @ (eigenvalues.unsqueeze(1) * Q.T)
    return (A + A.T) / 2


def gauss(eigenvalues: Tensor) -> float:
    """(tr A)^2 - |A|_F^2, what scalar curvature is of a shape operator."""
    return float(eigenvalues.sum() ** 2 - (eigenvalues**2).sum())

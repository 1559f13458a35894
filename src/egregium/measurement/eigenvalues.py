"""All eigenvalues of the Gauss-Newton matrix, by its dual."""

import time
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.diagnostics import refuse_changing_loss
from egregium.estimators.moments import ROUNDINGS
from egregium.landscape import Landscape
from egregium.measurement.dual import dual, rows_of
from egregium.measurement.memory import Memory
from egregium.measurement.precision import in_full_precision
from egregium.measurement.preparation import COMPARISON
from egregium.measurement.subject import notes_of
from egregium.results import DualSpectrum

#: Matrices as large as M that are held at once: with its eigenvectors and what LAPACK works in.
MATRICES = 4


@in_full_precision
def dual_spectrum(land: Landscape, *, memory: Memory = None) -> DualSpectrum:
    """All eigenvalues of the Gauss-Newton matrix G = (1/N) sum_i J_i^T L_i J_i, from one as large as the data.

    With L_i = sum_k s_k b_k b_k^T, the rows of Z being sqrt|s_k| J_i^T b_k and S the signs of s, G = Z^T S Z / N: those
    eigenvalues that are not zero are those of M = Z Z^T / N, or where L is indefinite of m^(1/2) V^T S V m^(1/2),
    M = V m V^T. M is a sum over layers of products of the inner products of inputs and of output gradients.
    A weight decay that is one number for all parameters is added to each eigenvalue.

    Cost: a forward pass and a backward pass for each of the rows of a sample, at most K, the numbers it puts out (less
    one for cross-entropy); for R rows O(R^2) inner products a layer and O(R^3) for the eigenvalues: minutes for 10,000.
    Memory: up to 4 R^2 numbers of 8 bytes, and for each sample the inputs and K output gradients of each layer; never
    the (R x n) gradients. Raises ArgumentError where a parameter is in no layer that is known (dense, convolution,
    embedding, norm, PReLU; each used once), OutOfMemoryError with what would be needed, LossError where the loss
    changes. Without the eigenvalues, R, trace and norm take no R^2 numbers: `scalar_curvature(method="dual",
    operator="ggn")`.
    Source: the Gram matrix of F. Dangel, L. Tatzel, P. Hennig, ViViT, arXiv 2106.02624.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False, dtype=torch.float64)
    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    >>> found = dual_spectrum(Landscape(model, torch.nn.MSELoss(), (x, x[:, :1])))
    >>> [round(value, 9) for value in found.eigenvalues.tolist()], found.rank  # of the mean of 2 x x^T
    ([4.0, 1.0], 2)
    """
    started = time.perf_counter()
    here = land.fixed()
    refuse_changing_loss(here)
    plan = dual(here, "ggn", memory, matrices=MATRICES)
    Z = rows_of(here, plan)
    values, rank = torch.empty(0, dtype=torch.float64), 0
    if Z.pieces and (signs := Z.signs).numel():
        M = Z.matrix()
        row = ROUNDINGS * torch.finfo(here.dtype).eps  # the share of its length by which a row is off
        rounding = float(M.diagonal().sum()) * row**2
        del Z
        values = _pencil(M, signs)
        rounding += torch.finfo(torch.float64).eps * len(signs) * float(values.abs().max())
        rank = int((values.abs() > rounding).sum())
    most = values.abs().argsort(descending=True)[: here.n]
    values = values[most].sort(descending=True).values.cpu()
    of_all, others = values + plan.decay, here.n - values.numel()
    return DualSpectrum(
        of_all,
        plan.decay,
        trace=float(of_all.sum()) + others * plan.decay,
        squared_frobenius=float(of_all.square().sum()) + others * plan.decay**2,
        nuclear_norm=float(of_all.abs().sum()) + others * plan.decay,
        rank=min(rank, here.n),
        n=here.n,
        cost=replace(plan.cost + COMPARISON, seconds=time.perf_counter() - started),
        method=plan.words,
        notes=notes_of(land),
    )


def _pencil(M: Float[Tensor, "r r"], signs: Float[Tensor, " r"]) -> Float[Tensor, " r"]:
    """Eigenvalues of S M, for M >= 0 given by its lower half: real, though S M is not symmetric."""
    definite = bool((signs == signs[0]).all())
    if not definite:
        m, V = torch.linalg.eigh(M)
        V.mul_(m.clamp_(min=0).sqrt_())  # in place: M is as large as memory allows
        M = V.T @ (V * signs.unsqueeze(1))
    values: Tensor = torch.linalg.eigvalsh(M)
    return values * signs[0] if definite else values

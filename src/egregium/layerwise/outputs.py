"""The Hessian of the loss in the outputs of each sample, of any loss that is a sum over samples."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.autodiff import gradient

#: Roundings of the largest eigenvalue of L below which one is none: the null vector of a cross-entropy.
LOST = 8


@dataclass(frozen=True, eq=False)
class OutputCurvature:
    """The loss at fixed outputs z (N, ...): slopes dl/dz with a graph, so that products L w can be taken."""

    z: Tensor
    slopes: Tensor

    @property
    def width(self) -> int:
        """K, the numbers that a sample puts out."""
        return self.z[0].numel()

    def product(self, w: Tensor) -> Tensor:
        """L w, for w shaped like z; zeros where the loss is affine."""
        if not self.slopes.requires_grad:
            return torch.zeros_like(self.z)
        (Lw,) = torch.autograd.grad(self.slopes, [self.z], w, retain_graph=True, materialize_grads=True)
        return Lw

    def blocks(self) -> Float[Tensor, "N K K"]:
        """L of each sample: K products."""
        N, K = self.z.shape[0], self.width
        L = self.z.new_empty(N, K, K)
        for k in range(K):
            w = torch.zeros_like(self.z).view(N, K)
            w[:, k] = 1
            L[:, k] = self.product(w.view_as(self.z)).reshape(N, K)
        return (L + L.transpose(1, 2)).div_(2)

    def factors(self) -> tuple[Float[Tensor, "K N K"], Float[Tensor, "K N"]]:
        """Vectors b_k and numbers s_k of each sample, `L = sum_k s_k b_k b_k^T`, without those that vanish for all.

        Cholesky's columns, ten times as fast as eigenvectors; these where L is not positive definite, roundings of its
        largest entry added to the diagonal.
        """
        L = self.blocks().double()
        lost = LOST * torch.finfo(L.dtype).eps
        size = L.diagonal(dim1=1, dim2=2).abs().amax(1)
        vectors, failed = torch.linalg.cholesky_ex(L + torch.diag_embed((lost * size).unsqueeze(1).expand(L.shape[:2])))
        numbers = torch.ones_like(vectors[:, 0])
        bad = (failed > 0).nonzero().squeeze(1)
        if len(bad):
            numbers[bad], vectors[bad] = torch.linalg.eigh(L[bad])
        sizes = (numbers * vectors.square().sum(1)).abs().amax(0)
        live = sizes > 4 * lost * sizes.max()
        return vectors.permute(2, 0, 1)[live].to(self.z.dtype), numbers.T[live]

    def columns(self) -> tuple[Float[Tensor, "K N K"], Float[Tensor, "K N"]]:
        """Any such vectors and numbers, the fastest: `b_k = sqrt(p_k) (e_k - p)` where L is a cross-entropy's.

        That is K where `factors` has K - 1, but needs neither Cholesky nor, for confident samples, eigenvectors.
        """
        z = self.z.detach()
        c = _entropic(z, self.blocks())
        if c is None:
            return self.factors()
        p = z.reshape(len(z), -1).softmax(1).T
        unit = torch.eye(len(p), dtype=p.dtype, device=p.device).unsqueeze(1)
        return p.sqrt().unsqueeze(2) * (unit - p.T), c.expand(p.shape)


def output_curvature(criterion: Callable[[Any], tuple[Tensor, Any]], output: Tensor) -> OutputCurvature:
    """The loss's slopes at this output, cut from the model."""
    z = output.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
    total, _ = criterion(z)
    (slopes,) = gradient(total, [z], create_graph=True)
    return OutputCurvature(z, slopes)


def precise_output_curvature(criterion: Callable[[Any], tuple[Tensor, Any]], output: Tensor) -> OutputCurvature:
    """The same in float64, where the loss takes it: what is left of L for a confident sample is a small difference."""
    if output.dtype != torch.float64:
        with suppress(Exception):  # class weights in float32, say: whatever is wrong, it is not said of this try
            return output_curvature(criterion, output.detach().double())
    return output_curvature(criterion, output)


def _entropic(z: Tensor, L: Float[Tensor, "N K K"]) -> Float[Tensor, " N"] | None:
    """c of each sample where L = c (diag p - p p^T), p the softmax of its outputs, for all; None where it is not.

    A cross-entropy with whatever weights, smoothing or soft targets: found by its numbers, to rounding in float64.
    L is overwritten.
    """
    if z.dtype != torch.float64 or not z.numel():
        return None
    p = z.reshape(len(z), -1).softmax(1)
    M = -p.unsqueeze(2) * p.unsqueeze(1)
    M.diagonal(dim1=1, dim2=2).add_(p)
    size = torch.linalg.vecdot(M.flatten(1), M.flatten(1)).clamp_(min=torch.finfo(z.dtype).tiny)
    c = torch.linalg.vecdot(L.flatten(1), M.flatten(1)) / size
    off = L.sub_(M.mul_(c.view(-1, 1, 1))).abs_().amax((1, 2))
    fits = bool(c.any()) and bool((off <= LOST * torch.finfo(z.dtype).eps * c.abs().max()).all())
    return c if fits else None

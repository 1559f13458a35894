"""The works that are timed: products as a user pays for them, and bare calls of torch.autograd beside them."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

import egregium as eg
from bench.networks import Case
from bench.timing import Work

#: Vectors in a block.
BLOCK = 16


def works(case: Case) -> dict[str, Work]:
    """gradient, hessian and ggn through the public path; bare_gradient and bare_hessian by torch.autograd alone."""
    model, x, y = case.built()
    parameters = list(model.parameters())
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (x, y))
    V = torch.randn(land.n, BLOCK, generator=torch.Generator().manual_seed(0))
    H, G = eg.hessian(land), eg.ggn(land)
    shapes = [p.shape for p in parameters]
    rows = [[part.view(s) for part, s in zip(v.split([s.numel() for s in shapes]), shapes, strict=True)] for v in V.T]

    def loss() -> Tensor:
        return F.cross_entropy(model(x), y)

    return {
        "gradient": land.gradient,
        "hessian": lambda: H @ V,
        "bare_gradient": lambda: torch.autograd.grad(loss(), parameters),
        "bare_hessian": lambda: _bare_products(loss, parameters, rows),
        "ggn": lambda: G @ V,
    }


def _bare_products(loss: Work, parameters: Sequence[Tensor], rows: Sequence[Sequence[Tensor]]) -> None:
    """H v for each row by one reverse pass through the gradient's graph; nothing is kept or put together."""
    with sdpa_kernel(SDPBackend.MATH):  # the fused kernel has no second derivative on the CPU
        slopes = torch.autograd.grad(loss(), parameters, create_graph=True)
        for row in rows:
            torch.autograd.grad(slopes, parameters, row, retain_graph=True)

"""The geometry of a graph by brute force: tensors by differentiating the metric, for tests and teaching.

Nothing of the closed forms that the rest of `egregium.geometry` uses is in here but the metric itself. Index order:
`christoffel[i, k, l]` is Gamma^i_kl, `riemann[i, k, l, m]` is R^i_klm, `lowered[i, k, l, m]` is R_iklm.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import grad, jacfwd

from egregium.errors import ArgumentError

#: A loss of a vector, in torch operations.
Function = Callable[[Tensor], Tensor]
#: The most dimensions: the Riemann tensor has n^4 numbers.
MOST = 32


@dataclass(frozen=True, eq=False)
class Tensors:
    """All tensors of the metric at a point, dense.

    Attributes:
        metric, inverse: (n, n), I + g g^T and its inverse by a solver.
        christoffel: (n, n, n), Gamma^i_kl.
        riemann, lowered: (n, n, n, n), R^i_klm and R_iklm.
        ricci: (n, n), Ric_km = R^i_kim.
        scalar_curvature: metric^km Ric_km.
    """

    metric: Float[Tensor, "n n"]
    inverse: Float[Tensor, "n n"]
    christoffel: Float[Tensor, "n n n"]
    riemann: Float[Tensor, "n n n n"]
    lowered: Float[Tensor, "n n n n"]
    ricci: Float[Tensor, "n n"]
    scalar_curvature: float

    def sectional_curvature(self, x: Float[Tensor, " n"], y: Float[Tensor, " n"]) -> float:
        """R_iklm x^i y^k x^l y^m / (|x|^2 |y|^2 - <x, y>^2)."""
        above = torch.einsum("iklm,i,k,l,m->", self.lowered, x, y, x, y)
        G = self.metric
        return float(above / ((x @ G @ x) * (y @ G @ y) - (x @ G @ y) ** 2))


def tensors(f: Function, x: Float[Tensor, " n"], flat: Float[Tensor, "n n"] | None = None) -> Tensors:
    """All tensors of the graph of f at x, by forward differentiation of the metric.

    `flat` is the constant metric of the parameters, in the place of I: A^-T A^-1 in coordinates v = A theta.

        Gamma^i_kl = G^ij (d_k G_jl + d_l G_jk - d_j G_kl) / 2
        R^i_klm    = d_l Gamma^i_km - d_m Gamma^i_kl + Gamma^i_pl Gamma^p_km - Gamma^i_pm Gamma^p_kl

    O(n^4) numbers and fourth derivatives of f: raises ArgumentError above 32 dimensions, or where x is no vector.

    >>> T = tensors(lambda x: -torch.sqrt(4 - x @ x), torch.tensor([1.0, 0.5, 0.2], dtype=torch.float64))
    >>> round(T.scalar_curvature, 9)  # n (n - 1) / r^2 on a sphere of radius 2
    1.5
    >>> A = torch.tensor([2.0, 3.0, 0.5], dtype=torch.float64)  # and in coordinates v = A x, its metric with them
    >>> f = lambda v: -torch.sqrt(4 - (v / A).square().sum())
    >>> round(tensors(f, A * torch.tensor([1.0, 0.5, 0.2], dtype=torch.float64), (A**-2).diag()).scalar_curvature, 9)
    1.5
    """
    if not isinstance(x, Tensor) or x.ndim != 1 or not x.is_floating_point() or not 1 <= x.numel() <= MOST:
        came = str(tuple(x.shape)) if isinstance(x, Tensor) else type(x).__name__
        raise ArgumentError(f"The reference needs a floating-point vector of 1 to {MOST} numbers, got {came}.")
    G, inverse = metric(f, x, flat), torch.linalg.inv(metric(f, x, flat))
    Gamma = christoffel(f, x, flat)
    d = jacfwd(lambda y: christoffel(f, y, flat))(x)  # d[i, k, m, l] = d_l Gamma^i_km
    quadratic = torch.einsum("ipl,pkm->iklm", Gamma, Gamma)
    R = d.permute(0, 1, 3, 2) - d + quadratic - quadratic.permute(0, 1, 3, 2)
    Ric = torch.einsum("ikim->km", R)
    return Tensors(
        G, inverse, Gamma, R, torch.einsum("ij,jklm->iklm", G, R), Ric, float(torch.einsum("km,km->", inverse, Ric))
    )


def metric(f: Function, x: Float[Tensor, " n"], flat: Float[Tensor, "n n"] | None = None) -> Float[Tensor, "n n"]:
    """G = I + g g^T, the pullback of R^(n+1)'s metric by x -> (x, f(x)); `flat` in the place of I.

    >>> metric(lambda x: 3 * x[0], torch.zeros(2))
    tensor([[10.,  0.],
            [ 0.,  1.]])
    """
    g = grad(f)(x)
    return (torch.eye(len(x), dtype=x.dtype, device=x.device) if flat is None else flat) + torch.outer(g, g)


def christoffel(
    f: Function, x: Float[Tensor, " n"], flat: Float[Tensor, "n n"] | None = None
) -> Float[Tensor, "n n n"]:
    """Gamma^i_kl by derivatives of the metric.

    >>> christoffel(lambda x: x[0] ** 2 / 2, torch.ones(1))  # x / (1 + x^2)
    tensor([[[0.5000]]])
    """
    d = jacfwd(lambda y: metric(f, y, flat))(x)  # d[j, l, k] = d_k G_jl
    first = d.permute(0, 2, 1) + d - d.permute(2, 0, 1)  # [j, k, l]
    return torch.einsum("ij,jkl->ikl", torch.linalg.inv(metric(f, x, flat)), first) / 2

"""Gradient and Hessian at a point as dense arrays, in other coordinates and with other metrics."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import hessian
from egregium.landscape import Landscape
from egregium.operators import dense_matrix


@dataclass(frozen=True, eq=False)
class Point:
    """g (n,) and H (n, n) of a function of n numbers at a point."""

    gradient: Float[Tensor, " n"]
    hessian: Float[Tensor, "n n"]

    def transformed(self, A: Float[Tensor, " n"]) -> "Point":
        """Of the same function in coordinates v = A theta, A diagonal: A^-1 g and A^-1 H A^-1."""
        return Point(self.gradient / A, self.hessian / torch.outer(A, A))

    def apart(self, other: "Point") -> tuple[float, float]:
        """How far gradient and Hessian are from another's, relative to the size of those of the other."""
        pairs = ((self.gradient, other.gradient), (self.hessian, other.hessian))
        g, H = (float((mine - theirs).norm() / theirs.norm()) for mine, theirs in pairs)
        return g, H

    def measures(self) -> dict[str, float]:
        """The measures of flatness, by name; R that of the graph."""
        values = torch.linalg.eigvalsh(self.hessian)
        t, F = float(values.sum()), float(values.square().sum())
        return {
            "R": curvature(self).value,
            "tr H": t,
            "|H|_F": math.sqrt(F),
            "λ_max": float(values[-1]),
            "|H|_*": float(values.abs().sum()),
            "effective rank": t**2 / F,
            "|g|": float(self.gradient.norm()),
        }


@dataclass(frozen=True)
class Curvature:
    """R = (tr S)^2 - tr S^2, and the sum of the sizes of the two terms, by which its rounding is measured."""

    value: float
    size: float


def curvature(point: Point, A: Float[Tensor, " n"] | None = None) -> Curvature:
    """R of the graph in coordinates v = A theta, for the metric G = A^-2 + g g^T that is pulled back to them.

    G is the metric that the graph {(v, f)} has in R^(n+1) with the constant, so flat, metric A^-2 + df^2. A unit normal
    in that is (-A^2 g, 1) / W, W^2 = 1 + g^T A^2 g; the second fundamental form is h = H / W and the shape operator
    S = G^-1 h. By Gauss R = (tr S)^2 - tr S^2. A = 1 where none is given: the metric I + g g^T of the graph of f(v).
    """
    g, H = point.gradient, point.hessian
    squares = torch.ones_like(g) if A is None else A.square()
    W = (1 + g @ (squares * g)).sqrt()
    S = torch.linalg.solve(torch.diag(1 / squares) + torch.outer(g, g), H / W)
    t, F = float(S.trace()), float((S * S.T).sum())
    return Curvature(t**2 - F, t**2 + abs(F))


def point_of(land: Landscape) -> Point:
    """By one gradient and n products with H."""
    return Point(land.gradient(), dense_matrix(hessian(land)))

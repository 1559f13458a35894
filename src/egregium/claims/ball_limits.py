"""Balls of C5 that the library's Jacobi fields have no part in, and balls that the expansion does not fit."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from egregium.claims.surfaces import DOUBLE, Surface

#: Step of the finite differences of the exponential map, and of RK4 along a geodesic.
STEP, STEPS = 1e-4, 12


def exponential(A: Tensor, start: Tensor, V: Tensor) -> Tensor:
    """Where geodesics on the graph of x^T A x / 2 from `start` are at time 1, for velocities V (..., n), by RK4.

    The equation theta'' = -(theta'^T A theta') g / (1 + |g|^2), g = A theta, and nothing else.
    """

    def right(state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        x, v = state
        g = x @ A
        bent = ((v @ A) * v).sum(-1, keepdim=True) / (1 + g.square().sum(-1, keepdim=True))
        return v, -bent * g

    def moved(state: tuple[Tensor, Tensor], by: tuple[Tensor, Tensor], h: float) -> tuple[Tensor, Tensor]:
        return state[0] + h * by[0], state[1] + h * by[1]

    state, h = (start.expand_as(V), V), 1 / STEPS
    for _ in range(STEPS):
        a = right(state)
        b = right(moved(state, a, h / 2))
        c = right(moved(state, b, h / 2))
        d = right(moved(state, c, h))
        state = moved(moved(moved(moved(state, a, h / 6), b, h / 3), c, h / 3), d, h / 6)
    return state[0]


def plain_ratios(A: Tensor, start: Tensor, radii: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """(count, m) volume ratios on the graph of x^T A x / 2, each from a pair of opposite points of the tangent ball.

    Uniform points of the ball, the same at each radius, are mapped by the exponential map; the volume element is the
    determinant of its central differences, times W there.
    """
    n = len(start)
    points = torch.randn(count, n, dtype=DOUBLE, generator=draw)
    lengths = torch.rand(count, 1, dtype=DOUBLE, generator=draw) ** (1 / n)
    points = points / points.norm(dim=1, keepdim=True) * lengths
    points = torch.stack([points, -points])
    g = start @ A
    W = math.sqrt(1 + float(g @ g))
    root = torch.eye(n, dtype=DOUBLE) + (1 / W - 1) / max(float(g @ g), 1e-300) * torch.outer(g, g)  # metric^(-1/2)
    ratios = []
    for r in radii.tolist():
        V = (r * points) @ root
        ends = [(exponential(A, start, V + STEP * e) - exponential(A, start, V - STEP * e)) / (2 * STEP) for e in root]
        volume = torch.linalg.det(torch.stack(ends, -1))
        there = (exponential(A, start, V) @ A).square().sum(-1).add(1).sqrt()
        ratios.append((volume * there).mean(0))
    return torch.stack(ratios, 1)


def sphere_ratio(r: float, radius: float) -> float:
    """vol of a geodesic ball of radius r on the three-dimensional sphere, over that of a Euclidean ball."""
    return 3 * radius**2 / r**3 * (r / 2 - radius * math.sin(2 * r / radius) / 4)


def creased(a: float = 2.0) -> Surface:
    """a (max(u, 0)^2 + max(v, 0)^2) / 2 at 0: its gradient is continuous, its Hessian jumps.

    R is 2 a^2 where both are positive, 0 elsewhere: of four directions at right angles, one goes where it bends.
    """
    return Surface(
        "crease max(u, 0)² + max(v, 0)²",
        lambda x: a * torch.relu(x).square().sum() / 2,
        torch.zeros(2, dtype=DOUBLE),
        2 * a**2,
    )


def pyramid(X: Tensor) -> Tensor:
    """|u| + |v|: four planes, R = 0 off the edges, all curvature in the vertex: balls about it have 2/3 of the area."""
    return X.abs().sum(-1)


def hemisphere(X: Tensor) -> Tensor:
    """The unit sphere over its lowest point: straight distances from there enclose pi r^2 at any r."""
    return 1 - torch.sqrt(1 - X.square().sum(-1))


def chord_ratios(f: Callable[[Tensor], Tensor], r: float, count: int, draw: torch.Generator) -> Tensor:
    """Samples whose mean is area / (pi r^2) of what a graph over the plane has within the straight distance r of 0.

    Uniform points of the disc of radius r, weighted by W. The straight distance from the vertex of a cone is the
    intrinsic one; elsewhere it is shorter.
    """
    X = torch.randn(count, 2, dtype=DOUBLE, generator=draw)
    X = r * torch.rand(count, 1, dtype=DOUBLE, generator=draw).sqrt() * X / X.norm(dim=1, keepdim=True)
    height = f(X.requires_grad_())
    (g,) = torch.autograd.grad(height.sum(), X)
    X, height = X.detach(), height.detach()
    W: Tensor = (1 + g.square().sum(1)).sqrt()
    return W.where(X.square().sum(1) + height.square() <= r**2, 0.0)

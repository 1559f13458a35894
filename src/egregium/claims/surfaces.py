"""Surfaces whose scalar curvature is known in closed form."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from egregium.landscape import Landscape

DOUBLE = torch.float64


@dataclass(frozen=True, eq=False)
class Surface:
    """A function at a point, with the scalar curvature of its graph there."""

    name: str
    f: Callable[[Tensor], Tensor]
    theta: Tensor
    scalar_curvature: float

    @property
    def land(self) -> Landscape:
        """As a landscape."""
        return Landscape.from_function(self.f, self.theta)


def saddle() -> Surface:
    """u^2 - v^2 at 0: R = -8 where the trace is 0."""
    return Surface("saddle u² − v²", lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=DOUBLE), -8.0)


def sphere(n: int = 3, r: float = 2.0) -> Surface:
    """The lower half of a sphere of radius r, away from its pole: n (n - 1) / r^2."""
    theta = torch.linspace(0.3, 0.6, n, dtype=DOUBLE)
    return Surface(f"sphere of radius {r:g}", lambda x: -torch.sqrt(r**2 - x @ x), theta, n * (n - 1) / r**2)


def paraboloid(n: int = 4, a: float = 0.7) -> Surface:
    """a |x|^2 / 2 away from its vertex: (n-1)(n-2) a^2/W^2 + 2 (n-1) a^2/W^4."""
    theta = torch.linspace(-0.5, 0.8, n, dtype=DOUBLE)
    W2 = 1 + a**2 * float(theta @ theta)
    R = (n - 1) * (n - 2) * a**2 / W2 + 2 * (n - 1) * a**2 / W2**2
    return Surface(f"paraboloid {a:g} |x|²/2", lambda x: a * (x @ x) / 2, theta, R)


def mixed() -> Surface:
    """A function of three variables without any symmetry; its R by tensors in 30 digits."""
    theta = torch.tensor([1 / 3, -2 / 5, 7 / 10], dtype=DOUBLE)
    return Surface(
        "x₁ sin x₀ + x₀ x₂² + x₁³/3 + x₁ x₂",
        lambda x: x[1] * torch.sin(x[0]) + x[0] * x[2] ** 2 + x[1] ** 3 / 3 + x[1] * x[2],
        theta,
        -2.25648689484075879,
    )


def quadratic(diagonal: Tensor, name: str = "") -> Surface:
    """x^T diag(d) x / 2 at its critical point: (sum d)^2 - sum d^2."""
    d = diagonal.to(DOUBLE)
    R = float(d.sum() ** 2 - d.square().sum())
    shown = name or f"quadratic with eigenvalues {', '.join(f'{x:g}' for x in d.tolist())}"
    return Surface(shown, lambda x: (d * x.square()).sum() / 2, torch.zeros_like(d), R)


def quadratic_form(A: Tensor, name: str) -> Surface:
    """x^T A x / 2 at its critical point, A symmetric: (tr A)^2 - |A|_F^2."""
    R = float(A.trace() ** 2 - A.square().sum())
    return Surface(name, lambda x: x @ A @ x / 2, torch.zeros(len(A), dtype=DOUBLE), R)

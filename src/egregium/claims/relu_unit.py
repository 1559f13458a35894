"""The smallest ReLU network that can be rescaled, with R of its graph in closed form."""

from dataclasses import dataclass

import torch
from torch import Tensor

from egregium.claims.surfaces import DOUBLE, Surface

Two = tuple[float, float]


@dataclass(frozen=True)
class Unit:
    """f(w, v) = |v relu(w) - t|^2 / 2: a ReLU unit that sees each of two inputs alone, w > 0; rescaled by w a, v / a.

    With the residual r = v w - t and s = w . r, both at a = 1,

        R(a) = 2 [v^4 / a^4 - 2 v^3 s |r|^2 / a^2 + 2 v^2 |w|^2 - |v w + r|^2] / W^4
        W^2  = 1 + v^2 |r|^2 / a^2 + s^2 a^2

    from R = 2 (e_2(H) + g^T adj(H) g) / W^4 for three parameters. It goes to v^4 / a^4 > 0 before all else for small a;
    for large a its sign is that of 2 v^2 |w|^2 - |v w + r|^2, negative where the residual is large.
    """

    name: str
    w: Two
    v: float
    t: Two

    def f(self, theta: Tensor) -> Tensor:
        """The loss at (w_1, w_2, v)."""
        return (theta[2] * theta[:2].relu() - torch.tensor(self.t, dtype=theta.dtype)).square().sum() / 2

    def scalar_curvature(self, a: float) -> float:
        """R(a)."""
        w, v = self.w, self.v
        r = v * w[0] - self.t[0], v * w[1] - self.t[1]
        s, rr, ww = w[0] * r[0] + w[1] * r[1], r[0] ** 2 + r[1] ** 2, w[0] ** 2 + w[1] ** 2
        limit = 2 * v**2 * ww - (v * w[0] + r[0]) ** 2 - (v * w[1] + r[1]) ** 2
        W2 = 1 + v**2 * rr / a**2 + s**2 * a**2
        return 2 * (v**4 / a**4 - 2 * v**3 * s * rr / a**2 + limit) / W2**2

    def scaled(self, a: float) -> Surface:
        """The unit after rescaling by a, at its new place."""
        theta = torch.tensor([self.w[0] * a, self.w[1] * a, self.v / a], dtype=DOUBLE)
        return Surface(self.name, self.f, theta, self.scalar_curvature(a))

    @staticmethod
    def rescaling(a: float) -> Tensor:
        """The diagonal of A."""
        return torch.tensor([a, a, 1 / a], dtype=DOUBLE)


#: With a large residual, where R changes its sign, and at a minimum, where it cannot.
FAR = Unit("ReLU unit, large residual", (0.6, 0.8), 0.5, (-0.4, -0.3))
MINIMUM = Unit("ReLU unit at a minimum", (0.6, 0.8), 0.5, (0.3, 0.4))

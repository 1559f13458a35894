"""From the moments of the shape operator to those of the Hessian and the terms of R, exactly."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import TangentFrame
from egregium.estimators import Statistic, TraceMoments
from egregium.operators.inner import dots
from egregium.results.measurement import TermName


@dataclass(frozen=True)
class Turn:
    """Turns moments of S~ = P H P / W into those of H, exactly: p = g^T H g, q = |H g|^2, beta = 1/W^2."""

    W: float
    p: float
    q: float

    @property
    def beta(self) -> float:
        return self.W**-2

    def of_hessian(self, statistic: Statistic) -> Statistic:
        """`statistic` of (tr H, (tr H)^2, |H|_F^2), as a statistic of (tr S~, (tr S~)^2, |S~|_F^2).

        tr S~ = (tr H - beta p) / W and |S~|_F^2 = beta (|H|_F^2 - 2 beta q + beta^2 p^2).
        """
        shift = self.beta * self.p

        def turned(t: Tensor, t2: Tensor, F: Tensor) -> Tensor:
            hessian_t = self.W * t + shift
            hessian_t2 = self.W**2 * t2 + 2 * self.W * shift * t + shift**2
            return statistic(hessian_t, hessian_t2, self.W**2 * F + 2 * self.beta * self.q - shift**2)

        return turned

    def of_shape_operator(self, moments: TraceMoments) -> TraceMoments:
        """Exact moments of H as those of S~: the formulas of `of_hessian`, the other way.

        What cancels between the terms, where g is large, is in `rounding`.
        """
        beta, p, q = self.beta, self.p, self.q
        t, F = float(moments.traces[0]), float(moments.squares[0])
        trace, traces = (t - beta * p) / self.W, (abs(t) + beta * abs(p)) / self.W
        square, squares = beta * (F - 2 * beta * q + beta**2 * p**2), beta * (F + 2 * beta * q + beta**2 * p**2)
        square = max(square, moments.rounding * squares)
        lost = max(1.0, squares / square, traces / max(abs(trace), math.sqrt(square))) if square > 0 else 1.0
        of_shape, squared = (torch.tensor([x], dtype=torch.float64) for x in (trace, square))
        return TraceMoments(of_shape, squared, exact=True, rounding=moments.rounding * lost)

    @property
    def gradient_term(self) -> float:
        """The fourth term of R, 2 beta^2 g^T H^2 g, known exactly."""
        return 2 * self.beta**2 * self.q

    def terms(self) -> dict[TermName, Statistic]:
        """The three terms of R that are estimated, as statistics of S~; with `gradient_term` they add up to R."""
        beta, p = self.beta, self.p
        return {
            "trace": self.of_hessian(lambda t, t2, F: beta * t2),
            "frobenius": self.of_hessian(lambda t, t2, F: -beta * F),
            "gradient_trace": self.of_hessian(lambda t, t2, F: -2 * beta**2 * p * t),
        }


def turn_of(frame: TangentFrame, image: Float[Tensor, " n"]) -> Turn:
    """`image`: H g, one product."""
    row = image.unsqueeze(0)
    return Turn(frame.W, float(dots(frame.gradient.unsqueeze(0), row)), float(dots(row, row)))

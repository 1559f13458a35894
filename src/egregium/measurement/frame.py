"""R's moments: those of the shape operator, by the cheapest way, and how they turn into the Hessian's."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from egregium.curvature import (
    OperatorName,
    TangentFrame,
    second_derivative,
    shape_operator,
    tangent_frame,
    trace_by_parts,
)
from egregium.curvature.hessian import SecondDerivative
from egregium.estimators import Goal, ProgressCallback, Room, Statistic, TraceMoments, gauss_statistic, price_of
from egregium.estimators.plan import TRACED_PILOT
from egregium.estimators.probes import checked_seed
from egregium.landscape import Landscape
from egregium.layerwise import RouteError
from egregium.measurement.dual import dual_moments
from egregium.measurement.memory import Memory
from egregium.measurement.moments import EXACT_BELOW, Method, trace_moments
from egregium.measurement.preparation import prepared
from egregium.operators.inner import dots
from egregium.results import Cost
from egregium.results.measurement import TermName

#: Products that must fit into a budget before anything is spent on a trace by parts: its pilot.
LEAST_PRODUCTS = sum(TRACED_PILOT) + TRACED_PILOT[0]


@dataclass(frozen=True)
class TurnedFrame:
    """Turns moments of S~ = P H P / W into those of H, exactly: p = g^T H g, q = |H g|^2, beta = 1/W^2."""

    tangent: TangentFrame
    p: float
    q: float

    @property
    def W(self) -> float:
        """The volume element."""
        return self.tangent.W

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


def _turned(tangent: TangentFrame, second: SecondDerivative) -> TurnedFrame:
    """The frame, by one product H g, which is not held."""
    g = tangent.gradient
    image = (second @ g).unsqueeze(0)
    return TurnedFrame(tangent, float(dots(g.unsqueeze(0), image)), float(dots(image, image)))


@dataclass(frozen=True, eq=False)
class CurvatureMoments:
    """Moments of S~ and all that was found on the way.

    Attributes:
        moments: (tr S~, |S~|_F^2).
        frame: gradient, W, p and q; None where nothing asked for them.
        second: the operator H.
        room: what memory allows.
        cost: of the moments; spent: of everything.
        words, ended: as in `trace_moments`.
    """

    moments: TraceMoments
    frame: TurnedFrame | None
    second: SecondDerivative
    room: Room
    cost: Cost
    spent: Cost
    words: str
    ended: str


def curvature_moments(
    here: Landscape,
    operator: OperatorName,
    method: Method,
    goal: Goal,
    seed: int,
    block: int,
    memory: Memory,
    progress: ProgressCallback | None,
    turned: bool = False,
) -> CurvatureMoments:
    """The moments that R needs, at a fixed point. One gradient beside what `trace_moments` takes, and one product for
    p and q where they are asked for (`turned`) or the trace comes by parts.
    """
    second = second_derivative(here, operator)
    room = prepared(second, memory, block, progress)
    tangent = tangent_frame(here)
    op = shape_operator(here, operator=operator, frame=tangent)
    first = room.cost + Cost(gradients=1)
    source = None
    if method == "stochastic" or (method == "auto" and here.n >= EXACT_BELOW):
        source = trace_by_parts(here, operator, checked_seed(seed))
    if source is not None:
        least = source.first().effort + second.cost(1).effort + price_of(op, LEAST_PRODUCTS, room.block)
        source = source if least <= goal.left(first) else None
    frame = None
    if turned or source is not None or method == "dual":
        frame = _turned(tangent, second)
        first = first + second.cost(1)
    if method == "dual" and frame is not None:
        of_matrix, cost, words = dual_moments(here, operator, goal, memory, first, progress)
        return CurvatureMoments(frame.of_shape_operator(of_matrix), frame, second, room, cost, first + cost, words, "")
    if source is not None and frame is not None:
        source = source.shaped(frame.W, frame.beta * frame.p)
    told: dict[str, Any] = {"seed": seed, "spent": first, "room": room, "progress": progress}
    try:
        found = trace_moments(op, gauss_statistic, method, goal, source=source, **told)
    except RouteError:  # of the first passes, before any product
        found = trace_moments(op, gauss_statistic, method, goal, **told)
    moments, cost, words, ended = found
    return CurvatureMoments(moments, frame, second, room, cost, first + cost, words, ended)

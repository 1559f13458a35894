"""R's moments: those of the shape operator, by the cheapest way."""

from dataclasses import dataclass
from typing import Any

from egregium.curvature import (
    OperatorName,
    TangentFrame,
    second_derivative,
    shape_operator,
    tangent_frame,
    trace_by_parts,
)
from egregium.curvature.hessian import SecondDerivative
from egregium.estimators import Goal, ProgressCallback, Room, TraceMoments, gauss_statistic, price_of
from egregium.estimators.plan import LEAST_TRACED_PILOT
from egregium.estimators.probes import checked_seed
from egregium.landscape import Landscape
from egregium.layerwise import RouteError
from egregium.measurement.data_error import Batches, batches_of
from egregium.measurement.dual import dual_moments
from egregium.measurement.memory import Memory
from egregium.measurement.moments import EXACT_BELOW, Method, trace_moments
from egregium.measurement.preparation import prepared
from egregium.measurement.turn import Turn, turn_of
from egregium.results import Cost, Estimate

#: Products that must fit into a budget before anything is spent on a trace by parts: its smallest pilot.
LEAST_PRODUCTS = 2 * LEAST_TRACED_PILOT[0] + LEAST_TRACED_PILOT[1]


@dataclass(frozen=True, eq=False)
class CurvatureMoments:
    """Moments of S~ and all that was found on the way.

    Attributes:
        moments: (tr S~, |S~|_F^2).
        frame: loss, gradient and W; turn: W, p and q, None where nothing asked for them.
        second: the operator H.
        room: what memory allows.
        cost: of the moments; spent: of everything.
        words, ended: as in `trace_moments`.
        batches: what tells the error over samples of the data, where it was asked for.
    """

    moments: TraceMoments
    frame: TangentFrame
    turn: Turn | None
    second: SecondDerivative
    room: Room
    cost: Cost
    spent: Cost
    words: str
    ended: str
    batches: Batches | None = None

    def with_data_error(self, curvature: Estimate, seed: int) -> Estimate:
        """R with `data_stderr`, where it was asked for; its cost is in `spent` already."""
        if self.batches is None:
            return curvature
        return self.batches.told(curvature, self.batches.of_curvature(self.frame, self.moments), seed, self.room)


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
    data_error: bool = False,
) -> CurvatureMoments:
    """The moments that R needs, at a fixed point. One gradient beside what `trace_moments` takes, and one product for
    p and q where they are asked for (`turned`) or the trace comes by parts. With `data_error` what `with_data_error`
    takes is reserved.
    """
    second = second_derivative(here, operator)
    room = prepared(second, memory, block, progress)
    frame = tangent_frame(here)
    op = shape_operator(here, operator=operator, frame=frame)
    batches = batches_of(second) if data_error else None
    first = room.cost + Cost(gradients=1)
    if batches is not None:
        first = first + batches.price(room.block, gradient=True)
    source = None
    if method == "stochastic" or (method == "auto" and here.n >= EXACT_BELOW):
        source = trace_by_parts(here, operator, checked_seed(seed))
    if source is not None:
        least = source.first().effort + second.cost(1).effort + price_of(op, LEAST_PRODUCTS, room.block)
        source = source if least <= goal.left(first) and source.bytes_of_pass() <= room.spare else None
    turn = None
    if turned or source is not None or method == "dual":
        turn = turn_of(frame, second @ frame.gradient)
        first = first + second.cost(1)
    if method == "dual" and turn is not None:
        of_matrix, cost, words = dual_moments(here, operator, goal, memory, first, progress)
        moments = turn.of_shape_operator(of_matrix)
        return CurvatureMoments(moments, frame, turn, second, room, cost, first + cost, words, "", batches)
    if source is not None and turn is not None:
        source = source.shaped(turn.W, turn.beta * turn.p)
    told: dict[str, Any] = {"seed": seed, "spent": first, "room": room, "progress": progress}
    try:
        found = trace_moments(op, gauss_statistic, method, goal, source=source, **told)
    except RouteError:  # of the first passes, before any product
        found = trace_moments(op, gauss_statistic, method, goal, **told)
    moments, cost, words, ended = found
    return CurvatureMoments(moments, frame, turn, second, room, cost, first + cost, words, ended, batches)

"""What comes before every measurement: a loss that stays the same, and the memory it may take."""

from dataclasses import replace

from egregium.curvature.hessian import SecondDerivative
from egregium.diagnostics import refuse_changing_loss
from egregium.estimators import PRODUCT_BLOCK, ProgressCallback, Room
from egregium.measurement.memory import Memory, room_for
from egregium.operators import SymmetricOperator, refuse_asymmetric
from egregium.results import Cost

#: Two passes by value.
COMPARISON = Cost(gradients=2 / 3)


def prepared(
    op: SymmetricOperator, memory: Memory, block: int = PRODUCT_BLOCK, progress: ProgressCallback | None = None
) -> Room:
    """The room that `op` has in `memory`, once it is known that its loss does not change between passes.

    Two passes at each call: noise may show at one point and not at another. Where memory is bounded or scarce, also a
    graph and a product of the first batch, once for a landscape; counted at each call, so that equal calls cost the
    same. A user's matrix is asked whether it is symmetric. Raises
    LossError, with the cause, where the loss changes; ArgumentError and OutOfMemoryError as `room_for` does.
    """
    if not isinstance(op, SecondDerivative):
        seen = refuse_asymmetric(op)
        room = room_for(op, memory, block, progress)
        return replace(room, cost=room.cost + seen)
    refuse_changing_loss(op.land)
    room = room_for(op, memory, block, progress)
    return replace(room, cost=room.cost + COMPARISON)

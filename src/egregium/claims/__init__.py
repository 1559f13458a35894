"""The statements of arXiv 2307.04719, each of them run: where it holds, and where it stops holding."""

from egregium.claims import (
    balls,
    batches,
    critical_point,
    escape,
    flatness,
    generalisation,
    reparametrisation,
    robustness,
    sign,
    tensor_definition,
    width,
)
from egregium.claims.claim import PRESETS, Claim, Outcome, Preset, Run, StoppedError, reproduced

#: All claims, in order.
CLAIMS: dict[str, Claim] = {
    claim.id: claim
    for claim in (
        tensor_definition.CLAIM,
        critical_point.CLAIM,
        sign.CLAIM,
        flatness.CLAIM,
        balls.CLAIM,
        robustness.CLAIM,
        escape.CLAIM,
        width.CLAIM,
        batches.CLAIM,
        reparametrisation.CLAIM,
        generalisation.CLAIM,
    )
}

__all__ = ["CLAIMS", "PRESETS", "Claim", "Outcome", "Preset", "Run", "StoppedError", "reproduced"]

"""The statements of arXiv 2307.04719, each of them run: where it holds, and where it stops holding."""

from egregium.claims import reparametrisation, tensor_definition
from egregium.claims.claim import PRESETS, Claim, Outcome, Preset, Run, StoppedError, reproduced

#: All claims, in order.
CLAIMS: dict[str, Claim] = {claim.id: claim for claim in (tensor_definition.CLAIM, reparametrisation.CLAIM)}

__all__ = ["CLAIMS", "PRESETS", "Claim", "Outcome", "Preset", "Run", "StoppedError", "reproduced"]

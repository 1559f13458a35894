"""The statements of arXiv 2307.04719, each of them run: where it holds, and where it stops holding."""

from egregium.claims import (critical_point, flatness, generalisation, robustness, sign, tensor_definition)
from egregium.claims.claim import PRESETS, Claim, Outcome, Preset, Run, StoppedError, reproduced

#: All claims, by number.
CLAIMS: dict[str, Claim] = {claim.id: claim for claim in (critical_point.CLAIM, flatness.CLAIM, generalisation.CLAIM, robustness.CLAIM, sign.CLAIM, tensor_definition.CLAIM, )}
CLAIMS = dict(sorted(CLAIMS.items(), key=lambda item: int(item[0][1:])))

__all__ = ["CLAIMS", "PRESETS", "Claim", "Outcome", "Preset", "Run", "StoppedError", "reproduced"]

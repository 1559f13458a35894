"""R, trace, spectral, Frobenius and nuclear norm of H side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from egregium.claims.spectra import spectrum
from egregium.landscape import Landscape
from egregium.measurement import scalar_curvature
from egregium.results import Series

#: The measures of flatness beside R, by their attributes.
MEASURES = {"trace": "tr H", "spectral": "|H|₂", "frobenius": "|H|_F", "nuclear": "|H|_*"}


@dataclass(frozen=True)
class Levels:
    """What measures of flatness there are, at one point."""

    loss: float
    gradient_norm: float
    R: float
    trace: float
    spectral: float
    frobenius: float
    nuclear: float

    @property
    def size(self) -> float:
        """(tr H)^2 + |H|_F^2."""
        return self.trace**2 + self.frobenius**2


def levels(land: Landscape) -> Levels:
    """R by all products with the shape operator, the rest from all eigenvalues of H."""
    s = spectrum(land)
    value, g = land.value_and_gradient()
    return Levels(
        loss=value,
        gradient_norm=float(g.norm()),
        R=scalar_curvature(land, method="exact").value,
        trace=s.trace,
        spectral=s.spectral,
        frobenius=math.sqrt(s.squared_frobenius),
        nuclear=s.nuclear,
    )


def side_by_side(x: Sequence[float], points: Sequence[Levels], units: Sequence[float]) -> list[Series]:
    """A series of each measure beside R, in units that are given for each point."""
    return [
        Series(name, tuple(x), tuple(getattr(at, key) / unit for at, unit in zip(points, units, strict=True)))
        for key, name in MEASURES.items()
    ]

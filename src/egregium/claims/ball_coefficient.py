"""The coefficient of r^2 in volumes of geodesic balls, fitted to what Monte Carlo gives at several radii."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from egregium.claims.surfaces import DOUBLE
from egregium.results import BallVolumes, Chart, Estimate, Series
from egregium.stats import mean_half_width

#: Level of the statistical error: of a dozen comparisons one in eighty runs would fail by chance.
LEVEL = 0.999
#: Radii, over the largest.
SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
#: Steps of RK4 along a geodesic: one between any two of the nodes at which `ball_volumes` looks.
STEPS = 4
#: Of a ratio.
ROUNDING = 1e-13

COEFFICIENT = "coefficient of r² in the volume ratio = −R / (6 (n + 2))"


def leading_coefficient(R: float, n: int) -> float:
    """Of r^2 in vol B_M(r) / vol B_E(r)."""
    return 0.0 - R / (6 * (n + 2))  # no -0


@dataclass(frozen=True)
class Fit:
    """A coefficient of r^2 and how far it may be off."""

    value: float
    tolerance: float


def fitted(radii: Tensor, ratios: Tensor, left_out: Tensor, level: float = LEVEL) -> Fit:
    """a in ratio = 1 + a r^2 + b r^4 + c r^6, from samples (k, m) at m radii.

    Least squares of (ratio - 1) / r^2: errors of the ratio grow with r, so the radii have the weights 1 / r^4. The fit
    is linear, so each sample, of the same directions at all radii, has a coefficient of its own, and the error is that
    of their mean. What is left of higher orders is taken to be less than what the r^6 term changes. `left_out`: (m,)
    how far the ratios may be off whatever is drawn.
    """
    unit = float(radii.max()) ** 2  # pinv would drop columns of powers of a radius that is far from 1
    r2 = radii.square() / unit
    weights, coarser = (torch.linalg.pinv(torch.stack([r2**j for j in range(m)], 1))[0] for m in (3, 2))
    found = (ratios - 1) / r2 @ weights
    order = abs(float((found - (ratios - 1) / r2 @ coarser).mean()))
    chance = mean_half_width(found, level)
    off = chance + order + float((weights.abs() * left_out / r2).sum())
    return Fit(float(found.mean()) / unit, off / unit)


def of_volumes(volumes: BallVolumes, level: float = LEVEL) -> Fit:
    """The same, of what `ball_volumes` found."""
    left_out = torch.tensor([ratio.bias + ROUNDING for ratio in volumes.ratios], dtype=DOUBLE)
    return fitted(volumes.radii, volumes.samples, left_out, level)


def largest_radius(R: float, n: int, correction: float) -> float:
    """Where the leading correction has this size."""
    return math.sqrt(correction / abs(leading_coefficient(R, n)))


def points(radii: tuple[float, ...], ratios: tuple[Estimate, ...], less: float = 0.0) -> Series:
    """What was simulated, with 95 % intervals."""
    y, wide = tuple(e.value - less for e in ratios), tuple(e.half_width(0.95) for e in ratios)
    return Series("through the exponential map", radii, y, wide)


def chart_of(volumes: BallVolumes, subject: str) -> Chart:
    """The ratio less 1 against r^2, and its leading term as a line."""
    squares = tuple(volumes.radii.square().tolist())
    leading = (0.0, *(e.value - 1 for e in volumes.expansion))
    return Chart(
        "Geodesic balls are smaller or larger than flat ones as R says",
        f"{subject[0].upper()}{subject[1:]}; {volumes.method}; the same directions at all radii; bars at 95 %.",
        "squared radius r²",
        "volume over Euclidean volume, minus 1",
        (
            Series("−R r² / (6 (n + 2))", (0.0, *squares), leading, mark="line"),
            points(squares, volumes.ratios, 1.0),
        ),
    )

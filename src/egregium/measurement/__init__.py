"""From a landscape to its numbers: the only room that chooses among estimators."""

from egregium.measurement.eigenvalues import dual_spectrum
from egregium.measurement.measure import measure
from egregium.measurement.scalar import (
    eigenpairs,
    nuclear_norm,
    scalar_curvature,
    spectral_density,
    squared_frobenius,
    trace,
)

__all__ = [
    "dual_spectrum",
    "eigenpairs",
    "measure",
    "nuclear_norm",
    "scalar_curvature",
    "spectral_density",
    "squared_frobenius",
    "trace",
]

"""From a landscape to its numbers: the only room that chooses among estimators."""

from egregium.measurement.blocks import blocks
from egregium.measurement.measure import measure
from egregium.measurement.scalar import eigenpairs, scalar_curvature, spectral_density, squared_frobenius, trace

__all__ = ["blocks", "eigenpairs", "measure", "scalar_curvature", "spectral_density", "squared_frobenius", "trace"]

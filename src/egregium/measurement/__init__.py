"""From a landscape to its numbers: the only room that chooses among estimators."""

from egregium.measurement.batches import batch_curvatures
from egregium.measurement.blocks import blocks
from egregium.measurement.eigenvalues import dual_spectrum
from egregium.measurement.lanczos import eigenpairs, nuclear_norm, spectral_density
from egregium.measurement.measure import measure
from egregium.measurement.norms import squared_frobenius, trace
from egregium.measurement.scalar import scalar_curvature

__all__ = [
    "batch_curvatures",
    "blocks",
    "dual_spectrum",
    "eigenpairs",
    "measure",
    "nuclear_norm",
    "scalar_curvature",
    "spectral_density",
    "squared_frobenius",
    "trace",
]

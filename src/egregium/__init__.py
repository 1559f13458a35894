"""The Riemannian geometry of neural-network loss landscapes.

>>> import torch, egregium as eg
>>> land = eg.Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=torch.float64))
>>> print(eg.scalar_curvature(land))
-8 (exact)
"""

from importlib.metadata import version

from egregium.curvature import ggn, hessian, shape_operator
from egregium.diagnostics import Diagnosis, diagnosis
from egregium.errors import EgregiumError
from egregium.estimators import Progress
from egregium.landscape import Landscape
from egregium.measurement import eigenpairs, measure, scalar_curvature, spectral_density, squared_frobenius, trace
from egregium.operators import SymmetricOperator
from egregium.results import Cost, Eigenpairs, Estimate, Measurement, Session, SpectralDensity, load

__version__ = version("egregium")

__all__ = [
    "Cost",
    "Diagnosis",
    "EgregiumError",
    "Eigenpairs",
    "Estimate",
    "Landscape",
    "Measurement",
    "Progress",
    "Session",
    "SpectralDensity",
    "SymmetricOperator",
    "diagnosis",
    "eigenpairs",
    "ggn",
    "hessian",
    "load",
    "measure",
    "scalar_curvature",
    "shape_operator",
    "spectral_density",
    "squared_frobenius",
    "trace",
]

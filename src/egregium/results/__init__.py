"""Frozen results, and how they are saved and read."""

from egregium.results.batches import BatchCurvatures
from egregium.results.blocks import Block, BlockTable
from egregium.results.charts import Chart, Series
from egregium.results.claims import Check, ClaimResult, Verdict
from egregium.results.comparison import Compared, Comparison, compare
from egregium.results.cost import Cost
from egregium.results.difference import Difference
from egregium.results.document import load, refuse_existing, save, write_whole
from egregium.results.environment import Environment, environment
from egregium.results.estimate import Estimate
from egregium.results.fingerprint import Fingerprint
from egregium.results.geometry import (
    BallVolumes,
    Geodesic,
    Logarithm,
    PrincipalCurvatures,
    SectionalCurvatures,
    Transport,
)
from egregium.results.measurement import TERMS, Measurement, Session
from egregium.results.portrait import Plane, Portrait
from egregium.results.slices import (
    QUANTITIES,
    Directions,
    ModePath,
    QuantityName,
    Sheet,
    Slice,
    Statistics,
    Trajectory,
)
from egregium.results.spectra import DualSpectrum, Eigenpairs, SpectralDensity
from egregium.results.study import Between, Network, Ranking, Study
from egregium.results.table import Row

__all__ = [
    "QUANTITIES",
    "TERMS",
    "BallVolumes",
    "BatchCurvatures",
    "Between",
    "Block",
    "BlockTable",
    "Chart",
    "Check",
    "ClaimResult",
    "Compared",
    "Comparison",
    "Cost",
    "Difference",
    "Directions",
    "DualSpectrum",
    "Eigenpairs",
    "Environment",
    "Estimate",
    "Fingerprint",
    "Geodesic",
    "Logarithm",
    "Measurement",
    "ModePath",
    "Network",
    "Plane",
    "Portrait",
    "PrincipalCurvatures",
    "QuantityName",
    "Ranking",
    "Row",
    "SectionalCurvatures",
    "Series",
    "Session",
    "Sheet",
    "Slice",
    "SpectralDensity",
    "Statistics",
    "Study",
    "Trajectory",
    "Transport",
    "Verdict",
    "compare",
    "environment",
    "load",
    "refuse_existing",
    "save",
    "write_whole",
]

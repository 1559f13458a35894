"""The Riemannian geometry of the graph of a loss: metric, curvature, geodesics, transport, volumes.

For a `Landscape` of any number of parameters, by gradients and Hessian products alone. Conventions: docs/geometry.md.
"""

from egregium.geometry import reference
from egregium.geometry.balls import ball_volumes
from egregium.geometry.extrinsic import gauss_kronecker_curvature, mean_curvature, principal_curvatures
from egregium.geometry.geodesics import exp, geodesic
from egregium.geometry.intrinsic import (
    RicciOperator,
    einstein_defect,
    ricci,
    ricci_operator,
    sectional_along,
    sectional_curvatures,
)
from egregium.geometry.logarithm import distance, log
from egregium.geometry.portrait import portrait
from egregium.geometry.tangent import TangentSpace, tangent_space
from egregium.geometry.transport import transport

__all__ = [
    "RicciOperator",
    "TangentSpace",
    "ball_volumes",
    "distance",
    "einstein_defect",
    "exp",
    "gauss_kronecker_curvature",
    "geodesic",
    "log",
    "mean_curvature",
    "portrait",
    "principal_curvatures",
    "reference",
    "ricci",
    "ricci_operator",
    "sectional_along",
    "sectional_curvatures",
    "tangent_space",
    "transport",
]

"""A landscape's operators: Hessian, Gauss-Newton matrix, shape operator."""

from egregium.curvature.hessian import GaussNewton, Hessian, ggn, hessian
from egregium.curvature.parts import LandscapeTrace, trace_by_parts
from egregium.curvature.shape import OperatorName, TangentFrame, second_derivative, shape_operator, tangent_frame

__all__ = [
    "GaussNewton",
    "Hessian",
    "LandscapeTrace",
    "OperatorName",
    "TangentFrame",
    "ggn",
    "hessian",
    "second_derivative",
    "shape_operator",
    "tangent_frame",
    "trace_by_parts",
]

"""A landscape's operators: Hessian, Gauss-Newton matrix, shape operator."""

from egregium.curvature.blocks import BlockFrames, DiagonalBlocks
from egregium.curvature.hessian import GaussNewton, Hessian, ggn, hessian
from egregium.curvature.shape import OperatorName, TangentFrame, second_derivative, shape_operator, tangent_frame

__all__ = [
    "BlockFrames",
    "DiagonalBlocks",
    "GaussNewton",
    "Hessian",
    "OperatorName",
    "TangentFrame",
    "ggn",
    "hessian",
    "second_derivative",
    "shape_operator",
    "tangent_frame",
]

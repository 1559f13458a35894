"""A landscape's operators: Hessian, Gauss-Newton matrix, shape operator."""

from egregium.curvature.batches import PerBatch, gradients_per_batch, products_per_batch
from egregium.curvature.blocks import BlockFrames, DiagonalBlocks
from egregium.curvature.hessian import GaussNewton, Hessian, ggn, hessian
from egregium.curvature.parts import LandscapeTrace, trace_by_parts
from egregium.curvature.shape import OperatorName, TangentFrame, second_derivative, shape_operator, tangent_frame

__all__ = [
    "BlockFrames",
    "DiagonalBlocks",
    "GaussNewton",
    "Hessian",
    "LandscapeTrace",
    "OperatorName",
    "PerBatch",
    "TangentFrame",
    "ggn",
    "gradients_per_batch",
    "hessian",
    "products_per_batch",
    "second_derivative",
    "shape_operator",
    "tangent_frame",
    "trace_by_parts",
]

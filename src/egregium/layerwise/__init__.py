"""Layers whose gradients of single samples are known: what they give, verified, and traces from it."""

from egregium.layerwise.capture import RouteError
from egregium.layerwise.chain import chain_remainder_trace
from egregium.layerwise.dual import Factor
from egregium.layerwise.pieces import Size, factor, size_of_factor
from egregium.layerwise.structure import Structure, jointly_affine, structure
from egregium.layerwise.traces import Part, exact_gauss_newton_trace, trace_pass

__all__ = [
    "Factor",
    "Part",
    "RouteError",
    "Size",
    "Structure",
    "chain_remainder_trace",
    "exact_gauss_newton_trace",
    "factor",
    "jointly_affine",
    "size_of_factor",
    "structure",
    "trace_pass",
]

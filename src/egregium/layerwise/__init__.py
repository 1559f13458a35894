"""Layers whose gradients of single samples are known: what they give, verified, and traces from it."""

from egregium.layerwise.chain import chain_remainder_trace
from egregium.layerwise.structure import Structure, structure
from egregium.layerwise.traces import Part, exact_gauss_newton_trace, trace_pass

__all__ = ["Part", "Structure", "chain_remainder_trace", "exact_gauss_newton_trace", "structure", "trace_pass"]

"""Derivatives: the only place, with `landscape`, that speaks to torch.autograd."""

from egregium.autodiff.allocation import PeakAllocation
from egregium.autodiff.cuts import leaves_of, uses_of
from egregium.autodiff.exhausted import exhausted, memory_failures
from egregium.autodiff.kinks import kinks_of
from egregium.autodiff.missing import named_failures
from egregium.autodiff.products import ggn_products, gradient, hessian_products
from egregium.autodiff.scope import derivatives, second_derivatives_of

__all__ = [
    "PeakAllocation",
    "derivatives",
    "exhausted",
    "ggn_products",
    "gradient",
    "hessian_products",
    "kinks_of",
    "leaves_of",
    "memory_failures",
    "named_failures",
    "second_derivatives_of",
    "uses_of",
]

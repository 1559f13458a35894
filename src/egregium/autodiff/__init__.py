"""Derivatives: the only place, with `landscape`, that speaks to torch.autograd."""

from egregium.autodiff.products import ggn_products, gradient, hessian_products
from egregium.autodiff.scope import derivatives, second_derivatives_of

__all__ = ["derivatives", "ggn_products", "gradient", "hessian_products", "second_derivatives_of"]

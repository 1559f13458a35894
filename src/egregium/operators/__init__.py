"""The operator core and its algebra."""

from egregium.operators.algebra import Congruence, IdentityPlusRankOne, Principal
from egregium.operators.base import SymmetricOperator
from egregium.operators.dense import Dense, dense_matrix, square_operator
from egregium.operators.symmetry import refuse_asymmetric

__all__ = [
    "Congruence",
    "Dense",
    "IdentityPlusRankOne",
    "Principal",
    "SymmetricOperator",
    "dense_matrix",
    "refuse_asymmetric",
    "square_operator",
]

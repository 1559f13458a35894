"""The operator core and its algebra."""

from egregium.operators.algebra import Congruence, Principal, Stretch
from egregium.operators.base import SymmetricOperator
from egregium.operators.dense import Dense, dense_matrix, square_operator
from egregium.operators.symmetry import refuse_asymmetric

__all__ = [
    "Congruence",
    "Dense",
    "Principal",
    "Stretch",
    "SymmetricOperator",
    "dense_matrix",
    "refuse_asymmetric",
    "square_operator",
]

"""Model, loss and data, or a plain function, as f(theta) with exact weights."""

from egregium.landscape.arguments import graph_was_cut
from egregium.landscape.batch import BatchLoss
from egregium.landscape.landscape import Landscape
from egregium.landscape.objective import tensors_of

__all__ = ["BatchLoss", "Landscape", "graph_was_cut", "tensors_of"]

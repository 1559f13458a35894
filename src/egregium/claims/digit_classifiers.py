"""Small ReLU and tanh networks on digits that are trained to a minimum of f + (lam / 2) |theta|^2, or not at all."""

from functools import lru_cache

from torch import nn

from egregium.claims.networks import dense_network, pooled_digits, train
from egregium.landscape import Landscape

#: Of the training alone: a penalty on theta is no function of the network, and changes when layers are rescaled.
DECAY = 1e-3
STEPS = 60


@lru_cache(maxsize=16)
def digit_classifier(
    activation: str, hidden: tuple[int, ...], *, pool: int = 1, classes: int = 10, seed: int = 0, untrained: float = 0.0
) -> Landscape:
    """The landscape of a network (64 / pool^2)-...-classes in float64 with its cross-entropy over 200 digits.

    Of `pooled_digits`. `untrained`: not trained, and its parameters at initialisation times this.
    """
    x, y = pooled_digits(200, pool, classes)
    model = dense_network((x.shape[1], *hidden, classes), activation, seed)
    if untrained:
        nn.utils.vector_to_parameters(untrained * nn.utils.parameters_to_vector(model.parameters()), model.parameters())
    else:
        train(model, x, y, STEPS, DECAY)
    return Landscape(model, nn.CrossEntropyLoss(), (x, y))

"""Small ReLU and tanh networks on digits that are trained to a minimum of f + (lam / 2) |theta|^2, or not at all."""

from functools import lru_cache
from itertools import pairwise

import torch
from torch import nn

from egregium.claims.networks import ACTIVATIONS, DOUBLE, train
from egregium.datasets import digits
from egregium.landscape import Landscape

#: Of the training alone: a penalty on theta is no function of the network, and changes when layers are rescaled.
DECAY = 1e-3
STEPS = 60


@lru_cache(maxsize=16)
def digit_classifier(
    activation: str, hidden: tuple[int, ...], *, pool: int = 1, classes: int = 10, seed: int = 0, untrained: float = 0.0
) -> Landscape:
    """The landscape of a network (64 / pool^2)-...-classes in float64 with its cross-entropy over 200 digits.

    Pixels are means over squares of pool x pool. Two classes are the digits below 5 and the others. `untrained`: not
    trained, and its parameters at initialisation times this. The global generator is left as it was.
    """
    data = digits()[0].first(200)
    x = nn.functional.avg_pool2d(data.inputs.double().reshape(-1, 1, 8, 8), pool).flatten(1)
    y = data.targets if classes > 2 else (data.targets >= 5).long()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for before, after in pairwise((x.shape[1], *hidden, classes)):
            layers += [nn.Linear(before, after, dtype=DOUBLE), ACTIVATIONS[activation]()]
    model = nn.Sequential(*layers[:-1])
    if untrained:
        nn.utils.vector_to_parameters(untrained * nn.utils.parameters_to_vector(model.parameters()), model.parameters())
    else:
        train(model, x, y, STEPS, DECAY)
    return Landscape(model, nn.CrossEntropyLoss(), (x, y))

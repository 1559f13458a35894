"""The trained smooth networks on real data that the claims are shown on; made once a process."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor, nn

from egregium.datasets import digits
from egregium.landscape import Landscape

DOUBLE = torch.float64
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


def dense_network(sizes: Sequence[int], activation: str = "tanh", seed: int = 0) -> nn.Sequential:
    """Linear layers of these sizes in float64 at torch's initialisation, the activation between them.

    The global generator is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after, dtype=DOUBLE), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


def pooled_digits(samples: int, pool: int = 1, classes: int = 10) -> tuple[Tensor, Tensor]:
    """(N, 64 / pool^2) means over squares of pixels, and (N,) classes; of two, digits below 5 and the others."""
    data = digits()[0].first(samples)
    x = nn.functional.avg_pool2d(data.inputs.double().reshape(-1, 1, 8, 8), pool).flatten(1)
    return x, data.targets if classes > 2 else (data.targets >= 5).long()


@lru_cache(maxsize=32)
def digit_network(
    hidden: tuple[int, ...] = (16,),
    samples: int = 400,
    activation: str = "tanh",
    seed: int = 0,
    steps: int = 60,
    decay: float = 0.0,
) -> tuple[nn.Module, Tensor, Tensor]:
    """(model, inputs, classes): a network 64-...-10 in float64, trained on digits by `steps` of full-batch L-BFGS.

    Without weight decay the loss goes on falling; what is left of the gradient is in every result that needs a critical
    point. The same arguments but for `steps` give points of one training. The global generator is left as it was.
    """
    x, y = pooled_digits(samples)
    model = dense_network((x.shape[1], *hidden, 10), activation, seed)
    if steps:
        train(model, x, y, steps, decay)
    return model, x, y


@lru_cache(maxsize=8)
def pooled_digit_landscape(
    pool: int, hidden: int, classes: int = 10, samples: int = 200, steps: int = 60, decay: float = 0.0, seed: int = 0
) -> Landscape:
    """The landscape of a small network (64 / pool^2)-hidden-classes, tanh, float64, trained on digits of mean pixels.

    Of `pooled_digits`. `decay` is in the training and in the landscape, which then has a minimum that training reaches.
    """
    x, y = pooled_digits(samples, pool, classes)
    model = dense_network((x.shape[1], hidden, classes), seed=seed)
    train(model, x, y, steps, decay)
    return Landscape(model, nn.CrossEntropyLoss(), (x, y), weight_decay=decay)


def train(model: nn.Module, x: Tensor, y: Tensor, steps: int, decay: float = 0.0) -> None:
    """Full-batch L-BFGS with line search on the cross-entropy, with (decay / 2) |theta|^2 where decay is positive."""
    parameters = list(model.parameters())
    optimiser = torch.optim.LBFGS(parameters, max_iter=steps, line_search_fn="strong_wolfe", tolerance_grad=1e-12)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        if decay:
            loss = loss + decay / 2 * torch.stack([p.square().sum() for p in parameters]).sum()
        torch.autograd.backward(loss)
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    optimiser.zero_grad()


def digit_landscape(
    hidden: tuple[int, ...] = (16,),
    samples: int = 400,
    activation: str = "tanh",
    seed: int = 0,
    steps: int = 60,
    decay: float = 0.0,
) -> Landscape:
    """The landscape of such a network, with its cross-entropy over its data, and its weight decay."""
    model, x, y = digit_network(hidden, samples, activation, seed, steps, decay)
    return Landscape(model, nn.CrossEntropyLoss(), (x, y), weight_decay=decay)

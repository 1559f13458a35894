"""Running statistics of normalisation layers at another point than the one they were collected at."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from egregium.landscape.objective import ModelObjective, samples_of


def tracking(model: nn.Module) -> list[_NormBase]:
    """The modules of `model` that keep running means and variances (BatchNorm, tracking InstanceNorm)."""
    return [m for m in model.modules() if isinstance(m, _NormBase) and m.running_mean is not None]


def reestimated(objective: ModelObjective, theta: Mapping[str, Tensor]) -> ModelObjective:
    """The objective on a deep copy of its model at theta, with running statistics that belong to it.

    One pass over the data in which the normalisation layers, and they alone, are in training mode; each batch's
    statistics count by its number of samples, so that a short last batch weighs less.
    """

    def prepared(model: nn.Module) -> None:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in theta:
                    parameter.copy_(theta[name])
        model.eval()
        with _collecting(model):
            objective.looked_through(model)

    return objective.copied(prepared)


@contextmanager
def _collecting(model: nn.Module) -> Iterator[None]:
    """In here a call of `model`, a copy, adds the statistics of its batch to the means of those before."""
    layers, seen = tracking(model), 0

    def weighted(_: nn.Module, arguments: tuple[object, ...], named: dict[str, object]) -> None:
        nonlocal seen
        size = samples_of(arguments[0] if len(arguments) == 1 else (arguments or tuple(named.values())))
        seen += size
        for layer in layers:
            layer.momentum = size / seen if seen else 1.0

    hook = model.register_forward_pre_hook(weighted, with_kwargs=True)
    for layer in layers:
        layer.reset_running_stats()
        layer.training = True
    try:
        yield
    finally:
        hook.remove()
        for layer in layers:
            layer.training = False

"""Running statistics of normalisation layers at another point than the one they were collected at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from egregium.landscape.batch import BatchLoss


def tracking(model: nn.Module) -> list[_NormBase]:
    """The modules of `model` that keep running means and variances (BatchNorm, tracking InstanceNorm)."""
    return [m for m in model.modules() if isinstance(m, _NormBase) and m.running_mean is not None]


def collect(model: nn.Module, means: Callable[[Callable[[BatchLoss, Any], tuple[tuple[()], float]]], Any]) -> None:
    """One pass of forward passes (`means` of a landscape) in which the statistics of all batches are collected."""

    def forward(batch: BatchLoss, parameters: Any) -> tuple[tuple[()], float]:
        _ = batch.outputs() if batch.outputs is not None else batch.terms()
        return (), 1.0

    with collecting(model):
        means(forward)


@contextmanager
def collecting(model: nn.Module) -> Iterator[None]:
    """In here each call of a normalisation layer adds the statistics of its input to the mean of those before.

    Each call counts by its number of samples: a short last batch weighs less, and a layer that is used twice has the
    mean over both uses. A call with one value a channel has no variance and adds nothing. To be used within a pass,
    which puts the layers' modes and momenta back.
    """
    hooks = []
    for layer in tracking(model):
        seen = [0]

        def weighted(layer: Any, arguments: tuple[Any, ...], seen: list[int] = seen) -> None:
            x: Tensor = arguments[0]
            layer.training = x.numel() > x.shape[1] if x.ndim > 1 else False
            if layer.training:
                seen[0] += len(x)
                layer.momentum = len(x) / seen[0]

        hooks.append(layer.register_forward_pre_hook(weighted))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()

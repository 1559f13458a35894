"""Layers whose second derivative torch has wrong or lacks, in operations that have a right one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import _WeightNorm
from torch.nn.utils.weight_norm import WeightNorm


def _weight_norm(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """Gradgradcheck fails on the fused kernel (torch 2.13)."""
    return v * (g / torch.norm_except_dim(v, 2, dim))


def _of_hook(hook: WeightNorm, module: nn.Module) -> Tensor:
    return _weight_norm(getattr(module, f"{hook.name}_v"), getattr(module, f"{hook.name}_g"), hook.dim)


#: By class of a module or of a hook: the method that is replaced, and by what.
METHODS: dict[type, tuple[str, Callable[..., Tensor]]] = {
    _WeightNorm: ("forward", lambda layer, g, v: _weight_norm(v, g, layer.dim)),
    WeightNorm: ("compute_weight", _of_hook),
    nn.Hardsigmoid: ("forward", lambda layer, x: F.relu6(x + 3) / 6),
}


@contextmanager
def replaced_layers(model: nn.Module) -> Iterator[None]:
    """The layers in METHODS as they are written here; then as before.

    On the objects themselves, not by a mode of torch: a backward pass that computes activations again leaves modes.
    """
    hooks = (hook for module in model.modules() for hook in module._forward_pre_hooks.values())
    parts: list[Any] = [part for part in (*model.modules(), *hooks) if type(part) in METHODS]
    changed = [part for part in parts if METHODS[type(part)][0] not in vars(part)]
    for part in changed:
        name, method = METHODS[type(part)]
        vars(part)[name] = partial(method, part)
    try:
        yield
    finally:
        for part in changed:
            del vars(part)[METHODS[type(part)][0]]

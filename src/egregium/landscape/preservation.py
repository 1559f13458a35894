"""Whatever a measurement touches is put back: the modules' modes and attributes, and random generators."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

#: Every pass over the data starts the global generators here, so that two passes see the same order and workers.
PASS_SEED = 0


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """All modules in evaluation mode (no dropout, running statistics kept), each as it was afterwards.

    That is its mode and the attributes that a forward pass sets, such as caches or the weight of `spectral_norm`,
    which would otherwise keep the pass's graph alive.
    """
    before = [(module, module.training, dict(vars(module))) for module in model.modules()]
    try:
        for module, _, _ in before:
            module.training = False
        yield
    finally:
        for module, mode, attributes in before:
            for name in vars(module).keys() - attributes.keys():
                del vars(module)[name]
            vars(module).update(attributes)
            module.training = mode


@contextmanager
def generators_kept(data: Any) -> Iterator[None]:
    """The generators of torch, numpy and random, and a loader's own, as they were afterwards.

    Inside, the global ones start from a fixed seed: a pass depends on the data alone.
    """
    own = [(g, g.get_state()) for g in _generators(data)]
    python, numbers, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    try:
        random.seed(PASS_SEED)
        np.random.seed(PASS_SEED)
        torch.manual_seed(PASS_SEED)
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numbers)
        torch.set_rng_state(cpu)
        if devices:
            torch.cuda.set_rng_state_all(devices)
        for generator, state in own:
            generator.set_state(state)


def _generators(data: Any) -> list[torch.Generator]:
    """The generators that a DataLoader, its sampler and its batch sampler own, each once."""
    sampler, batches = getattr(data, "sampler", None), getattr(data, "batch_sampler", None)
    owners = (data, sampler, batches, getattr(batches, "sampler", None))
    found = (getattr(owner, "generator", None) for owner in owners)
    return list({id(g): g for g in found if isinstance(g, torch.Generator)}.values())

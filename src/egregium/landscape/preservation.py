"""Whatever a measurement touches is put back: the modules' modes and attributes, and random generators."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Generator = torch.Generator | np.random.Generator | np.random.RandomState | random.Random
#: How deep generators are looked for inside the data, and the longest list of parts that is looked into.
DEPTH, SHORT = 5, 64


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """All modules in evaluation mode (no dropout, running statistics kept), each as it was afterwards.

    That is its mode and the attributes that a forward pass sets, such as caches or the weight of `spectral_norm`,
    which would otherwise keep the pass's graph alive.
    """
    before = [(module, module.training, dict(vars(module))) for module in model.modules()]
    registered: list[tuple[Any, Any]] = []
    for module in model.modules():
        registered += [(own, own.copy()) for own in (module._buffers, module._non_persistent_buffers_set)]
    try:
        for module, _, _ in before:
            module.training = False
        yield
    finally:
        for own, as_it_was in registered:  # buffers that a forward pass makes
            own.clear()
            own.update(as_it_was)
        for module, mode, attributes in before:
            for name in vars(module).keys() - attributes.keys():
                del vars(module)[name]
            vars(module).update(attributes)
            module.training = mode


@contextmanager
def generators_kept(data: Any, *modules: nn.Module) -> Iterator[list[Generator]]:
    """The generators of torch, numpy and random, and those that data and modules own, as they were afterwards.

    Gives those that the data own. Nothing of CUDA is touched before it is in use: a queued seed would be lost.
    """
    own = owned_generators(data)
    kept = [*own, *(g for module in modules for g in vars(module).values() if isinstance(g, Generator))]
    states = [_state(generator) for generator in kept]
    python, numbers, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    try:
        yield own
    finally:
        random.setstate(python)
        np.random.set_state(numbers)
        torch.set_rng_state(cpu)
        if devices:
            torch.cuda.set_rng_state_all(devices)
        for generator, state in zip(kept, states, strict=True):
            _restore(generator, state)


def seed_all(*key: int, own: Sequence[Generator] = ()) -> None:
    """Start the global generators, and those in `own`, from a seed that is a function of `key`."""
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    for generator in own:
        if isinstance(generator, torch.Generator):
            generator.manual_seed(seed)
        elif isinstance(generator, (random.Random, np.random.RandomState)):
            generator.seed(seed)
        else:
            generator.bit_generator.state = type(generator.bit_generator)(seed).state


def owned_generators(data: Any) -> list[Generator]:
    """The generators among the attributes of a DataLoader, its samplers, its dataset and what these are made of."""
    found: dict[int, Generator] = {}
    seen: set[int] = set()
    layer = [data]
    for _ in range(DEPTH):
        parts = [part for owner in layer for part in _parts(owner) if id(part) not in seen]
        seen |= {id(part) for part in parts}
        found |= {id(part): part for part in parts if isinstance(part, Generator)}
        layer = [part for part in parts if not isinstance(part, (Tensor, nn.Module, type))]
    return list(found.values())


def _parts(owner: Any) -> list[Any]:
    """Attributes of an object, and the elements of those that are short (a chain of transforms, a dict by name)."""
    values = list(vars(owner).values()) if hasattr(owner, "__dict__") else []
    short = [value for value in values if isinstance(value, (list, tuple, dict)) and len(value) <= SHORT]
    return values + [e for value in short for e in (value.values() if isinstance(value, dict) else value)]


def _state(generator: Generator) -> Any:
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    if isinstance(generator, np.random.RandomState):
        return generator.get_state()
    return generator.getstate() if isinstance(generator, random.Random) else generator.bit_generator.state


def _restore(generator: Generator, state: Any) -> None:
    if isinstance(generator, torch.Generator):
        generator.set_state(state)
    elif isinstance(generator, random.Random):
        generator.setstate(state)
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state

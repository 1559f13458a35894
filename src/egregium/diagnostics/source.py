"""Which samples a DataLoader chooses, and whether a sample is the same each time: without a pass over the data."""

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_leaves
from torch.utils.data import DataLoader, IterableDataset, WeightedRandomSampler

from egregium.diagnostics.finding import Finding
from egregium.diagnostics.samples import Samples
from egregium.diagnostics.site import Part, defined
from egregium.diagnostics.watch import NAMES, TORCH, Watch, states_beside_torch
from egregium.landscape.fetching import DRAW, ORDER
from egregium.landscape.preservation import Generator, generators_kept, seed_all

#: Samples that are fetched twice.
PROBED = 32


def sampling_fault(data: Any) -> Finding | None:
    """What is wrong where the sampler of a DataLoader chooses other samples in another pass; None where it does not."""
    if not isinstance(data, DataLoader) or isinstance(data.dataset, IterableDataset):
        return None
    source = data.sampler if data.batch_sampler is None else data.batch_sampler
    first, second = _indices(data, source, 0), _indices(data, source, 1)
    if first == second:
        return None
    inner = getattr(source, "sampler", source)
    name = type(inner).__name__
    if getattr(source, "drop_last", False) and _indices(data, inner, 0) == _indices(data, inner, 1):
        dropped = sum(_indices(data, inner, 0).values()) - sum(first.values())
        found = f"drop_last leaves out {dropped} samples in each pass, others each time, for the order is shuffled"
        return Finding("data", found, "fault", change="Pass drop_last=False, or shuffle=False.")
    if isinstance(inner, WeightedRandomSampler) or getattr(inner, "replacement", False):
        often = f"{name} draws with replacement: {len(first):,} different samples in {sum(first.values()):,} draws"
        return Finding("data", often, "fault", change="Use a loader with shuffle=True or no sampler.")
    found = f"{name} chooses other samples in each pass"
    return Finding("data", found, "fault", change="Use a sampler that gives every sample once, or none.")


def changing_samples(data: Any, differ: bool) -> Finding | None:
    """What is wrong where dataset or collate give something else for the same index; None where they do not.

    `differ`: the samples of two passes were not the same. Where samples cannot be fetched one by one, or a transform
    is so rare that the probed ones escaped it, that is all there is to go by.
    """
    change = "Leave augmentation out of the data that are measured, or pass a list of fixed batches."
    if isinstance(data, DataLoader) and not isinstance(data.dataset, IterableDataset) and not data.num_workers:
        return _probed(data, differ, change)
    if not differ:
        return None
    what = type(data.dataset if isinstance(data, DataLoader) else data).__name__
    return Finding("data", f"{what} gives other samples in each pass", "fault", change=change)


def _probed(loader: DataLoader[Any], differ: bool, change: str) -> Finding | None:
    indices: list[Any] = []
    source = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
    with generators_kept(loader) as own:
        seed_all(ORDER, 0)
        for entry in source:
            indices += tree_leaves(entry)
            if len(indices) >= PROBED:
                break
        fetched, moved, where = _twice(lambda: _samples(loader, indices[:PROBED]), own, "data")
        if fetched[0] != fetched[1] or (differ and moved):
            return _random_part(
                f"{type(loader.dataset).__name__}.__getitem__", type(loader.dataset).__getitem__, moved, where, change
            )
        seed_all(DRAW, 0)
        samples = _samples(loader, indices[:PROBED])
        collated, moved, where = _twice(lambda: loader.collate_fn(samples), own, "data")
        if collated[0] != collated[1] or (differ and moved):
            name = getattr(loader.collate_fn, "__name__", type(loader.collate_fn).__name__)
            return _random_part(f"collate_fn {name}", loader.collate_fn, moved, where, change)
    return None


def _random_part(name: str, thing: Any, moved: str, where: str, change: str) -> Finding:
    found = f"{name} gives something else each time" + (f", by {moved}" if moved else ", by no generator that is known")
    return Finding("data", found, "fault", where or defined(thing), change)


def _indices(loader: DataLoader[Any], source: Any, seed: int) -> Counter[Any]:
    with generators_kept(loader) as own:
        seed_all(ORDER, seed, own=own if seed else ())
        return Counter(index for entry in source for index in tree_leaves(entry))


def _samples(loader: DataLoader[Any], indices: list[Any]) -> Any:
    dataset: Any = loader.dataset
    if loader.batch_sampler is not None and callable(getattr(dataset, "__getitems__", None)):
        return dataset.__getitems__(indices)
    return [dataset[index] for index in indices]


def _twice(call: Any, own: Sequence[Generator], part: Part) -> tuple[list[tuple[int, int]], str, str]:
    """What `call` gives from two seeds, as hashes; the generators it moved; the first line that drew from torch's."""
    found, moved, watch = [], "", Watch()
    for seed in (0, 1):
        seed_all(DRAW, seed, own=own)
        before = _states(own)
        with ExitStack() as stack:
            stack.enter_context(watch.within(part))
            given = call()
        after = _states(own)
        moved = moved or " and ".join(name for name in before if before[name] != after[name])
        samples = Samples()
        for one in given if isinstance(given, list) else [given]:
            samples.add(one)
        found.append((samples.number, samples.total))
    return found, moved, next((str(site) for site in watch.draws.values() if site.file), "")


def _states(own: Sequence[Generator]) -> dict[str, Any]:
    states = {NAMES[name]: state for name, state in states_beside_torch().items()}
    states[NAMES[TORCH]] = torch.get_rng_state().numpy().tobytes()
    for number, generator in enumerate(own):
        state: Any = generator.get_state().tolist() if isinstance(generator, torch.Generator) else None
        state = generator.bit_generator.state if isinstance(generator, np.random.Generator) else state
        state = generator.getstate() if isinstance(generator, random.Random) else state
        states[f"a generator of its own{f' (no. {number + 1})' if number else ''}"] = str(state)
    return states

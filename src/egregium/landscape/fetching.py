"""Batches as a pass fetches them: generators from fixed seeds, so that every pass sees the same."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn

from egregium.landscape.preservation import Generator, evaluation_mode, generators_kept, seed_all

#: Streams of the generators within a pass: the order of the data, what the data draw, what model and loss draw.
ORDER, DRAW, NOISE = 0, 1, 2


@dataclass(frozen=True)
class Seeds:
    """Where the global generators start in a pass: `data` before each batch is fetched, `noise` before it is used.

    The generators that the data own go on from where they are, unless `data` is not 0.
    """

    data: int = 0
    noise: int = 0


def fetched(data: Any, seeds: Seeds, own: Sequence[Generator]) -> Iterator[Any]:
    """The batches, the generators started anew before each: what a batch draws does not depend on the one before."""
    seed_all(ORDER, seeds.data, own=own if seeds.data else ())
    batches, index = iter(data), 0
    while True:
        seed_all(DRAW, seeds.data, index)
        try:
            batch = next(batches)
        except StopIteration:
            return
        yield batch
        del batch
        index += 1


@contextmanager
def fetched_once(model: nn.Module, data: Any) -> Iterator[Iterator[Any]]:
    """The batches as the data give them to a pass, on no other device and in no other dtype; nothing is computed.

    All that a pass puts back is put back here.
    """
    with evaluation_mode(model), generators_kept(data, *model.modules()) as own:
        yield fetched(data, Seeds(), own)

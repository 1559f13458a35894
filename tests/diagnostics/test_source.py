"""What a DataLoader chooses and gives, found out without a pass; the data and their generators stay as they are."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SubsetRandomSampler, TensorDataset

from egregium.diagnostics.source import changing_samples, sampling_fault

DATA = TensorDataset(torch.randn(20, 3), torch.arange(20))


class Draws(Dataset[Any]):
    """Draws a number for each sample, and gives it only where `used`."""

    def __init__(self, used: bool, own: Any = None) -> None:
        self.used, self.own = used, own

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> torch.Tensor:
        number = float(torch.rand((), generator=self.own))
        return torch.tensor([index, self.used * number])


class InBulk(Draws):
    def __getitems__(self, indices: list[int]) -> list[torch.Tensor]:
        return [super(InBulk, self).__getitem__(i) + random.random() for i in indices]


@pytest.mark.parametrize(
    ("loader", "words"),
    [
        (DataLoader(DATA, 6), None),
        (DataLoader(DATA, 6, shuffle=True), None),
        (DataLoader(DATA, 6, drop_last=True), None),
        (DataLoader(DATA, 5, shuffle=True, drop_last=True), None),
        (DataLoader(DATA, batch_size=None, shuffle=True), None),
        (DataLoader(DATA, 6, shuffle=True, drop_last=True), "drop_last leaves out 2 samples"),
        (DataLoader(DATA, 6, sampler=RandomSampler(DATA, replacement=True), drop_last=True), "with replacement"),
        (DataLoader(DATA, batch_sampler=BatchSampler(RandomSampler(DATA), 6, True)), "drop_last leaves out 2"),
        (DataLoader(DATA, 6, sampler=SubsetRandomSampler([1, 2, 3])), None),
        (DataLoader(DATA, 6, sampler=RandomSampler(DATA, num_samples=7)), "RandomSampler chooses other samples"),
        ([(torch.ones(1), torch.ones(1))], None),
    ],
)
def test_sampling(loader: Any, words: str | None, untouched: Any) -> None:
    with untouched():
        fault = sampling_fault(loader)
    assert (fault is None) == (words is None)
    assert words is None or (fault.state == "fault" and words in fault.found)


def test_a_seen_draw_is_a_fault_where_the_samples_differ(untouched: Any) -> None:
    own = torch.Generator().manual_seed(2)
    with untouched(None, own):
        assert "torch's generator" in changing_samples(DataLoader(Draws(True), 4), False).found
        assert "a generator of its own" in changing_samples(DataLoader(Draws(True, own), 4), False).found
        assert changing_samples(DataLoader(Draws(False), 4), False) is None
        assert changing_samples(DataLoader(Draws(False), 4), True) is not None  # too rare to be seen in a few samples
        assert changing_samples(DataLoader(DATA, 4), True) is None


def test_samples_fetched_in_bulk() -> None:
    found = changing_samples(DataLoader(InBulk(False), 4), False).found
    assert "Python's random and torch's generator" in found


def test_where_it_draws() -> None:
    fault = changing_samples(DataLoader(Draws(True), 4, shuffle=True), False)
    assert "test_source.py" in fault.where
    assert "torch.rand((), generator=self.own)" in fault.where
    collate = lambda batch: torch.stack(batch) + np.random.rand()
    fault = changing_samples(DataLoader(Draws(False), 4, collate_fn=collate), False)
    assert fault.where.endswith(f"test_source.py:{collate.__code__.co_firstlineno}")


def test_what_cannot_be_fetched_one_by_one() -> None:
    assert changing_samples([1], False) is None
    assert "list gives other samples" in changing_samples([1], True).found

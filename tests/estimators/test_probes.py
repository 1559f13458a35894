"""Probes depend on seed, stream and index alone."""

import numpy as np
import pytest
import torch

from egregium.estimators.probes import signs

CPU = torch.device("cpu")


def draw(n: int = 101, first: int = 0, count: int = 6, seed: int = 3, stream: int = 1) -> torch.Tensor:
    return signs(n, first, count, seed=seed, stream=stream, dtype=torch.float64, device=CPU)


def test_entries_are_signs_of_mean_zero() -> None:
    v = draw(10_000, count=4)
    assert set(v.unique().tolist()) == {-1.0, 1.0}
    assert v.mean(0).abs().max() < 4 / 10_000**0.5
    gram = v.T @ v / 10_000
    assert (gram - torch.eye(4)).abs().max() < 4 / 10_000**0.5


def test_how_many_are_drawn_at_once_does_not_matter() -> None:
    assert torch.equal(draw(), torch.cat([draw(first=0, count=2), draw(first=2, count=4)], dim=1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_dtype_does_not_matter(dtype: torch.dtype) -> None:
    assert torch.equal(draw().to(dtype), signs(101, 0, 6, seed=3, stream=1, dtype=dtype, device=CPU))


def test_seed_stream_and_index_all_matter() -> None:
    base = draw(count=1)
    for other in (draw(count=1, seed=4), draw(count=1, stream=0), draw(count=1, first=1)):
        assert not torch.equal(base, other)


def test_global_generators_are_neither_read_nor_moved() -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = draw()
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    torch.manual_seed(1)
    assert torch.equal(draw(), first)

"""What is recorded inside a pass, and that one place can be given other random numbers."""

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from egregium.diagnostics.watch import NUMPY, PYTHON, Switches, Watch


def drawn(watch: Watch, index: int = 0) -> tuple[Tensor, Tensor]:
    watch.begin(index)
    with watch.within("model"):
        return torch.randn(4), torch.rand(4)


def test_random_numbers_depend_on_seed_batch_and_call_alone() -> None:
    first = drawn(Watch())
    torch.manual_seed(99)
    assert all(map(torch.equal, first, drawn(Watch())))
    assert not torch.equal(first[0], drawn(Watch(noise=1))[0])
    assert not torch.equal(first[0], drawn(Watch(), 1)[0])


def test_one_place_gets_others_and_the_rest_keeps_its_own() -> None:
    watch = Watch()
    normal, uniform = drawn(watch)
    place = next(place for place, site in watch.draws.items() if site.function == "rand")
    shaken = drawn(Watch(switches=Switches(shaken=place)))
    assert torch.equal(normal, shaken[0])
    assert not torch.equal(uniform, shaken[1])


@pytest.mark.parametrize(("name", "draw"), [(NUMPY, lambda: np.random.rand()), (PYTHON, lambda: random.random())])
def test_generators_beside_torch(name: str, draw: object, untouched: object) -> None:
    watch = Watch()
    with watch.within("loss"):
        draw()
    with watch.within("model"):
        torch.rand(1)
    assert watch.moved == {name: "loss"}
    numbers = []
    for _ in range(2):
        Watch(switches=Switches(shaken=name)).begin(3)
        numbers.append(draw())
    assert numbers[0] == numbers[1]


def test_a_generator_of_its_own_is_left_alone() -> None:
    watch, own = Watch(), torch.Generator().manual_seed(1)
    expected = torch.randn(3, generator=torch.Generator().manual_seed(1))
    with watch.within("model"):
        assert torch.equal(torch.randn(3, generator=own), expected)
    assert watch.own == set(watch.draws)


def test_what_the_data_draw_is_not_started_anew() -> None:
    torch.manual_seed(5)
    expected = torch.randn(3)
    torch.manual_seed(5)
    with Watch().within("data"):
        assert torch.equal(torch.randn(3), expected)


@pytest.mark.parametrize("stored", [True, False])
def test_batch_statistics_are_replaced_by_stored_ones(stored: bool) -> None:
    x, mean, var = torch.randn(5, 3), torch.ones(3), torch.full((3,), 4.0)
    watch = Watch(switches=Switches(stored_statistics=True))
    with watch.within("model"):
        z = F.batch_norm(x, mean if stored else None, var if stored else None, training=True)
    assert torch.allclose(z, (x - 1) / 2 if stored else x, atol=1e-4)
    ((_, has),) = watch.norms.values()
    assert has == stored
    watch = Watch()
    with watch.within("model"):
        F.batch_norm(x, mean, var)
    assert not watch.norms


def test_no_mode_stays_when_the_block_raises() -> None:
    watch = Watch()
    with pytest.raises(ZeroDivisionError), watch.within("model"):
        raise ZeroDivisionError
    before = len(watch.calls)
    torch.rand(2) + 1
    assert (len(watch.calls), len(watch.draws), watch.part) == (before, 0, "data")


def test_results_inside_a_transform_are_not_kept() -> None:
    watch = Watch()
    with watch.within("model"):
        torch.func.vmap(lambda x: x * 2)(torch.ones(3))
    assert all(number is None or number.ndim == 0 for _, number in watch.calls)

"""The fingerprint tells data, points and models apart, and leaves everything as it was."""

import random
from collections import UserDict, namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import egregium as eg
from egregium.landscape.fingerprint import add

X, Y = torch.arange(24.0).reshape(8, 3), torch.arange(8) % 2


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def landscape(data: Any = (X, Y), model: nn.Module | None = None, **options: Any) -> eg.Landscape:
    return eg.Landscape(model or network(), nn.CrossEntropyLoss(), data, **options)


def test_what_it_counts() -> None:
    found = landscape([(X[:5], Y[:5]), (X[5:], Y[5:])]).fingerprint()
    assert (found.samples, found.batches) == (8, 2)
    assert found.model.startswith("Sequential ")
    assert all(len(digest) == 16 for digest in (found.data, found.point, found.model.split()[1]))


def test_copies_and_casts_have_the_same_data() -> None:
    one = landscape().fingerprint()
    assert landscape((X.clone(), Y.clone())).fingerprint() == one
    assert landscape().scaled(3.0).fingerprint() == one
    double = landscape(dtype=torch.float64).fingerprint()
    assert double.data == one.data
    assert double.point != one.point


@pytest.mark.parametrize(
    "data",
    [
        (X + 1e-6, Y),
        (X, 1 - Y),
        (X.double(), Y),
        (X.flip(0), Y),
        [(X[:4], Y[:4]), (X[4:], Y[4:])],
        [(X, Y), (X, Y)],
        (X[:7], Y[:7]),
    ],
    ids=["values", "targets", "dtype", "order", "split", "twice", "fewer"],
)
def test_other_data(data: Any) -> None:
    one, other = landscape().fingerprint(), landscape(data).fingerprint()
    assert other.data != one.data
    assert (other.point, other.model) == (one.point, one.model)


def test_other_point_and_model() -> None:
    land = landscape()
    one, moved = land.fingerprint(), land.at(land.theta + 1).fingerprint()
    assert (moved.data, moved.model) == (one.data, one.model)
    assert moved.point != one.point
    part = landscape(params="0.*").fingerprint()
    assert part.model != one.model


def test_a_plain_function() -> None:
    land = eg.Landscape.from_function(lambda x: x @ x, torch.ones(2))
    found = land.fingerprint()
    assert (found.samples, found.batches, found.data, found.model) == (0, 0, "", "function")
    assert found.point != land.at(torch.zeros(2)).fingerprint().point


class Drawing(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    """Draws from every global generator, and from its own."""

    def __init__(self) -> None:
        self.own = torch.Generator().manual_seed(5)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for _ in range(4):
            noise = random.random() + np.random.rand() + torch.rand(()).item()
            yield torch.full((3,), noise) + torch.rand(3, generator=self.own), torch.tensor(1)


def test_generators_and_model_are_left_and_seeds_are_the_passes_own() -> None:
    data = Drawing()
    model = network().train()
    land = landscape(DataLoader(data, batch_size=2), model)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state(), data.own.get_state()
    one, again = land.fingerprint(), land.fingerprint()
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state(), data.own.get_state()
    assert one == again
    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])
    assert torch.equal(before[3], after[3])
    assert all(module.training for module in model.modules())


def test_a_shuffled_loader_has_one_fingerprint() -> None:
    land = landscape(DataLoader(TensorDataset(X, Y), batch_size=3, shuffle=True))
    torch.manual_seed(1)
    one = land.fingerprint()
    torch.manual_seed(2)
    assert land.fingerprint() == one


Pair = namedtuple("Pair", "a b")


@dataclass
class Record:
    x: torch.Tensor
    name: str


class Plain:
    """Its repr holds an address."""


def digest(value: Any) -> str:
    found = sha256()
    add(found, value)
    return found.hexdigest()


def test_structures_are_told_apart() -> None:
    values = [
        X,
        X.reshape(3, 8),
        X.to_sparse()[0],
        X.numpy()[0],
        [X, Y],
        [[X], Y],
        [Y, X],
        {"x": X},
        {"y": X},
        UserDict({"x": Y}),
        Record(X, "a"),
        Record(X, "b"),
        "1",
        1,
        1.0,
        None,
        torch.tensor(1),
        torch.empty(0),
        torch.empty(0, 3),
        np.empty((0, 3)),
        X.T.numpy(),
        torch.nested.nested_tensor([X[0], X[1, :2]], layout=torch.jagged),
        torch.nested.nested_tensor([X[0], X[1, :1]], layout=torch.jagged),
        X.to(torch.complex64),
        X.to(torch.bfloat16),
        np.array(["a", None], dtype=object),
        Plain(),
    ]
    assert len({digest(value) for value in values}) == len(values)


def test_what_is_the_same_is_the_same() -> None:
    here, there = Plain(), Plain()
    assert repr(here) != repr(there)
    assert digest([here]) == digest([there])
    assert digest({"x": X}) == digest(UserDict({"x": X.clone()}))
    assert digest(Pair(X, Y)) == digest((X, Y))
    assert digest(X.T) == digest(X.T.contiguous())
    with torch.inference_mode():
        inside = X.clone()
    assert digest(inside) == digest(X)
    assert digest(nn.Parameter(X)) == digest(X)


def test_measure_records_it_at_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    land = landscape(model=network().eval())
    m = eg.measure(land, extremes=False)
    assert m.fingerprint == land.fingerprint()
    monkeypatch.setattr(eg.Landscape, "fingerprint", lambda self: None)
    without = eg.measure(land, extremes=False)
    assert m.cost.effort == without.cost.effort
    assert m.scalar_curvature.value == without.scalar_curvature.value

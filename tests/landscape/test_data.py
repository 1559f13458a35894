"""Every form of data as batches, and what is said of what is no data."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, random_split

import egregium as eg
from egregium.errors import DataError
from egregium.landscape.data import DATASET_BATCH, moved

DOUBLE = torch.float64
Pair = tuple[Tensor, Tensor]


class Stream(IterableDataset[Any]):
    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x, y

    def __iter__(self) -> Iterator[Any]:
        return iter(zip(self.x, self.y, strict=True))


class Batches:
    """Iterable anew, and nothing else."""

    def __init__(self, batches: list[Pair]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.batches)


FORMS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "pair": lambda x, y: (x, y),
    "list of one": lambda x, y: [(x, y)],
    "list of pairs": lambda x, y: list(zip(x.split(32), y.split(32), strict=True)),
    "list of lists": lambda x, y: [[a, b] for a, b in zip(x.split(32), y.split(32), strict=True)],
    "tuple of three": lambda x, y: tuple(zip(x.split(32), y.split(32), strict=True)),
    "own iterable": lambda x, y: Batches(list(zip(x.split(20), y.split(20), strict=True))),
    "Dataset": lambda x, y: TensorDataset(x, y),
    "Subset": lambda x, y: random_split(TensorDataset(x, y), [70])[0],
    "IterableDataset": lambda x, y: Stream(x, y),
    "DataLoader": lambda x, y: DataLoader(TensorDataset(x, y), batch_size=32),
    "DataLoader, shuffled": lambda x, y: DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True),
    "DataLoader, own generator": lambda x, y: DataLoader(
        TensorDataset(x, y), batch_size=9, shuffle=True, generator=torch.Generator().manual_seed(5)
    ),
    "DataLoader of a stream": lambda x, y: DataLoader(Stream(x, y), batch_size=32),
    "DataLoader without batches": lambda x, y: DataLoader(
        TensorDataset(x.split(35)[0], y.split(35)[0]), batch_size=None
    ),
}
BATCHED = {name: form for name, form in FORMS.items() if name != "DataLoader without batches"}


@pytest.mark.parametrize("form", BATCHED.values(), ids=BATCHED.keys())
def test_every_form_is_the_same_function(
    form: Any, tanh_mlp: nn.Module, whole: Pair, mlp_reference: Any, untouched: Any
) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), form(*whole))
    v = torch.randn(land.n, dtype=DOUBLE)
    with untouched(tanh_mlp, *whole):
        for _ in range(2):  # data are read anew at each pass
            torch.testing.assert_close(land.gradient(), mlp_reference.gradient, rtol=1e-10, atol=1e-12)
            torch.testing.assert_close(eg.hessian(land) @ v, mlp_reference.hessian @ v, rtol=1e-10, atol=1e-12)


def test_a_loader_without_batches_gives_samples(tanh_mlp: nn.Module, whole: Pair) -> None:
    x, y = whole[0][:5], whole[1][:5]
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), DataLoader(TensorDataset(x, y), batch_size=None))
    assert land.value() == pytest.approx(float(F.cross_entropy(tanh_mlp(x), y).detach()), rel=1e-12)


def test_a_dataset_is_cut_into_batches(tanh_mlp: nn.Module) -> None:
    sizes: list[int] = []
    x, y = torch.randn(600, 3, dtype=DOUBLE), torch.randint(0, 3, (600,))

    def batch_loss(model: nn.Module, batch: Any) -> tuple[Tensor, int]:
        sizes.append(len(batch[0]))
        return F.cross_entropy(model(batch[0]), batch[1], reduction="sum"), len(batch[0])

    eg.Landscape(tanh_mlp, batch_loss=batch_loss, data=TensorDataset(x, y)).value()
    assert sizes == [DATASET_BATCH, DATASET_BATCH, 600 - 2 * DATASET_BATCH]


def test_two_passes_over_a_shuffled_loader_are_bitwise_equal(tanh_mlp: nn.Module, whole: Pair) -> None:
    """Also when the caller's generators move in between."""
    for generator in (None, torch.Generator().manual_seed(3)):
        loader = DataLoader(TensorDataset(*whole), batch_size=8, shuffle=True, generator=generator)
        land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), loader)
        first = land.gradient()
        torch.rand(5)
        assert torch.equal(land.gradient(), first)


# --- inputs


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 3).to(DOUBLE), nn.Linear(2, 3).to(DOUBLE)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.a(left) * self.b(right)


@pytest.mark.parametrize("kind", ["dict", "tuple", "list"])
def test_inputs_of_several_tensors(kind: str, reference: Any) -> None:
    model, left, right = Two(), torch.randn(5, 3, dtype=DOUBLE), torch.randn(5, 2, dtype=DOUBLE)
    y = torch.tensor([0, 1, 2, 1, 0])
    expected = reference(model, lambda forward: F.cross_entropy(forward(left, right), y))

    def x(rows: slice) -> Any:
        a, b = left[rows], right[rows]
        return {"dict": {"right": b, "left": a}, "tuple": (a, b), "list": [a, b]}[kind]

    for cuts in ((0, 5), (0, 2, 5)):
        rows = [slice(*pair) for pair in pairwise(cuts)]
        land = eg.Landscape(model, nn.CrossEntropyLoss(), [(x(r), y[r]) for r in rows])
        torch.testing.assert_close(land.gradient(), expected.gradient, rtol=1e-10, atol=1e-12)
        H = eg.hessian(land) @ torch.eye(land.n, dtype=DOUBLE)
        torch.testing.assert_close(H, expected.hessian, rtol=1e-10, atol=1e-12)


class Structured(nn.Module):
    """Outputs in a dict, with one that the loss does not use."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3).to(DOUBLE), nn.Linear(3, 3).to(DOUBLE)

    def forward(self, x: Tensor) -> dict[str, Any]:
        hidden = self.first(x).tanh()
        return {"logits": self.second(hidden), "states": [hidden], "note": "not a tensor", "length": len(x)}


@pytest.mark.parametrize("operator", ["hessian", "ggn"])
def test_outputs_and_targets_of_any_structure(operator: Any, whole: Pair, reference: Any) -> None:
    model, (x, y) = Structured(), whole

    def loss(output: dict[str, Any], target: dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(output["logits"], target["y"])

    land = eg.Landscape(model, loss, [(x[:32], {"y": y[:32]}), (x[32:], {"y": y[32:]})])
    plain = nn.Sequential(model.first, nn.Tanh(), model.second)
    twin = eg.Landscape(plain, nn.CrossEntropyLoss(), whole)
    found = eg.trace(land, operator=operator, method="exact").value
    assert found == pytest.approx(eg.trace(twin, operator=operator, method="exact").value, rel=1e-10)
    if operator == "hessian":
        expected = reference(model, lambda forward: loss(forward(x), {"y": y}))
        assert found == pytest.approx(float(expected.hessian.trace()), rel=1e-10)


# --- what is no data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (iter([1]), "one-shot list_iterator: it is empty after one pass.*Pass list"),
        ((x for x in range(3)), "one-shot generator"),
        (map(str, "ab"), "one-shot map"),
        ([], "data has no batches"),
        ((), "data has no batches"),
        (None, "Landscape needs data="),
        (3, "a list of batches, a DataLoader, a Dataset or one pair .*, got int"),
        (torch.ones(2, 3), "got Tensor"),
        ({"x": torch.ones(2)}, "got dict"),
        ("digits", "got str"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_what_is_no_data_is_told_so_at_once(data: Any, said: str, tanh_mlp: nn.Module) -> None:
    with pytest.raises(DataError, match=said):
        eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), data)


class Empty(Dataset[Any]):
    def __len__(self) -> int:
        return 0

    def __getitem__(self, index: int) -> Any:
        raise IndexError(index)


@pytest.mark.parametrize(
    "data", [DataLoader(Empty()), Empty(), Batches([]), DataLoader(TensorDataset(torch.ones(3, 3)), 5, drop_last=True)]
)
def test_no_batches_in_a_pass(data: Any, tanh_mlp: nn.Module) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), data)
    with pytest.raises(DataError, match="data gave no batches in this pass"):
        land.value()


def test_a_list_of_two_tensors_is_no_pair(tanh_mlp: nn.Module, whole: Pair) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), list(whole))
    with pytest.raises(DataError, match=r"batch 0 is a Tensor\. Did you mean the tuple \(X, y\)\? A list is a list of"):
        land.value()


@pytest.mark.parametrize(
    ("batch", "kind"), [({"x": 1}, "dict"), ((1, 2, 3), "tuple"), ("no", "str"), ([torch.ones(1, 3)], "list")]
)
def test_other_batches_need_batch_loss(batch: Any, kind: str, tanh_mlp: nn.Module, ragged: Any) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), [*ragged, batch])
    with pytest.raises(DataError, match=rf"batch 3 is a {kind}\. For batches of any other form pass batch_loss=f"):
        land.value()


def test_a_batch_of_zero_terms_adds_nothing(tanh_mlp: nn.Module, whole: Pair) -> None:
    x, y = whole
    ignored = (x[:4], torch.full((4,), -100))
    plain = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), (x, y))
    more = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), [ignored, (x, y), (x[:0], y[:0]), ignored])
    assert more.value() == plain.value()
    assert torch.equal(more.gradient(), plain.gradient())


@pytest.mark.parametrize(
    "call", [lambda land: land.value(), lambda land: land.gradient(), eg.scalar_curvature, eg.trace]
)
def test_nothing_but_zero_terms(call: Any, tanh_mlp: nn.Module, whole: Pair) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), [(whole[0], torch.full((70,), -100))] * 2)
    with pytest.raises(DataError, match=r"every batch counts 0 \(are all targets ignored\?\)"):
        call(land)


# --- moved


def test_moved_casts_floating_tensors_alone_and_copies() -> None:
    batch = {"x": torch.ones(2), "y": torch.arange(2), "z": [torch.ones(1, dtype=torch.bool), "text", 3]}
    there = moved(batch, torch.device("cpu"), DOUBLE)
    assert (there["x"].dtype, there["y"].dtype, there["z"][0].dtype) == (DOUBLE, torch.int64, torch.bool)
    assert there["z"][1:] == ["text", 3]
    same = moved(batch, torch.device("cpu"), None)
    assert same["x"].dtype == torch.float32
    same["x"].zero_()
    assert batch["x"].tolist() == [1, 1]


class WritesIntoItsInput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3).to(DOUBLE)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.mul_(2).add_(1))


def test_data_that_the_model_overwrites_stay(whole: Pair, untouched: Any) -> None:
    model = WritesIntoItsInput()
    land = eg.Landscape(model, nn.CrossEntropyLoss(), [whole])
    with untouched(model, *whole):
        first = land.value()
    assert land.value() == first

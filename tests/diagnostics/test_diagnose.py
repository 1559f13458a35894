"""One fault planted at a time, one right diagnosis each; and landscapes in which nothing is wrong."""

import contextlib
import os
import random
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, RandomSampler, TensorDataset, WeightedRandomSampler

import egregium as eg
from egregium.diagnostics import refuse_changing_loss

SAMPLES, INPUTS, HIDDEN, CLASSES = 40, 6, 8, 3
HERE = Path(__file__).name


class Net(nn.Module):
    """Two layers; `between` is called on what is between them."""

    def __init__(self, between: Callable[[Tensor], Tensor] = torch.tanh) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(INPUTS, HIDDEN), nn.Linear(HIDDEN, CLASSES)
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.between(self.first(x)))


class Unruly(Net):
    """Its forward pass puts `part` back into training mode."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__(torch.tanh)
        self.part = part

    def forward(self, x: Tensor) -> Tensor:
        self.part.train()
        z = self.part(self.first(x))
        return self.last(z[0] if isinstance(z, tuple) else z)


class Normed(Net):
    def forward(self, x: Tensor) -> Tensor:
        z = self.first(x)
        return self.last(F.batch_norm(z, None, None, training=True))


class Photos(Dataset[Any]):
    """Samples with a transform that draws from the generator that `draw` uses."""

    def __init__(self, draw: Callable[["Photos"], float] = lambda photos: 0.0) -> None:
        self.x, self.y = torch.randn(SAMPLES, INPUTS), torch.randint(0, CLASSES, (SAMPLES,))
        self.draw, self.own = draw, np.random.default_rng(5)

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.x[index] + 0.3 * self.draw(self), self.y[index]


class Stream(IterableDataset[Any]):
    def __init__(self) -> None:
        self.photos = Photos()

    def __iter__(self) -> Iterator[Any]:
        for x, y in (self.photos[i] for i in range(SAMPLES)):
            yield x + 0.3 * torch.randn(INPUTS), y


class Walks:
    """An iterable of the user's own, which draws by numpy."""

    def __iter__(self) -> Iterator[Any]:
        for _ in range(3):
            yield torch.from_numpy(np.random.randn(8, INPUTS)).float(), torch.zeros(8, dtype=torch.long)


@pytest.fixture(autouse=True)
def from_the_start() -> None:
    STATE["calls"] = 0


def samples() -> TensorDataset:
    return TensorDataset(torch.randn(SAMPLES, INPUTS), torch.randint(0, CLASSES, (SAMPLES,)))


def shuffled(**options: Any) -> DataLoader[Any]:
    return DataLoader(samples(), batch_size=9, shuffle=True, **options)


def fixed() -> list[Any]:
    return list(DataLoader(samples(), batch_size=9))


def made(model: nn.Module | None = None, data: Any = None, loss: Any = None, **options: Any) -> eg.Landscape:
    return eg.Landscape(model or Net(), loss or nn.CrossEntropyLoss(), fixed() if data is None else data, **options)


def noisy_collate(batch: Any) -> Any:
    x, y = torch.utils.data.default_collate(batch)
    return x + random.gauss(0.0, 0.3), y


def noisy(draw: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda z, y: F.cross_entropy(z * (1 + 0.3 * draw(z)), y)


def attention(z: Tensor) -> Tensor:
    heads = z.unsqueeze(1)
    return F.scaled_dot_product_attention(heads, heads, heads, dropout_p=0.4).squeeze(1)


def coupled(z: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(z @ z.T, torch.eye(len(z)))


class Memory(nn.Module):
    """Reads memory that nobody wrote in this pass: what the pass before left there."""

    def forward(self, z: Tensor) -> Tensor:
        STATE["calls"] += 1
        for _ in range(100):  # until malloc gives what was just freed
            left = [torch.full((4099,), 1.0 + STATE["calls"]) for _ in range(8)]
            del left
            here = torch.empty(4099)
            if float(here[2000]) == 1.0 + STATE["calls"]:
                break
        return z * (1 + 0.01 * here[2000])


class Counter(Net):
    """Hooks by name, added to `first`."""

    def with_hooks(self, *hooks: Callable[..., Any]) -> "Counter":
        for hook in hooks:
            self.first.register_forward_hook(hook)
        return self


STATE = {"calls": 0}


def growing(module: nn.Module, args: Any, output: Tensor) -> Tensor:
    STATE["calls"] += 1
    return output * (1 + 0.01 * STATE["calls"])


def halving(module: nn.Module, args: Any, output: Tensor) -> Tensor:
    return output / 2


def collecting(module: nn.Module, args: Any, output: Tensor) -> None:
    COLLECTED.append(output.detach().mean())


COLLECTED: list[Tensor] = []


def shrinking(module: nn.Module, args: Any, output: Tensor) -> None:
    module.weight.data.mul_(0.7)


def attribute(module: nn.Module, args: Any, output: Tensor) -> None:
    STATE["calls"] += 1
    module.late = 1 + 0.01 * STATE["calls"]


class Late(Counter):
    def forward(self, x: Tensor) -> Tensor:
        z = self.first(x)
        return self.last(z * getattr(self.first, "late", 1.0))


def generator_of_its_own() -> Callable[[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(3)
    return lambda z: z + torch.randn(z.shape, generator=generator)


def urandom(z: Tensor) -> Tensor:
    return z * (1 + int.from_bytes(os.urandom(6), "big") / 2**48)


#: name -> (landscape, subject of the finding, words in it or where it is, words in what to change)
FAULTS: dict[str, tuple[Callable[[], eg.Landscape], str, str, str]] = {
    "F.dropout": (
        lambda: made(Net(lambda z: F.dropout(z, 0.5, training=True))),
        "dropout",
        f"{HERE}:",
        "training=self.training",
    ),
    "dropout module": (lambda: made(Unruly(nn.Dropout(0.5))), "dropout", "part (Dropout)", ".train()"),
    "dropout of an LSTM": (
        lambda: made(Unruly(nn.LSTM(HIDDEN, HIDDEN, 2, dropout=0.5))),
        "dropout",
        "part (LSTM)",
        ".train()",
    ),
    "dropout in attention": (lambda: made(Net(attention)), "dropout", "dropout_p=0.4", "dropout_p=self.p"),
    "dropout, shuffled": (
        lambda: made(Net(lambda z: F.dropout(z, 0.5, training=True)), shuffled()),
        "dropout",
        f"{HERE}:",
        "training=self.training",
    ),
    "augmentation by torch": (
        lambda: made(data=DataLoader(Photos(lambda photos: float(torch.randn(()))), batch_size=9)),
        "data",
        "Photos.__getitem__ gives something else each time, by torch's generator",
        "augmentation",
    ),
    "augmentation by numpy": (
        lambda: made(data=DataLoader(Photos(lambda photos: np.random.randn()), batch_size=9, shuffle=True)),
        "data",
        "Photos.__getitem__ gives something else each time, by numpy.random",
        "augmentation",
    ),
    "augmentation by random": (
        lambda: made(data=DataLoader(Photos(lambda photos: random.random()), batch_size=9)),
        "data",
        "by Python's random",
        "augmentation",
    ),
    "augmentation by its own generator": (
        lambda: made(data=DataLoader(Photos(lambda photos: photos.own.normal()), batch_size=9)),
        "data",
        "by a generator of its own",
        "augmentation",
    ),
    "augmentation by os.urandom": (
        lambda: made(data=DataLoader(Photos(lambda photos: os.urandom(1)[0] / 256), batch_size=9)),
        "data",
        "by no generator that is known",
        "augmentation",
    ),
    "augmentation in collate": (
        lambda: made(data=shuffled(collate_fn=noisy_collate)),
        "data",
        "collate_fn noisy_collate gives something else each time, by Python's random",
        "augmentation",
    ),
    "augmentation in a stream": (
        lambda: made(data=DataLoader(Stream(), batch_size=9)),
        "data",
        "Stream gives other samples",
        "augmentation",
    ),
    "augmentation in an iterable": (lambda: made(data=Walks()), "data", "Walks gives other samples", "augmentation"),
    "drop_last": (
        lambda: made(data=shuffled(drop_last=True)),
        "data",
        "drop_last leaves out 4 samples",
        "drop_last=False",
    ),
    "replacement": (
        lambda: made(data=DataLoader(samples(), 9, sampler=RandomSampler(range(SAMPLES), replacement=True))),
        "data",
        "RandomSampler draws with replacement",
        "shuffle=True",
    ),
    "weighted sampler": (
        lambda: made(data=DataLoader(samples(), 9, sampler=WeightedRandomSampler([1.0, 3.0] * 20, SAMPLES))),
        "data",
        "WeightedRandomSampler draws with replacement",
        "shuffle=True",
    ),
    "some samples": (
        lambda: made(data=DataLoader(samples(), 9, sampler=RandomSampler(range(SAMPLES), num_samples=20))),
        "data",
        "RandomSampler chooses other samples",
        "every sample once",
    ),
    "BatchNorm without statistics": (
        lambda: made(Net(nn.BatchNorm1d(HIDDEN, track_running_stats=False)), shuffled()),
        "BatchNorm",
        "between (BatchNorm1d)",
        "track_running_stats=True",
    ),
    "BatchNorm by hand": (lambda: made(Normed(), shuffled()), "BatchNorm", f"{HERE}:", "training=self.training"),
    "BatchNorm in training mode": (
        lambda: made(Unruly(nn.BatchNorm1d(HIDDEN)), shuffled()),
        "BatchNorm",
        "part (BatchNorm1d)",
        ".train()",
    ),
    "noise in the loss by torch": (
        lambda: made(loss=noisy(torch.randn_like)),
        "random numbers",
        "noise in the loss: randn_like",
        "mean",
    ),
    "noise in the loss by numpy": (
        lambda: made(loss=noisy(lambda z: np.random.randn())),
        "random numbers",
        "noise in the loss: it draws from numpy.random",
        "mean",
    ),
    "noise in the loss by random": (
        lambda: made(loss=noisy(lambda z: random.random())),
        "random numbers",
        "noise in the loss: it draws from Python's random",
        "mean",
    ),
    "noise in the model": (
        lambda: made(Net(lambda z: z + torch.distributions.Normal(0.0, 1.0).rsample(z.shape))),
        "random numbers",
        f"{HERE}:",
        "self.training",
    ),
    "noise of its own generator": (
        lambda: made(Net(generator_of_its_own())),
        "random numbers",
        "a generator of its own",
        "generator=",
    ),
    "noise in a batch_loss": (
        lambda: eg.Landscape(
            Net(), batch_loss=lambda m, b: (m(b[0]).square().sum() * torch.rand(()), len(b[0])), data=fixed()
        ),
        "random numbers",
        f"{HERE}:",
        "mean",
    ),
    "noise in a function": (
        lambda: eg.Landscape.from_function(lambda x: (x * torch.rand(3)).sum(), torch.ones(3)),
        "random numbers",
        f"{HERE}:",
        "mean",
    ),
    "os.urandom in a function": (
        lambda: eg.Landscape.from_function(lambda x: urandom(x).sum(), torch.ones(3)),
        "outside",
        "the function depends on something outside",
        "os.urandom",
    ),
    "os.urandom in the model": (lambda: made(Net(urandom)), "outside", f"{HERE}:", "os.urandom"),
    "a clock in the loss": (
        lambda: made(loss=noisy(lambda z: time.perf_counter_ns() % 1e6 / 1e6)),
        "outside",
        "the loss depends on something outside",
        "clock",
    ),
    "uninitialised memory": (lambda: made(Net(Memory())), "memory", "the model reads memory", "torch.zeros"),
    "a hook with a state": (
        lambda: made(Counter().with_hooks(growing)),
        "hooks",
        "growing on first (Linear)",
        "Remove the hook",
    ),
    "a hook among others": (
        lambda: made(Counter().with_hooks(halving, collecting, growing)),
        "hooks",
        "growing on first (Linear)",
        "Remove the hook",
    ),
    "a hook that writes": (
        lambda: made(Counter().with_hooks(halving, shrinking), shuffled()),
        "hooks",
        "shrinking on first (Linear)",
        "Remove the hook",
    ),
    "a hook that sets an attribute": (
        lambda: made(Late().with_hooks(attribute)),
        "hooks",
        "attribute on first (Linear)",
        "Remove the hook",
    ),
    "a coupled loss": (
        lambda: made(loss=coupled, data=shuffled(), terms="samples"),
        "batches",
        "the loss couples",
        "shuffle=False",
    ),
    "a coupled model": (
        lambda: made(Net(lambda z: z / z.norm()), shuffled()),
        "batches",
        "the model gives for a sample",
        "shuffle=False",
    ),
}
faults = pytest.mark.parametrize(("make", "subject", "found", "change"), FAULTS.values(), ids=FAULTS.keys())


@faults
def test_the_planted_fault_is_named(
    make: Callable[[], eg.Landscape], subject: str, found: str, change: str, untouched: Any
) -> None:
    land = make()
    with untouched(land.model):
        diagnosis = eg.diagnosis(land)
    assert not diagnosis.ok, diagnosis
    (fault,) = diagnosis.faults
    assert fault.subject == subject
    assert found in f"{fault.found} {fault.where}"
    assert change in fault.change
    assert diagnosis.passes <= 6
    assert diagnosis.cost.gradients == pytest.approx(diagnosis.passes / 3)


@faults
def test_it_is_refused_by_its_cause(
    make: Callable[[], eg.Landscape], subject: str, found: str, change: str, untouched: Any
) -> None:
    land = make()
    with untouched(land.model), pytest.raises(eg.EgregiumError) as raised:
        refuse_changing_loss(land)
    for words in ("The loss changes between passes", subject, found, change):
        assert words in str(raised.value)


class Dropping(Net):
    def __init__(self) -> None:
        super().__init__(nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(HIDDEN)))


HEALTHY: dict[str, tuple[Callable[[], eg.Landscape], str]] = {
    "a list of batches": (made, ""),
    "shuffled": (lambda: made(data=shuffled()), ""),
    "shuffled, float64": (lambda: made(data=shuffled(), dtype=torch.float64), ""),
    "shuffled, bfloat16": (lambda: made(data=shuffled(), dtype=torch.bfloat16), ""),
    "shuffled by its own generator": (lambda: made(data=shuffled(generator=torch.Generator())), ""),
    "dropout and BatchNorm in evaluation mode": (lambda: made(Dropping(), shuffled()), ""),
    "an own loss": (lambda: made(loss=lambda z, y: F.cross_entropy(z, y), data=shuffled()), ""),
    "a hook that collects": (lambda: made(Counter().with_hooks(collecting), shuffled()), ""),
    "a hook that halves": (lambda: made(Counter().with_hooks(halving), shuffled()), ""),
    "a function": (lambda: eg.Landscape.from_function(lambda x: (x**2).sum(), torch.ones(3)), ""),
    "BatchNorm on fixed batches": (lambda: made(Normed()), "BatchNorm"),
    "a hook that writes, on fixed batches": (lambda: made(Counter().with_hooks(shrinking)), "hooks"),
    "numbers drawn for nothing": (lambda: made(Net(lambda z: z + 0 * torch.randn_like(z))), "random numbers"),
    "drop_last without shuffling": (lambda: made(data=DataLoader(samples(), 9, drop_last=True)), ""),
    "weight decay": (lambda: made(data=shuffled(), weight_decay=0.1), ""),
}


@pytest.mark.parametrize(("make", "remark"), HEALTHY.values(), ids=HEALTHY.keys())
def test_what_is_well_takes_two_passes(make: Callable[[], eg.Landscape], remark: str, untouched: Any) -> None:
    land = make()
    with untouched(land.model):
        diagnosis = eg.diagnosis(land)
        cost = refuse_changing_loss(land)
    assert diagnosis.ok, diagnosis
    assert diagnosis.passes == 2
    assert {f.subject for f in diagnosis.findings if f.state == "remark"} == ({remark} if remark else set())
    assert cost.gradients == pytest.approx(2 / 3)


# --- more than one thing at once


def of(land: eg.Landscape) -> dict[str, str]:
    """Found faults by subject, with where they are."""
    return {fault.subject: f"{fault.found} {fault.where}" for fault in eg.diagnosis(land).faults}


def test_two_faults_are_both_named() -> None:
    augmented = DataLoader(Photos(lambda photos: np.random.randn()), batch_size=9, shuffle=True)
    found = of(made(Net(lambda z: F.dropout(z, 0.5, training=True)), augmented, noisy(torch.randn_like)))
    assert set(found) == {"data", "dropout", "random numbers"}
    assert "numpy.random" in found["data"]
    assert "randn_like" in found["random numbers"]


def test_drop_last_with_augmentation() -> None:
    loader = DataLoader(Photos(lambda photos: random.random()), batch_size=9, shuffle=True, drop_last=True)
    first, second = eg.diagnosis(made(data=loader)).faults
    assert "drop_last" in first.found
    assert "Python's random" in second.found


class TwoDropouts(Net):
    """One changes the loss, the other one nothing."""

    def forward(self, x: Tensor) -> Tensor:
        z = torch.tanh(self.first(x))
        z = z + 0 * F.dropout(z, 0.5, training=True)
        return self.last(F.dropout(z, 0.3, training=True))


def test_a_place_that_draws_for_nothing_is_not_blamed() -> None:
    diagnosis = eg.diagnosis(made(TwoDropouts()))
    (fault,) = diagnosis.faults
    assert "0.3" in fault.where
    assert diagnosis.passes == 6


def test_numpy_is_told_from_random_when_both_draw() -> None:
    found = of(made(loss=noisy(lambda z: np.random.rand() + 0 * random.random())))
    assert list(found) == ["random numbers"]
    assert "numpy.random" in found["random numbers"]


def test_a_draw_for_nothing_does_not_hide_a_clock() -> None:
    def clocked(z: Tensor) -> Tensor:
        return urandom(z) + 0 * torch.randn_like(z)

    assert list(of(made(Net(clocked)))) == ["outside"]


def test_many_places_are_all_named() -> None:
    class Many(Net):
        def forward(self, x: Tensor) -> Tensor:
            z = self.first(x)
            z = F.dropout(z, 0.1, training=True)
            z = F.dropout(z, 0.1, training=True)
            z = F.dropout(z, 0.1, training=True)
            z = F.dropout(z, 0.1, training=True)
            z = F.dropout(z, 0.1, training=True)
            return self.last(z)

    diagnosis = eg.diagnosis(made(Many()))
    assert (len(diagnosis.faults), diagnosis.passes) == (5, 4)


def test_layers_that_share_a_line_are_one_fault() -> None:
    class Layer(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.dropout(x, 0.1, training=True)

    (fault,) = eg.diagnosis(made(Net(nn.Sequential(*(Layer() for _ in range(5)))))).faults
    assert "in between.0, between.1, between.2 and 2 more" in fault.found


# --- what must not be blamed


def padded(batch: Any) -> Any:
    """Samples of different lengths, padded to the longest of the batch."""
    longest = max(1 + int(y) for _, y in batch)
    return torch.stack([F.pad(x[: 1 + int(y)], (0, longest - 1 - int(y))) for x, y in batch]), torch.stack(
        [y for _, y in batch]
    )


class Summed(nn.Module):
    def __init__(self, dropout: bool) -> None:
        super().__init__()
        self.last, self.dropout = nn.Linear(1, CLASSES), dropout

    def forward(self, x: Tensor) -> Tensor:
        return self.last(F.dropout(x.sum(1, keepdim=True), 0.5, training=self.dropout))


def test_padding_is_not_taken_for_augmentation() -> None:
    diagnosis = eg.diagnosis(made(Summed(False), shuffled(collate_fn=padded)))
    assert diagnosis.ok
    assert "padded otherwise" in next(f.found for f in diagnosis.findings if f.subject == "data")
    assert list(of(made(Summed(True), shuffled(collate_fn=padded)))) == ["dropout"]


class Huge(Dataset[Any]):
    """Targets of +-1e5 that cancel in a batch of all: a sum in float32 depends on its order by more than it is."""

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return torch.ones(INPUTS) * index / SAMPLES, torch.tensor(1e5 * (1 + index // 2) * (-1.0) ** index)


def test_rounding_is_found_out_in_float64(untouched: Any) -> None:
    loader = DataLoader(Huge(), batch_size=SAMPLES, shuffle=True)
    land = made(data=loader, loss=lambda z, y: (z[:, 0] + y).mean(), terms="samples")
    with untouched(land.model):
        diagnosis = eg.diagnosis(land)
    assert diagnosis.values[0] != diagnosis.values[1]
    assert diagnosis.ok
    assert diagnosis.passes == 5
    assert refuse_changing_loss(land).gradients == pytest.approx(7 / 3)


def test_a_hook_that_the_model_needs_is_no_error() -> None:
    class Needy(Counter):
        def forward(self, x: Tensor) -> Tensor:
            z = self.first(x)
            return self.last(z * self.first.late * int.from_bytes(os.urandom(6), "big") / 2**48)

    assert list(of(made(Needy().with_hooks(attribute)))) == ["outside"]


def test_samples_from_a_worker_process() -> None:
    loader = DataLoader(Photos(lambda photos: np.random.randn()), batch_size=9, num_workers=1)
    assert "Photos gives other samples" in of(made(data=loader))["data"]


def test_data_that_no_seed_holds() -> None:
    class Drifting:
        def __init__(self) -> None:
            self.passes = 0

        def __iter__(self) -> Iterator[Any]:
            self.passes += 1
            yield torch.full((4, INPUTS), float(self.passes)), torch.zeros(4, dtype=torch.long)

    assert "Drifting gives other samples" in of(made(data=Drifting()))["data"]


def test_a_model_that_writes_into_itself() -> None:
    class Decaying(Net):
        def forward(self, x: Tensor) -> Tensor:
            self.first.weight.data.mul_(0.8)
            return super().forward(x)

    assert list(of(made(Decaying(), shuffled()))) == ["parameters"]
    diagnosis = eg.diagnosis(made(Decaying()))
    assert diagnosis.ok
    assert {f.subject for f in diagnosis.findings if f.state == "remark"} == {"parameters"}


# --- the check before a measurement


def test_every_measurement_looks_again() -> None:
    """Two passes each time: noise that is 0 at one point shows at another, and a model may be changed meanwhile."""
    calls = []

    def loss(z: Tensor, y: Tensor) -> Tensor:
        calls.append(1)
        return F.cross_entropy(z, y)

    land = made(loss=loss)
    assert refuse_changing_loss(land).gradients == pytest.approx(2 / 3)
    number = len(calls)
    assert refuse_changing_loss(land.at(land.theta + 1)).gradients == pytest.approx(2 / 3)
    assert len(calls) > number


def test_bare_agreement_by_chance_is_looked_at_again() -> None:
    """By chance two passes agree to 4 eps; the third one tells."""
    values = iter((1.0, 1.0 + 4 * torch.finfo(torch.float32).eps, 1.5, 1.0, 2.0))

    def land() -> eg.Landscape:
        return eg.Landscape.from_function(lambda x: x.sum() * next(values, random.random()), torch.ones(1))

    with pytest.raises(eg.EgregiumError, match="The loss changes"):
        refuse_changing_loss(land())
    values = iter((1.0, 1.0 + 4 * torch.finfo(torch.float32).eps, 1.5))
    assert not eg.diagnosis(land()).ok


def test_what_was_refused_is_looked_at_again() -> None:
    land = made(Net(lambda z: F.dropout(z, 0.5, training=True)))
    for _ in range(2):
        with pytest.raises(eg.EgregiumError, match="dropout"):
            refuse_changing_loss(land)


def test_the_average_of_a_loss_is_still_checked_later() -> None:
    land = made(loss=lambda z, y: F.cross_entropy(z, y, reduction="sum"))
    refuse_changing_loss(land)
    with pytest.raises(eg.EgregiumError, match="terms="):
        land.value()


@pytest.mark.parametrize("function", [eg.diagnosis, refuse_changing_loss])
def test_only_of_a_landscape(function: Any) -> None:
    with pytest.raises(eg.EgregiumError, match="needs a Landscape, got Linear"):
        function(nn.Linear(2, 2))


# --- nothing is left behind


class Failing:
    """A loss with noise that raises at its n-th call."""

    def __init__(self, at: int) -> None:
        self.at, self.calls = at, 0

    def __call__(self, z: Tensor, y: Tensor) -> Tensor:
        self.calls += 1
        torch.rand(2), np.random.rand(2), random.random()
        if self.calls == self.at:
            raise ZeroDivisionError("on purpose")
        return F.cross_entropy(z * int.from_bytes(os.urandom(6), "big") / 2**48, y)


@pytest.mark.parametrize("at", [1, 3, 6, 13, 18, 23, 28, 33, 38, 40])
@pytest.mark.parametrize("function", [eg.diagnosis, refuse_changing_loss])
def test_nor_when_the_users_code_raises(function: Any, at: int, untouched: Any) -> None:
    generator = torch.Generator().manual_seed(4)
    model = Counter().with_hooks(collecting, halving)
    model.last.register_forward_pre_hook(lambda module, args: None)
    land = made(model, shuffled(generator=generator), Failing(at))
    state = torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory
    filters = list(warnings.filters)
    with untouched(model, generator), contextlib.suppress(ZeroDivisionError, eg.EgregiumError):
        function(land)
    assert state == (torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory)
    assert torch.overrides._get_current_function_mode_stack() == []
    assert torch.utils._python_dispatch._get_current_dispatch_mode_stack() == []
    assert warnings.filters == filters

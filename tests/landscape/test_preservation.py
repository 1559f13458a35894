"""Nothing is left behind: the model, its data, all generators and torch's state, bit for bit, after every public call.

The model has whatever could be disturbed: BatchNorm and Dropout in training mode, a part in evaluation mode, frozen and
tied parameters, gradients, hooks, a weight that `spectral_norm` sets anew in each forward pass, a cache, and a
recurrent cell that keeps references to its weights.
"""

import gc
import random
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import egregium as eg
from egregium.landscape.fetching import Seeds, fetched
from egregium.landscape.preservation import evaluation_mode, generators_kept

DOUBLE = torch.float64


class Fragile(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(4, 3)
        self.first = nn.utils.spectral_norm(nn.Linear(3, 4))
        self.norm, self.dropout = nn.BatchNorm1d(4), nn.Dropout(0.5)
        self.cell = nn.GRU(4, 2, batch_first=True)
        self.middle, self.tied = nn.Linear(2, 2), nn.Linear(2, 2)
        self.tied.weight = self.middle.weight
        self.last = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.1))
        self.middle.bias.requires_grad_(False)
        self.cache: Any = None
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, tokens: Tensor) -> Tensor:
        self.steps += 1
        z = self.dropout(self.norm(self.first(self.embedding(tokens))))
        self.cache = z
        z = self.cell(z.unsqueeze(1))[0][:, 0]
        return self.last(self.tied(self.middle(z).tanh()).tanh())


class Setting:
    """Model, shuffled loader with a generator of its own, and loss; which can be told to fail."""

    def __init__(self) -> None:
        self.model = Fragile().to(DOUBLE)
        self.tokens, self.labels = torch.randint(0, 4, (20,)), torch.randint(0, 3, (20,))
        self.generator = torch.Generator().manual_seed(7)
        loader = DataLoader(
            TensorDataset(self.tokens, self.labels), batch_size=8, shuffle=True, generator=self.generator
        )
        F.cross_entropy(self.model(self.tokens), self.labels).backward()
        self.model.first.register_forward_hook(lambda module, args, output: None)
        self.model.norm.register_forward_pre_hook(lambda module, args: None)
        self.model.last[0].register_full_backward_hook(lambda module, into, out: None)
        self.model.last.eval()
        self.calls, self.fails_at = 0, -1
        self.land = eg.Landscape(self.model, self.loss, loader, terms="samples")

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        self.calls += 1
        torch.rand(2), np.random.rand(2), random.random()
        if self.calls == self.fails_at:
            raise ZeroDivisionError("on purpose")
        return F.cross_entropy(output, target)


@pytest.fixture
def setting() -> Setting:
    return Setting()


def ones(land: eg.Landscape, *k: int) -> Tensor:
    return torch.ones(land.n, *k, dtype=DOUBLE)


CALLS: dict[str, Callable[[eg.Landscape], Any]] = {
    "value": lambda land: land.value(),
    "gradient": lambda land: land.gradient(),
    "value_and_gradient": lambda land: land.value_and_gradient(),
    "theta": lambda land: land.theta.zero_(),
    "at": lambda land: land.at(land.theta + 1).value(),
    "scaled": lambda land: land.scaled(2.0).gradient(),
    "to": lambda land: land.to(dtype=torch.float32).gradient(),
    "hessian": lambda land: eg.hessian(land) @ ones(land),
    "hessian, block": lambda land: eg.hessian(land) @ ones(land, 3),
    "ggn": lambda land: eg.ggn(land) @ ones(land, 2),
    "shape_operator": lambda land: eg.shape_operator(land) @ ones(land, 2),
    "shape_operator, ggn": lambda land: eg.shape_operator(land, operator="ggn") @ ones(land),
    "scalar_curvature, exact": lambda land: eg.scalar_curvature(land, method="exact"),
    "scalar_curvature, stochastic": lambda land: eg.scalar_curvature(land, method="stochastic", rtol=0.3, budget=400),
    "scalar_curvature, ggn": lambda land: eg.scalar_curvature(land, operator="ggn", rtol=0.3, budget=400),
    "trace": lambda land: eg.trace(land, rtol=0.3, budget=400),
    "squared_frobenius": lambda land: eg.squared_frobenius(land, rtol=0.3, budget=400),
    "eigenpairs": lambda land: eg.eigenpairs(land, 2),
    "spectral_density": lambda land: eg.spectral_density(land, steps=4, probes=2),
    "measure": lambda land: eg.measure(land, rtol=0.3, budget=400),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
#: The dearest call of all, once.
DENSITY = pytest.param(lambda land: eg.measure(land, rtol=0.3, budget=400, density=True), id="measure, density")


@pytest.mark.parametrize("call", [*(pytest.param(call, id=name) for name, call in CALLS.items()), DENSITY])
def test_nothing_is_left_behind(call: Callable[[eg.Landscape], Any], setting: Setting, untouched: Any) -> None:
    with untouched(setting.model, setting.tokens, setting.labels, setting.generator):
        call(setting.land)


PASSING = {name: call for name, call in CALLS.items() if name != "theta"}


@pytest.mark.parametrize("call", PASSING.values(), ids=PASSING.keys())
@pytest.mark.parametrize("fails_at", ["batch 0", "batch 1", "the end"])
def test_nor_when_the_call_raises_midway(
    call: Callable[[eg.Landscape], Any], fails_at: str, setting: Setting, untouched: Any
) -> None:
    if fails_at == "the end":
        call(setting.land)
        setting.land.facts.clear()  # so that the second call is like the first
    setting.fails_at = {"batch 0": 1, "batch 1": 2, "the end": setting.calls}[fails_at]
    setting.calls = 0
    with (
        untouched(setting.model, setting.tokens, setting.labels, setting.generator),
        pytest.raises(ZeroDivisionError, match="on purpose"),
    ):
        call(setting.land)


@every_call
def test_a_measurement_does_not_depend_on_the_models_mode(call: Any, setting: Setting) -> None:
    """D6: dropout on, two products differ. Here two calls agree bit for bit, training mode or not."""
    first, again = (flat(call(setting.land)) for _ in range(2))
    setting.model.eval()
    third = flat(call(setting.land))
    for other in (again, third):
        assert len(first) == len(other)
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def flat(result: Any) -> list[Tensor]:
    """The numbers of a result."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, float):
        return [torch.tensor(result, dtype=DOUBLE)]
    if isinstance(result, tuple):
        return [number for part in result for number in flat(part)]
    if isinstance(result, eg.Estimate):
        return flat((result.value, result.stderr, result.samples))
    if isinstance(result, eg.Eigenpairs):
        return flat((result.values, result.vectors))
    if isinstance(result, eg.SpectralDensity):
        return flat((result.grid, result.density))
    assert isinstance(result, eg.Measurement)
    return flat((result.loss, result.scalar_curvature, result.trace))


def test_training_goes_on_as_if_nothing_had_been_measured() -> None:
    """Two runs of SGD with dropout and shuffling, one measured after every step: the same weights, bit for bit."""

    def trained(measured: bool) -> list[Tensor]:
        torch.manual_seed(4)
        model = Fragile().to(DOUBLE)
        data = TensorDataset(torch.randint(0, 4, (24,)), torch.randint(0, 3, (24,)))
        loader = DataLoader(data, batch_size=8, shuffle=True)
        land = eg.Landscape(model, nn.CrossEntropyLoss(), loader)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for x, y in loader:
            optimiser.zero_grad()
            F.cross_entropy(model(x), y).backward()
            if measured:
                land.gradient()
                eg.trace(land, rtol=0.5, budget=200)
            optimiser.step()
        return [tensor.clone() for tensor in model.state_dict().values()]

    for plain, measured in zip(trained(False), trained(True), strict=True):
        assert torch.equal(plain, measured)


# --- the two contexts alone


def test_evaluation_mode_is_that_of_every_module_and_ends(setting: Setting) -> None:
    model = setting.model
    modes = {name: module.training for name, module in model.named_modules()}
    assert len(set(modes.values())) == 2
    with pytest.raises(ZeroDivisionError), evaluation_mode(model):  # noqa: PT012
        assert not any(module.training for module in model.modules())
        raise ZeroDivisionError
    assert {name: module.training for name, module in model.named_modules()} == modes


def test_attributes_of_the_forward_pass_go_again(setting: Setting) -> None:
    model = setting.model
    before = dict(vars(model))
    with evaluation_mode(model):
        model.cache, model.new = torch.ones(1), torch.ones(2)
    assert vars(model) == before


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_model_that_overrides_train_is_not_asked() -> None:
    """Backbones that pin BatchNorm override train(); a measurement must not trigger what they do there."""

    class Pinned(nn.Linear):
        def train(self, mode: bool = True) -> "Pinned":
            raise AssertionError("train() was called")

    model = Pinned(2, 2)
    assert eg.Landscape(model, nn.CrossEntropyLoss(), (torch.ones(1, 2), torch.zeros(1, dtype=torch.long))).value() > 0


@every_call
def test_no_graph_of_the_pass_stays_alive(call: Any, setting: Setting) -> None:
    outputs: list[weakref.ref[Tensor]] = []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        outputs.append(weakref.ref(output))
        return F.cross_entropy(output, target)

    land = eg.Landscape(setting.model, loss, (setting.tokens, setting.labels), terms="samples")
    result = call(land)
    gc.collect()
    assert not any(output() is not None for output in outputs)
    assert not any(number.requires_grad for number in flat(result))


class Owners(Dataset[Any]):
    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Tensor:
        return torch.rand(1) + np.random.rand() + random.random()


def generators() -> Iterator[Any]:
    own = torch.Generator().manual_seed(1)
    random_sampler = torch.utils.data.RandomSampler(Owners(), generator=own)
    yield pytest.param(DataLoader(Owners(), shuffle=True, generator=own), own, id="loader")
    yield pytest.param(DataLoader(Owners(), sampler=random_sampler), own, id="sampler")
    batches = torch.utils.data.BatchSampler(random_sampler, 2, drop_last=False)
    yield pytest.param(DataLoader(Owners(), batch_sampler=batches), own, id="batch sampler")
    weighted = torch.utils.data.WeightedRandomSampler([1.0] * 6, 6, generator=own)
    yield pytest.param(DataLoader(Owners(), sampler=weighted), own, id="weighted sampler")


@pytest.mark.parametrize(("loader", "own"), list(generators()))
def test_a_pass_reads_the_same_random_numbers_and_moves_no_generator(loader: Any, own: Any, untouched: Any) -> None:
    passes = []
    for _ in range(2):
        with untouched(None, own), generators_kept(loader) as found:
            assert found == [own]
            passes.append(torch.stack([batch.reshape(-1).sum() for batch in fetched(loader, Seeds(), found)]))
        torch.rand(1), np.random.rand(), random.random()
    assert torch.equal(*passes)

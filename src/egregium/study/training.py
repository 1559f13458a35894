"""Training a network to a given level of the loss."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from egregium.datasets import Split
from egregium.study.setting import Setting
from egregium.study.steps import optimiser_step

Status = Literal["trained", "diverged", "not reached"]
#: The loss is looked at once an epoch, and this often near the level.
LOOKS, NEAR = 4, 2.0
#: Times the loss of a uniform guess beyond which a training is given up as diverged.
DIVERGED = 5.0
#: Samples of a pass without gradients.
CHUNK = 2500


@dataclass(frozen=True)
class Training:
    """How a training ended: trained to the level, diverged, or not there after the last epoch."""

    status: Status
    loss: float
    epochs: float


def train(model: nn.Module, data: Split, setting: Setting, level: float, epochs: int) -> Training:
    """Train until the mean cross-entropy over all data, without the penalty, is at most `level`.

    The first passage is taken, looked for once an epoch and four times where the loss is below twice the level: at one
    loss networks can be compared, at one epoch not (Y. Jiang et al., arXiv 1912.02178). The loss is that of the network
    in evaluation mode; what is random in its steps (dropout) follows the seed, and the global generator stays.
    """
    with torch.random.fork_rng():
        torch.manual_seed(setting.seed + 3)
        return _trained(model, data, setting, level, epochs)


def _trained(model: nn.Module, data: Split, setting: Setting, level: float, epochs: int) -> Training:
    step = optimiser_step(model, setting)
    order = torch.Generator().manual_seed(setting.seed + 1)
    count, loss, done = len(data), math.inf, 0
    batches, guess = -(-count // setting.batch_size), math.log(int(data.targets.max()) + 1)
    for _ in range(epochs):
        for x, y in _batches(data, setting.batch_size, order):
            model.train()
            step(x, y)
            done += 1
            every = -(-batches // LOOKS) if loss < NEAR * level else batches
            if done % every and done % batches:
                continue
            loss = mean_loss(model, data)[0]
            if loss <= level:
                return Training("trained", loss, done / batches)
            if not loss < DIVERGED * guess or not _finite(model):
                return Training("diverged", loss, done / batches)
    return Training("not reached", loss, float(epochs))


def mean_loss(model: nn.Module, data: Split) -> tuple[float, float]:
    """(mean cross-entropy, share of wrong classes), in evaluation mode, in which the model is left."""
    model.eval()
    total = torch.zeros((), dtype=torch.float64, device=data.inputs.device)
    wrong = torch.zeros((), dtype=torch.float64, device=data.inputs.device)
    with torch.no_grad():
        for x, y in zip(torch.split(data.inputs, CHUNK), torch.split(data.targets, CHUNK), strict=True):
            output = model(x)
            total += cross_entropy(output, y, reduction="sum").double()
            wrong += (output.argmax(1) != y).sum()
    return float(total) / len(data), float(wrong) / len(data)


def noisy(data: Split, setting: Setting, classes: int) -> Split:
    """The data with a share of the labels replaced by uniformly drawn ones, the same for the same seed."""
    if not setting.label_noise:
        return data
    draw = torch.Generator().manual_seed(setting.seed + 2)
    hit = torch.randperm(len(data), generator=draw)[: round(setting.label_noise * len(data))]
    targets = data.targets.clone()
    targets[hit.to(targets.device)] = torch.randint(classes, (len(hit),), generator=draw).to(targets.device)
    return Split(data.inputs, targets)


def _batches(data: Split, size: int, order: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    places = torch.randperm(len(data), generator=order).to(data.inputs.device)
    for where in torch.split(places, size):
        yield data.inputs[where], data.targets[where]


def _finite(model: nn.Module) -> bool:
    return all(bool(torch.isfinite(p).all()) for p in model.parameters())

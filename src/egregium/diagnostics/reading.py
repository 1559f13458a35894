"""One pass over the data, read closely; and when two of them agree."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from egregium.diagnostics.hooks import Hooks, hooks_watched
from egregium.diagnostics.samples import Samples, projections
from egregium.diagnostics.watch import ROOT, Switches, Watch
from egregium.landscape import BatchLoss, Landscape
from egregium.landscape.fetching import NOISE, Seeds
from egregium.landscape.losses import Count
from egregium.landscape.preservation import generators_kept, seed_all


@dataclass
class Reading:
    """What one pass gave.

    Attributes:
        value, size: f without weight decay, and the mean of |sum of a batch's terms|: what rounding is relative to.
        eps: the coarsest of the dtypes of parameters and loss.
        sums: of each batch.
        outputs: a number for each output of the model, in order; None where there are none.
        samples: of the data.
        written: whether parameters were written during the pass.
    """

    value: float = 0.0
    size: float = 0.0
    eps: float = 0.0
    sums: list[float] = field(default_factory=list)
    outputs: list[Tensor] | None = field(default_factory=list)
    samples: Samples = field(default_factory=Samples)
    written: bool = False


@dataclass
class Pass(Reading):
    """A reading together with what was watched meanwhile."""

    watch: Watch = field(default_factory=Watch)
    hooks: Hooks = field(default_factory=Hooks)


def read_values(land: Landscape, seeds: Seeds) -> Reading:
    """A pass by values only. Costs a third of a gradient."""
    reading = Reading()

    def terms(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
        if land.model is None:
            seed_all(NOISE, seeds.noise)  # a plain function has no pass that would
        total, count = batch.terms()
        reading.eps = _coarsest([*parameters, total])
        return _value_and_size(total), count

    with land.unsplit(), generators_kept(land.data):
        value, size = land.means(terms, seeds=seeds)
    reading.value, reading.size = float(value), float(size)
    return reading


def read_closely(land: Landscape, seeds: Seeds, switches: Switches = Switches()) -> Pass:
    """A pass in which everything is watched that could make the loss change. Leaves nothing behind."""
    names = {id(module): name or ROOT for name, module in land.model.named_modules()} if land.model else {}
    watch = Watch(seeds.noise, switches, names)
    theta: list[Tensor] = []
    before: list[Tensor] = []
    reading = Pass(watch=watch)

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
        if not theta:
            theta.extend(parameters)
            before.extend(p.detach().clone() for p in parameters)
        if land.model is None:
            seed_all(NOISE, seeds.noise)
        reading.samples.add(batch.batch)
        watch.begin(batch.index)
        total, count = _watched_terms(batch, watch, reading)
        reading.written |= not all(map(torch.equal, before, parameters))
        reading.eps = _coarsest([*parameters, total])
        reading.sums.append(float(total.detach()))
        return _value_and_size(total), count

    with ExitStack() as stack:
        stack.enter_context(land.unsplit())
        stack.enter_context(generators_kept(land.data))
        reading.hooks = stack.enter_context(hooks_watched(land.model, watch, theta))
        value, size = land.means(look, seeds=seeds)
    reading.value, reading.size = float(value), float(size)
    return reading


def _watched_terms(batch: BatchLoss, watch: Watch, reading: Pass) -> tuple[Tensor, Count]:
    if batch.outputs is None or batch.criterion is None:
        reading.outputs, watch.whole = None, "model or the loss" if watch.names else "function"
        with watch.within("model"):
            return batch.terms()
    with watch.within("model"):
        output: Any = batch.outputs()
    numbers = projections(output)
    if numbers is None:
        reading.outputs = None
    elif reading.outputs is not None:
        reading.outputs.append(numbers)
    with watch.within("loss"):
        return batch.criterion(output)


def agree(a: Reading, b: Reading) -> bool:
    """Whether two passes gave the same loss, to rounding."""
    return abs(a.value - b.value) <= rounding(a) * max(a.size, b.size)


def closely(a: Reading, b: Reading) -> bool:
    """Whether they agree so closely that it is no chance: to a quarter of that, in float32.

    Noise whose mean over the data has the spread s agrees to t by chance with probability t / s.
    """
    part = 0.25 if 1e-10 < a.eps < 1e-4 else 1.0
    return abs(a.value - b.value) <= part * rounding(a) * max(a.size, b.size)


def agree_in_order(a: Reading, b: Reading) -> bool:
    """Whether two passes over the same batches gave the same loss batch by batch: nothing is added in another order."""
    if len(a.sums) != len(b.sums):
        return False
    scale = max(map(abs, (*a.sums, *b.sums)))
    return all(abs(x - y) <= rounding(a) / 4 * scale for x, y in zip(a.sums, b.sums, strict=True))


def outputs_agree(a: Reading, b: Reading, in_order: bool) -> bool | None:
    """Whether the model gave the same for each sample, to rounding; None where its outputs have no samples."""
    if a.outputs is None or b.outputs is None or not a.outputs or not b.outputs:
        return None
    first, second = torch.cat(a.outputs), torch.cat(b.outputs)
    if len(first) != len(second):
        return False
    if not in_order:
        first, second = first.sort().values, second.sort().values
    scale = float(torch.maximum(first.abs(), second.abs()).max())
    return float((first - second).abs().max()) <= 32 * rounding(a) * scale


def rounding(reading: Reading) -> float:
    """How far the same loss may differ, relative to its size, when its samples come in another order.

    Between batches sums are taken in float64; within one in the loss's dtype, by blocks, and a sample's own terms
    round differently in another place of a matrix product. Measured on dense and convolutional networks with shuffled
    data: at most 4 eps in float32 (an interpolating regression), 3 in float64. The half formats add in float32 and
    round once: 0.4 eps at most. What lies beyond is looked at again in float64 before anything is called a fault.
    """
    return (8 if reading.eps < 1e-4 else 2) * reading.eps


def _value_and_size(total: Tensor) -> list[Tensor]:
    number = total.detach().double()
    return [number.clone(), number.abs()]


def _coarsest(tensors: Iterable[Tensor]) -> float:
    return max(torch.finfo(t.dtype).eps for t in tensors if t.is_floating_point())

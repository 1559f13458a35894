"""A loss as a function of its parameters, batch by batch: from a model and data, or from a plain function.

A batch is worked on with the parameters *in the model's place*, from its forward pass to its last derivative:
activation checkpointing runs the model again in the backward pass, and would find the user's parameters otherwise.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, final

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils._pytree import tree_leaves, tree_map

from egregium.autodiff import exhausted, leaves_of, second_derivatives_of
from egregium.errors import ArgumentError, DataError, EgregiumError, LossError, NotFiniteError
from egregium.landscape.batch import BatchLoss, samples_of
from egregium.landscape.data import call, described, input_and_target, moved, not_finite_sample, repeatable_batches
from egregium.landscape.fetching import NOISE, Seeds, fetched
from egregium.landscape.losses import Count, Known, LossTerms, rows
from egregium.landscape.normalisation import Norms
from egregium.landscape.preservation import Generator, evaluation_mode, generators_kept, seed_all
from egregium.landscape.selection import measured, refuse_unfit, unwrapped

Parameters = Sequence[Tensor]
Result = TypeVar("Result")

#: What a wrong dtype, shape, index or type of its arguments makes torch raise.
MISFITS = (RuntimeError, ValueError, IndexError, TypeError)
#: The fact that a graph was seen to hold none of the user's own parameters; it holds on any device and in any dtype.
NO_REFERENCE = "no parameter by reference"
LASTING = frozenset({NO_REFERENCE})


#: Runs a function of a batch with the parameters in place.
Within = Callable[[Callable[[BatchLoss], Any]], Any]


class Objective(ABC):
    """What a landscape is made of: parameters, and batches whose terms add up to f.

    `mean`: f is the sum over all batches divided by the number of terms, else the sum.
    `facts`: what was found out about it once, by name. `unchecked`: no batch was yet split to see whether the loss is
    a mean over samples. `norms`: D, where parameters are coordinates x and D x is what f is a function of.
    """

    mean: bool
    facts: dict[str, int]
    unchecked = False
    norms: Norms | None = None

    def placed(self, parameters: Parameters) -> Parameters:
        """What f is a function of, by parameter: the parameters, or D times them with its graph."""
        return parameters if self.norms is None else self.norms.placed(parameters)

    @abstractmethod
    def parameters(self) -> dict[str, Tensor]:
        """The current parameters by name, detached; they share memory with the user's where dtype and device agree.

        theta, whatever the coordinates.
        """

    @contextmanager
    def unsplit(self) -> Iterator[None]:
        """Passes in which no batch is split to see whether the loss is a mean."""
        kept, self.unchecked = self.unchecked, False
        try:
            yield
        finally:
            self.unchecked = kept

    def normalised(self, norms: Norms) -> "Objective":
        """The same objective as a function of x, theta = D x."""
        other = self.to(None, None)
        other.norms = norms
        return other

    @abstractmethod
    def to(self, device: torch.device | None, dtype: torch.dtype | None) -> "Objective":
        """The same objective, computed on another device or in another dtype; None leaves as it is."""

    @abstractmethod
    def batches(self, parameters: Parameters, seeds: Seeds) -> AbstractContextManager[Iterator[Within]]:
        """One pass over the data; everything the pass touches is as before when the context closes."""


@final
class FunctionObjective(Objective):
    """f: (n,) -> scalar, at theta."""

    mean = True

    def __init__(self, f: Callable[[Tensor], Tensor], theta: Tensor) -> None:
        if not callable(f):
            raise ArgumentError(f"from_function needs a function of a tensor of shape (n,), got {type(f).__name__}.")
        if not isinstance(theta, Tensor) or theta.ndim != 1 or not theta.is_floating_point() or not theta.numel():
            what = f"{theta.dtype} of shape {tuple(theta.shape)}" if isinstance(theta, Tensor) else type(theta).__name__
            raise ArgumentError(f"from_function needs theta as a floating-point tensor of shape (n,), got {what}.")
        self._f, self._theta, self.facts = f, theta, {}

    def parameters(self) -> dict[str, Tensor]:
        return {"theta": self._theta.detach()}

    def to(self, device: torch.device | None, dtype: torch.dtype | None) -> "FunctionObjective":
        other = FunctionObjective(self._f, self._theta.detach().to(device, dtype))
        other.facts |= {name: self.facts[name] for name in LASTING & self.facts.keys()}
        other.norms = self.norms and self.norms.to(device, dtype)
        return other

    def batches(self, parameters: Parameters, seeds: Seeds) -> AbstractContextManager[Iterator[Within]]:
        batch = BatchLoss(0, lambda: (_finite(self._f(self.placed(parameters)[0]), 0), 1.0))
        return nullcontext(iter([lambda function: function(batch)]))


@final
class ModelObjective(Objective):
    """A model, its loss and its data; the model is in evaluation mode during a pass and nowhere else.

    `patterns`: of the names of the parameters that are theta; None for all that require grad.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: LossTerms | Callable[[Any, Any], tuple[Tensor, Count]],
        data: Any,
        dtype: torch.dtype | None,
        device: torch.device | None,
        patterns: Sequence[str] | None = None,
    ) -> None:
        self.model, self._loss, self.data = unwrapped(model), loss, repeatable_batches(data)
        self.dtype, self._device, self._patterns = dtype, device, patterns
        self.mean, self.facts = loss.mean if isinstance(loss, LossTerms) else True, {}
        self._state: dict[str, Tensor] = {}
        self._collecting = False
        self.unchecked = isinstance(loss, LossTerms) and loss.check is not None
        refuse_unfit(self.model, measured(self.model, patterns))

    def parameters(self) -> dict[str, Tensor]:
        return {name: self._cast(p.detach()) for name, p in measured(self.model, self._patterns).items()}

    def to(self, device: torch.device | None, dtype: torch.dtype | None) -> "ModelObjective":
        other = self._like(self.data, dtype or self.dtype, device or self._device)
        other.unchecked = isinstance(self._loss, LossTerms) and self._loss.check is not None
        return other

    def restricted(self, data: Any) -> "ModelObjective":
        """The same objective over other data."""
        other = self._like(data, self.dtype, self._device)
        other.unchecked = False
        return other

    def with_state(self, state: Mapping[str, Tensor], *, collecting: bool = False) -> "ModelObjective":
        """The same objective with these tensors, by name, in the place of buffers and of parameters that are not theta.

        `collecting`: `state` has all buffers, and a pass writes into them, as into running statistics in training.
        """
        other = self._like(self.data, self.dtype, self._device)
        other._state, other._collecting = {**self._state, **state}, collecting
        return other

    def rest(self) -> dict[str, Tensor]:
        """Buffers and frozen parameters: what the loss depends on beside theta and the data."""
        theta = self.parameters()
        frozen = {name: p.detach() for name, p in self.model.named_parameters() if name not in theta}
        return {name: self._state.get(name, p) for name, p in frozen.items()} | self.buffers()

    @property
    def known_loss(self) -> Known | None:
        """torch's own loss function and its options, where model and loss are apart and it is one of these."""
        return self._loss.known if isinstance(self._loss, LossTerms) else None

    def buffers(self) -> dict[str, Tensor]:
        """The buffers as a pass puts them in place, by name: copies, but where a pass collects into them."""
        here = {name: self._state.get(name, b) for name, b in self.model.named_buffers()}
        return here if self._collecting else {name: self._cast(b.detach().clone()) for name, b in here.items()}

    def _like(self, data: Any, dtype: torch.dtype | None, device: torch.device | None) -> "ModelObjective":
        other = ModelObjective(self.model, self._loss, data, dtype, device, self._patterns)
        other._state, other.unchecked = self._state, self.unchecked
        other.norms = self.norms and self.norms.to(device, dtype)
        other.facts |= {name: self.facts[name] for name in LASTING & self.facts.keys()}
        return other

    @contextmanager
    def batches(self, parameters: Parameters, seeds: Seeds) -> Iterator[Iterator[Within]]:
        if parametrize._cache_enabled:
            raise ArgumentError("Inside parametrize.cached() weights are not those of the point. Measure outside it.")
        criterion = self._loss.module if isinstance(self._loss, LossTerms) else None
        with ExitStack() as stack:
            for module in filter(None, (self.model, criterion)):
                stack.enter_context(evaluation_mode(module))
            own = stack.enter_context(generators_kept(self.data, *self.model.modules()))
            stack.enter_context(second_derivatives_of(self.model))
            yield self._pass(parameters, seeds, own)

    def _cast(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._device, self.dtype if tensor.is_floating_point() else None)

    def _pass(self, parameters: Parameters, seeds: Seeds, own: Sequence[Generator]) -> Iterator[Within]:
        index, originals, seen = -1, self._originals(), Seen()
        for index, batch in enumerate(fetched(self.data, seeds, own)):
            seed_all(NOISE, seeds.noise, index)
            loss = self._batch_loss(moved(batch, parameters[0].device, self.dtype), index)
            if originals:
                loss = _without_references(loss, originals, seen)
            yield partial(self._within, parameters, loss)
            del batch, loss  # before the next one is fetched
        if index < 0:
            raise DataError("data gave no batches in this pass. Pass data with at least one batch.")
        self.unchecked = False
        if seen.loss:  # the whole pass: who asks again after a refusal is refused again
            self.facts[NO_REFERENCE] = 1

    def _originals(self) -> dict[int, str]:
        """The user's own parameters by identity; none once a graph was seen to hold none of them."""
        if NO_REFERENCE in self.facts:
            return {}
        return {id(p): name for name, p in measured(self.model, self._patterns).items()}

    def _within(self, parameters: Parameters, batch: BatchLoss, function: Callable[[BatchLoss], Result]) -> Result:
        """function(batch) with these parameters in the model's place, and copies of its buffers."""
        names = list(self.parameters())
        others = ((name, p) for name, p in self.model.named_parameters() if name not in names)
        frozen = ((name, self._state.get(name, p).detach()) for name, p in others)
        state = {name: self._cast(p.clone() if p.is_inference() else p) for name, p in frozen}
        state |= self.buffers()
        placed = self.placed(parameters)
        state |= dict(zip(names, placed, strict=True))
        prefixed = {f"model.{name}": tensor for name, tensor in state.items()}
        of_batch = batch.with_placed(placed, None if self.norms is None else self.norms.factors)
        if batch.part:
            of_batch = replace(of_batch, outputs_at=partial(self._outputs_at, names, batch))
        result: Result = torch.func.functional_call(_Bound(self.model, function), prefixed, (of_batch,))
        return result

    def _outputs_at(
        self, names: Sequence[str], batch: BatchLoss, tensors: Mapping[int, Tensor], which: slice | Tensor
    ) -> Any:
        """The outputs of some samples with other tensors for some parameters, the rest as they are."""
        part = tree_map(partial(rows, size=batch.samples, which=which), batch.batch)
        model, (x, _) = _replica(self.model), input_and_target(part, batch.index)
        norms = self.norms
        placed = {f"model.{names[j]}": x if norms is None else x * norms.factors[j] for j, x in tensors.items()}
        return torch.func.functional_call(_Bound(model, partial(call, model)), placed, (x,))

    def _batch_loss(self, batch: Any, index: int) -> BatchLoss:
        loss = self._loss
        if not isinstance(loss, LossTerms):
            return BatchLoss(index, lambda: _counted_terms(loss(self.model, batch), index, batch), batch=batch)
        x, target = input_and_target(batch, index)

        def criterion(output: Any) -> tuple[Tensor, Count]:
            with _said(
                f"The loss failed on batch {index}: its output is {described(output)}, its target {described(target)}"
            ):
                total, count = loss.terms(output, target)
            return _finite(total, index, batch), count

        def output() -> Any:
            with _said(f"The model failed on batch {index}: its input is {described(x)}{self._recast()}"):
                z = call(self.model, x)
            if self.unchecked and loss.check is not None:
                with torch.no_grad():
                    loss.check(tree_map(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, z), target)
            return z

        def part(which: slice | Tensor) -> BatchLoss:
            size = samples_of(batch)  # of the batch: a loss that held itself would outlive the pass, with its tensors
            return self._batch_loss(tree_map(partial(rows, size=size, which=which), batch), index)

        return BatchLoss(index, lambda: criterion(output()), output, criterion, batch, part)

    def _recast(self) -> str:
        """What to look for where a cast model fails."""
        if self.dtype is None:
            return ""
        return f". It is measured in {self.dtype}: tensors that are no parameters or buffers stay in their own dtype"


class _Bound(nn.Module):
    """A function that uses a model as a module, so that functional_call can put parameters in the model's place."""

    def __init__(self, model: nn.Module, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.model, self._function = model, function

    def forward(self, given: Any) -> Any:
        return self._function(given)


def _replica(model: nn.Module) -> nn.Module:
    """Copies of the modules with the same parameters and buffers, without hooks.

    For calls under a transform: what a module keeps of them (a cached mask, a logged output) is dead tensors after it.
    """
    shared = (t for module in model.modules() for t in (*module._parameters.values(), *module._buffers.values()))
    other = copy.deepcopy(model, {id(t): t for t in shared if t is not None})
    for module in other.modules():
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()
    return other


@contextmanager
def _said(what: str) -> Iterator[None]:
    """Errors of torch about shapes, dtypes and indices, with what was given; all others as they are."""
    try:
        yield
    except EgregiumError:
        raise
    except MISFITS as error:
        if type(error) not in MISFITS or exhausted(error):  # the user's own, or not about what was given
            raise
        raise LossError(f"{what}. {type(error).__name__}: {error}") from error


@dataclass
class Seen:
    """What of a pass was looked through for references: whether the graph of a loss was."""

    loss: bool = False


def _without_references(loss: BatchLoss, originals: dict[int, str], seen: Seen) -> BatchLoss:
    """The batch's loss; LossError where one of the user's own parameters is in its graph: they are not at the point."""

    def looked(tensors: Sequence[Tensor]) -> None:
        for leaf in leaves_of(tensors):
            if id(leaf) in originals:
                raise LossError(
                    f"The parameter {originals[id(leaf)]} is used past the module that owns it: through a list, a "
                    "partial, a closure or a hook that holds it. Its derivative would be lost. Reach it as an "
                    "attribute of its module, at each call (in a loss: through model.parameters())."
                )

    def terms() -> tuple[Tensor, Count]:
        total, count = loss.terms()
        looked([total])
        seen.loss = True
        return total, count

    def outputs() -> Any:
        output = None if loss.outputs is None else loss.outputs()
        looked(tensors_of(output))
        return output

    return replace(loss, terms=terms, outputs=None if loss.outputs is None else outputs)


def tensors_of(output: Any) -> list[Tensor]:
    """The differentiable tensors of a model's output, in the order of its structure."""
    return [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor) and leaf.requires_grad]


def _counted_terms(pair: Any, index: int, batch: Any) -> tuple[Tensor, Count]:
    if not (isinstance(pair, tuple) and len(pair) == 2):
        raise LossError(
            f"batch_loss must return (sum of the loss terms, their number), got {type(pair).__name__} on batch {index}."
        )
    return _finite(pair[0], index, batch), pair[1]


def _finite(total: Any, index: int, batch: Any = None) -> Tensor:
    """`total` where it is a finite scalar; a sentence naming batch and sample otherwise."""
    if not isinstance(total, Tensor) or total.numel() != 1:
        what = f"shape {tuple(total.shape)}" if isinstance(total, Tensor) else type(total).__name__
        raise LossError(f"The loss must be a scalar tensor, got {what} on batch {index}. Sum or average it.")
    if not total.is_floating_point():
        raise LossError(f"The loss must be a real floating-point number, got {total.dtype} on batch {index}.")
    if not torch.isfinite(total.detach()).item():
        value, sample = float(total.detach()), not_finite_sample(batch)
        if sample is not None:
            raise LossError(
                f"The loss is {value} on batch {index} (counted from 0): its data are not finite at sample {sample} of "
                "the batch. Mend or drop that sample."
            )
        raise NotFiniteError(
            f"The loss is {value} on batch {index} (counted from 0), though its data are finite. Look for NaN in the "
            "parameters, a learning rate that diverged, or log and division at 0.",
            value,
        )
    return total.reshape(())

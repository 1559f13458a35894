"""A loss as a function of its parameters, batch by batch: from a model and data, or from a plain function."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from egregium.autodiff import second_derivatives_of
from egregium.errors import ArgumentError, DataError, LossError
from egregium.landscape.data import call, input_and_target, moved, repeatable_batches
from egregium.landscape.losses import Count, LossTerms
from egregium.landscape.preservation import evaluation_mode, generators_kept

Parameters = Sequence[Tensor]


@dataclass(frozen=True)
class BatchLoss:
    """One batch's share of f, as functions of the parameters.

    Attributes:
        index: which batch.
        terms: parameters -> (sum of the loss terms, their number).
        outputs: parameters -> the model's output, where loss and model are apart, else None.
        criterion: output -> (sum of the loss terms, their number), likewise.
    """

    index: int
    terms: Callable[[Parameters], tuple[Tensor, Count]]
    outputs: Callable[[Parameters], Any] | None = None
    criterion: Callable[[Any], tuple[Tensor, Count]] | None = None


class Objective(ABC):
    """What a landscape is made of: parameters, and batches whose terms add up to f.

    `mean`: f is the sum over all batches divided by the number of terms, else the sum.
    """

    mean: bool

    @abstractmethod
    def parameters(self) -> dict[str, Tensor]:
        """The current parameters by name, detached; they share memory with the user's where dtype and device agree."""

    @abstractmethod
    def to(self, device: torch.device | None, dtype: torch.dtype | None) -> "Objective":
        """The same objective, computed on another device or in another dtype; None leaves as it is."""

    @abstractmethod
    def batches(self) -> AbstractContextManager[Iterator[BatchLoss]]:
        """One pass over the data; everything the pass touches is as before when the context closes."""


@final
class FunctionObjective(Objective):
    """f: (n,) -> scalar, at theta."""

    mean = True

    def __init__(self, f: Callable[[Tensor], Tensor], theta: Tensor) -> None:
        if not isinstance(theta, Tensor) or theta.ndim != 1 or not theta.is_floating_point() or not theta.numel():
            what = f"{theta.dtype} of shape {tuple(theta.shape)}" if isinstance(theta, Tensor) else type(theta).__name__
            raise ArgumentError(f"from_function needs theta as a floating-point tensor of shape (n,), got {what}.")
        self._f, self._theta = f, theta

    def parameters(self) -> dict[str, Tensor]:
        return {"theta": self._theta.detach()}

    def to(self, device: torch.device | None, dtype: torch.dtype | None) -> "FunctionObjective":
        return FunctionObjective(self._f, self._theta.detach().to(device, dtype))

    def batches(self) -> AbstractContextManager[Iterator[BatchLoss]]:
        return nullcontext(iter([BatchLoss(0, lambda p: (_finite(self._f(p[0]), 0), 1.0))]))


@final
class ModelObjective(Objective):
    """A model, its loss and its data; the model is in evaluation mode during a pass and nowhere else."""

    def __init__(
        self,
        model: nn.Module,
        loss: LossTerms | Callable[[Any, Any], tuple[Tensor, Count]],
        data: Any,
        dtype: torch.dtype | None,
        device: torch.device | None,
    ) -> None:
        self.model, self._loss, self._data = model, loss, repeatable_batches(data)
        self._dtype, self._device = dtype, device
        self.mean = loss.mean if isinstance(loss, LossTerms) else True
        self._unchecked = isinstance(loss, LossTerms) and loss.check is not None
        named = self.parameters()
        if not sum(p.numel() for p in named.values()):
            raise ArgumentError(
                f"No parameter of {type(model).__name__} requires grad, so there is no landscape. "
                "Call model.requires_grad_(True) on the part to be measured."
            )
        wrong = [f"{name} ({p.dtype})" for name, p in named.items() if not p.is_floating_point()]
        if wrong:
            raise ArgumentError(f"Parameters must be real floating-point numbers; these are not: {', '.join(wrong)}.")

    def parameters(self) -> dict[str, Tensor]:
        return {name: self._cast(p.detach()) for name, p in self.model.named_parameters() if p.requires_grad}

    def to(self, device: torch.device | None, dtype: torch.dtype | None) -> "ModelObjective":
        return ModelObjective(self.model, self._loss, self._data, dtype or self._dtype, device or self._device)

    @contextmanager
    def batches(self) -> Iterator[Iterator[BatchLoss]]:
        with evaluation_mode(self.model), generators_kept(self._data), second_derivatives_of(self.model):
            yield self._pass()

    def _cast(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._device, self._dtype if tensor.is_floating_point() else None)

    def _pass(self) -> Iterator[BatchLoss]:
        device = self._device or next(iter(self.parameters().values())).device
        empty = True
        for index, batch in enumerate(self._data):
            empty = False
            yield self._batch_loss(moved(batch, device, self._dtype), index)
        if empty:
            raise DataError("data gave no batches in this pass. Pass data with at least one batch.")
        self._unchecked = False

    def _batch_loss(self, batch: Any, index: int) -> BatchLoss:
        loss = self._loss
        if not isinstance(loss, LossTerms):
            return BatchLoss(index, lambda p: _counted_terms(self._call(p, loss, batch), index))
        x, target = input_and_target(batch, index)

        def criterion(output: Any) -> tuple[Tensor, Count]:
            total, count = loss.terms(output, target)
            return _finite(total, index), count

        def output(model: nn.Module, x: Any) -> Any:
            z = call(model, x)
            if self._unchecked and loss.check is not None:
                with torch.no_grad():
                    loss.check(tree_map(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, z), target)
            return z

        return BatchLoss(
            index,
            # the loss runs with the parameters in place too: it may hold a penalty on them
            lambda p: self._call(p, lambda model, x: criterion(output(model, x)), x),
            lambda p: self._call(p, output, x),
            criterion,
        )

    def _call(self, parameters: Parameters, function: Callable[[Any, Any], Any], argument: Any) -> Any:
        """function(model, argument) with these parameters in the model's place, and copies of its buffers."""
        names = self.parameters().keys()
        frozen = ((name, p.detach()) for name, p in self.model.named_parameters() if not p.requires_grad)
        state = {name: self._cast(p.clone() if p.is_inference() else p) for name, p in frozen}
        state |= {name: self._cast(b.detach().clone()) for name, b in self.model.named_buffers()}
        state |= dict(zip(names, parameters, strict=True))
        prefixed = {f"model.{name}": tensor for name, tensor in state.items()}
        bound = _Bound(self.model, function)
        return torch.func.functional_call(bound, prefixed, (argument,))


class _Bound(nn.Module):
    """function(model, .) as a module, so that functional_call can put parameters in the model's place."""

    def __init__(self, model: nn.Module, function: Callable[[nn.Module, Any], Any]) -> None:
        super().__init__()
        self.model, self._function = model, function

    def forward(self, argument: Any) -> Any:
        return self._function(self.model, argument)


def tensors_of(output: Any) -> list[Tensor]:
    """The differentiable tensors of a model's output, in the order of its structure."""
    return [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor) and leaf.requires_grad]


def _counted_terms(pair: Any, index: int) -> tuple[Tensor, Count]:
    if not (isinstance(pair, tuple) and len(pair) == 2):
        raise LossError(
            f"batch_loss must return (sum of the loss terms, their number), got {type(pair).__name__} on batch {index}."
        )
    return _finite(pair[0], index), pair[1]


def _finite(total: Any, index: int) -> Tensor:
    """`total` where it is a finite scalar; a sentence naming the batch otherwise."""
    if not isinstance(total, Tensor) or total.numel() != 1:
        what = f"shape {tuple(total.shape)}" if isinstance(total, Tensor) else type(total).__name__
        raise LossError(f"The loss must be a scalar tensor, got {what} on batch {index}. Sum or average it.")
    if not torch.isfinite(total.detach()).item():
        raise LossError(
            f"The loss is {float(total.detach())} on batch {index} (counted from 0). Look for NaN in that batch or in "
            "the parameters, or for a learning rate that diverged."
        )
    return total.reshape(())

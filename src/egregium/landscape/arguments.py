"""What a landscape is made of, checked before anything is made, and what is said where it does not fit."""

from collections.abc import Set
from numbers import Real
from typing import Any

from torch import Tensor, nn

from egregium.errors import ArgumentError, DataError, LossError


def refuse_unfit_arguments(model: Any, loss: Any, data: Any, batch_loss: Any, terms: Any) -> None:
    """Raise ArgumentError, DataError where these do not make a `Landscape`."""
    if not isinstance(model, nn.Module):
        raise ArgumentError(
            f"Landscape needs a torch.nn.Module, got {type(model).__name__}. For a plain function of a vector use "
            "Landscape.from_function(f, theta)."
        )
    if (loss is None) == (batch_loss is None):
        raise ArgumentError("Landscape needs exactly one of loss= and batch_loss=.")
    for name, function in (("loss", loss), ("batch_loss", batch_loss)):
        if function is not None and not callable(function):
            raise ArgumentError(f"{name}= must be callable, got {type(function).__name__}.")
        if isinstance(function, type):
            raise ArgumentError(f"{name}= is the class {function.__name__}; pass an instance: {function.__name__}().")
    if data is None:
        raise DataError("Landscape needs data=: a list of batches, a DataLoader, a Dataset or one pair (X, y).")
    if batch_loss is not None and terms is not None:
        raise ArgumentError("terms= goes with loss=; batch_loss returns the number of its terms itself.")


def is_positive(value: object) -> bool:
    """Whether `value` is a finite real number above 0."""
    return isinstance(value, Real) and 0 < float(value) < float("inf")


def counted(number: Any, index: int) -> float:
    """The number of loss terms of a batch. Raises LossError where it is no finite number >= 0."""
    if isinstance(number, (int, float)) or (isinstance(number, Tensor) and number.numel() == 1):
        count = float(number)
        if 0 <= count < float("inf"):
            return count
    raise LossError(f"The number of loss terms must be finite and >= 0, got {number!r} on batch {index}.")


def graph_was_cut() -> LossError:
    """What to say where no batch's loss depends on the parameters."""
    return LossError(
        "The loss does not depend on the parameters: its graph was cut. Look for .detach(), .item(), "
        "torch.no_grad() or numpy in the model or the loss."
    )


def parameters_changed(names: Set[str]) -> ArgumentError:
    """What to say where other parameters require grad than when the landscape was made."""
    return ArgumentError(
        f"Which parameters require grad has changed since the landscape was made ({', '.join(sorted(names)[:5])}). "
        "Make a new Landscape."
    )

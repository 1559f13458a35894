"""Any form of data as batches that can be read again and again."""

import copy
from collections import UserDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.data import DataLoader, Dataset

from egregium.errors import DataError

#: Samples a batch, where a Dataset is given and the batches are ours to cut.
DATASET_BATCH = 256


def repeatable_batches(data: Any) -> Iterable[Any]:
    """`data` as an iterable of batches that starts anew at each pass.

    A DataLoader or a list of batches passes unchanged, a Dataset is wrapped in a DataLoader of 256 samples a batch, a
    tuple (X, y) is one batch. Raises DataError for a one-shot iterator, an empty list, or anything not iterable.
    """
    if isinstance(data, DataLoader):
        return data
    if isinstance(data, Dataset):
        return DataLoader(data, batch_size=DATASET_BATCH)
    if isinstance(data, tuple) and len(data) == 2:
        return [data]
    if not isinstance(data, Iterable) or isinstance(data, (Tensor, Mapping, str)):
        raise DataError(
            f"data must be a list of batches, a DataLoader, a Dataset or one pair (X, y), got {type(data).__name__}."
        )
    if isinstance(data, Iterator):
        raise DataError(
            f"data is a one-shot {type(data).__name__}: it is empty after one pass, and a measurement makes many. "
            "Pass list(data), or the DataLoader itself."
        )
    if isinstance(data, (list, tuple)) and not data:
        raise DataError("data has no batches. Pass at least one.")
    return data


def input_and_target(batch: Any, index: int) -> tuple[Any, Any]:
    """The two parts of a batch (input, target). Raises DataError where it is not a pair."""
    if isinstance(batch, (tuple, list)) and len(batch) == 2:
        return batch[0], batch[1]
    hint = " Did you mean the tuple (X, y)? A list is a list of batches." if isinstance(batch, Tensor) else ""
    raise DataError(
        f"With loss=, a batch is a pair (input, target); batch {index} is a {type(batch).__name__}.{hint} For batches "
        "of any other form pass batch_loss=f with f(model, batch) -> (sum of the loss terms, their number)."
    )


def call(model: nn.Module, x: Any) -> Any:
    """model(**x) for a mapping, model(*x) for a tuple or list, else model(x); a PackedSequence is one argument."""
    if isinstance(x, Mapping):
        return model(**x)
    several = isinstance(x, (tuple, list)) and not isinstance(x, PackedSequence)
    return model(*x) if several else model(x)


def described(value: Any) -> str:
    """Shapes and dtypes of the tensors in a model's input, output or target."""
    leaves = [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]
    parts = [f"{str(leaf.dtype).removeprefix('torch.')} {tuple(leaf.shape)}" for leaf in leaves]
    return ", ".join(parts) or type(value).__name__


def not_finite_sample(batch: Any) -> int | None:
    """The first index along the first dimension at which a tensor of the batch is not finite."""
    for leaf in tree_leaves(batch):
        if isinstance(leaf, Tensor) and leaf.is_floating_point() and leaf.ndim:
            bad = ~torch.isfinite(leaf.detach()).reshape(leaf.shape[0], -1).all(1)
            if bool(bad.any()):
                return int(bad.nonzero()[0])
    return None


def moved(batch: Any, device: torch.device, dtype: torch.dtype | None) -> Any:
    """A copy of the batch with its tensors on `device`, floating ones cast to `dtype` where it is given.

    A copy also where nothing changes: a model may write into its input, and autograd refuses tensors of inference mode.
    Descends into tuples, lists, dicts, mappings of any class (a tokenizer's BatchEncoding) and dataclasses; any other
    object with a method `to` is asked for `to(device)`, where it is elsewhere.
    """

    def move(leaf: Any) -> Any:
        if isinstance(leaf, Tensor):
            return leaf.to(device, dtype if leaf.is_floating_point() else None, copy=True)
        if isinstance(leaf, PackedSequence):  # its batch_sizes stay on the CPU
            data = leaf.data.to(device, dtype if leaf.data.is_floating_point() else None, copy=True)
            places = (index if index is None else index.to(device) for index in leaf[2:])
            return PackedSequence(data, leaf.batch_sizes, *places)
        if isinstance(leaf, UserDict):
            other = copy.copy(leaf)
            other.data = moved(leaf.data, device, dtype)
            return other
        if isinstance(leaf, Mapping):
            return {key: moved(value, device, dtype) for key, value in leaf.items()}
        if is_dataclass(leaf) and not isinstance(leaf, type):
            parts = {f.name: moved(getattr(leaf, f.name), device, dtype) for f in fields(leaf) if f.init}
            return replace(leaf, **parts)
        return leaf.to(device) if device.type != "cpu" and callable(getattr(leaf, "to", None)) else leaf

    return tree_map(move, batch, is_leaf=lambda part: isinstance(part, PackedSequence))

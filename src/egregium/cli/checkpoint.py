"""Checkpoints: read without running any code, checked whole before the first parameter is written."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from egregium.errors import ArgumentError, CheckpointError
from egregium.landscape.states import fitted

#: Where training scripts keep the state dict inside a larger dictionary.
NESTED = ("state_dict", "model_state_dict", "model", "module")


def load_checkpoint(model: nn.Module, path: Path) -> None:
    """Copy the tensors of a checkpoint (safetensors, or torch.save of a state dict) into `model`.

    Raises CheckpointError where the file cannot be read safely or does not fit; the model is then unchanged.
    """
    try:
        state = fitted(model, read_state(path))
    except ArgumentError as error:
        advice = "Check that the factory builds the model the checkpoint was saved from."
        raise CheckpointError(f"{path} {error} {advice}") from None
    own = model.state_dict(keep_vars=True)
    with torch.no_grad():
        for name, tensor in state.items():
            own[name].copy_(tensor)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors in a checkpoint, by name, on the CPU. No pickle beyond tensors is ever executed.

    Raises CheckpointError where there is no such file, it is damaged, holds other objects, or no tensors.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint {path}.")
    try:
        content: Any = load_file(path) if path.suffix == ".safetensors" else _weights_only(path)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}.") from error
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file may raise anything
        why = " ".join(str(error).split("\n", 1)[0].split()).rstrip(".") or type(error).__name__
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint: {why}. Save model.state_dict() again, best as safetensors."
        ) from error
    for key in NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    tensors = {k: v for k, v in content.items() if isinstance(v, Tensor)} if isinstance(content, Mapping) else {}
    if not tensors:
        raise CheckpointError(f"{path} holds no tensors by name. Save model.state_dict(), best as safetensors.")
    return tensors


def _weights_only(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever it warns of, it either loads or is refused
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise CheckpointError(
            f"{path} is refused: it is damaged, or holds objects other than tensors, and reading those would run code. "
            "Save model.state_dict() instead of the model, best as safetensors."
        ) from error

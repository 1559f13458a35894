"""State dicts as they are saved, fitted to a model: wrappers' prefixes, tied weights, what is missing."""

from collections.abc import Mapping

from torch import Tensor, nn

from egregium.errors import ArgumentError
from egregium.landscape.selection import some

#: What wrappers put before every name: DataParallel and DistributedDataParallel, torch.compile.
PREFIXES = ("module.", "_orig_mod.")


def fitted(model: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of `state` by the model's own names and in its dtypes, tied ones under each of theirs.

    Raises ArgumentError, with names, where some are missing, unexpected, or of another shape.
    """
    given = {_stripped(name): tensor for name, tensor in state.items()}
    own = {_stripped(name): (name, tensor) for name, tensor in model.state_dict(keep_vars=True).items()}
    shared = _shared_names({name: tensor for name, (_, tensor) in own.items()})
    found = {name: next((given[alias] for alias in (name, *shared[name]) if alias in given), None) for name in own}
    missing = [name for name, tensor in found.items() if tensor is None]
    unexpected = [name for name in given if name not in own]
    misfit = [
        f"{name} {tuple(tensor.shape)} for {tuple(own[name][1].shape)}"
        for name, tensor in found.items()
        if tensor is not None and tensor.shape != own[name][1].shape
    ]
    faults = (("missing", missing), ("unexpected", unexpected), ("of another shape", sorted(misfit)))
    sentences = [f"{len(names)} {what}: {some(names)}" for what, names in faults if names]
    if sentences:
        raise ArgumentError(f"does not fit {type(model).__name__}: {'; '.join(sentences)}.")
    return {own[name][0]: tensor.to(own[name][1].dtype) for name, tensor in found.items() if tensor is not None}


def _shared_names(own: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """For each name the names of tensors that share its memory: safetensors keeps tied weights once."""
    by_memory: dict[tuple[int, tuple[int, ...]], list[str]] = {}
    for name, tensor in own.items():
        by_memory.setdefault((tensor.data_ptr(), tuple(tensor.shape)), []).append(name)
    return {name: by_memory[tensor.data_ptr(), tuple(tensor.shape)] for name, tensor in own.items()}


def _stripped(name: str) -> str:
    while name.startswith(PREFIXES):
        name = name.removeprefix(PREFIXES[0]).removeprefix(PREFIXES[1])
    return name

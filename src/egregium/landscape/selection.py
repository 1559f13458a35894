"""Which model is measured, which of its parameters are theta, and what is refused by name."""

import difflib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from egregium.errors import ArgumentError

#: What `torch.compile` puts into a name: no pattern needs it.
COMPILED = "_orig_mod."
#: Names that an error lists before it says how many more there are.
SHOWN = 5


def unwrapped(model: nn.Module) -> nn.Module:
    """The user's own module inside DataParallel, DistributedDataParallel and torch.compile, in any order.

    Their wrappers replicate, communicate or compile, and none of it has a second derivative.
    """
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        else:
            return model


def measured(model: nn.Module, patterns: Sequence[str] | None) -> dict[str, nn.Parameter]:
    """The parameters that require grad and match one of the patterns (all, where None), by name, tied ones once."""
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if patterns is None:
        return trainable
    chosen = {id(p) for name, p in _all_names(model) if any(matches(name, pattern) for pattern in patterns)}
    return {name: p for name, p in trainable.items() if id(p) in chosen}


def tied_names(model: nn.Module, name: str) -> list[str]:
    """All names of the parameter that is called `name`: a tied one has several."""
    parameters = dict(_all_names(model))
    return [other for other, p in parameters.items() if p is parameters[name]]


def patterns_of(model: nn.Module, params: str | Sequence[str] | None) -> Sequence[str] | None:
    """`params` as patterns of names; None for all parameters.

    Raises ArgumentError where it is neither a string nor strings, or matches no parameter that requires grad.
    """
    if params is None:
        return None
    patterns = [params] if isinstance(params, str) else params
    known = isinstance(patterns, (list, tuple)) and patterns and all(isinstance(p, str) for p in patterns)
    if not known:
        raise ArgumentError(
            f'params= must be a pattern of names such as "blocks.*.attn.*", or several, got {params!r}.'
        )
    refuse_unmatched(unwrapped(model), patterns, "params")
    return patterns


def matches(name: str, pattern: str) -> bool:
    """Whether a parameter's name matches a shell pattern (`*` any characters, dots too; `?`, `[...]`)."""
    return fnmatchcase(name.replace(COMPILED, ""), pattern)


def refuse_unmatched(model: nn.Module, patterns: Sequence[str], argument: str) -> None:
    """Raise ArgumentError for a pattern that no parameter that requires grad matches."""
    names = [name.replace(COMPILED, "") for name, _ in _all_names(model)]
    trainable = {name.replace(COMPILED, "") for name, p in _all_names(model) if p.requires_grad}
    for pattern in patterns:
        frozen = [name for name in names if matches(name, pattern)]
        if trainable & set(frozen):
            continue
        if frozen:
            raise ArgumentError(
                f"{argument}={pattern!r} matches parameters that do not require grad ({some(frozen)}). Call "
                "requires_grad_(True) on what is to be measured."
            )
        near = difflib.get_close_matches(pattern, names, SHOWN, 0.3) or names
        raise ArgumentError(f"{argument}={pattern!r} matches no parameter. There are: {some(near)}.")


def refuse_unfit(model: nn.Module, theta: dict[str, nn.Parameter]) -> None:
    """Raise ArgumentError where a module cannot be measured, or theta is no vector of real numbers."""
    modules = dict(model.named_modules())
    lazy = [name for name, p in model.named_parameters() if isinstance(p, nn.parameter.UninitializedParameter)]
    if lazy:
        raise ArgumentError(f"These parameters have no shape yet: {some(lazy)}. Call model(x) once before measuring.")
    shards = [name for name, p in theta.items() if type(p.data).__name__ == "DTensor"]
    if shards or any(type(module).__name__ == "FullyShardedDataParallel" for module in modules.values()):
        raise ArgumentError("The parameters are sharded over processes. Gather them into a plain module first.")
    for name, module in modules.items():
        if (why := _unfit(module, theta)) is not None:
            where = f"{name or 'the model'} ({type(module).__name__})"
            raise ArgumentError(f"{where} cannot be measured: {why}")
    whole = [name for name, p in model.named_parameters() if not (p.is_floating_point() or p.is_complex())]
    if whole and not theta:
        raise ArgumentError(
            f"Parameters must be real floating-point numbers; these are integers: {some(whole)}. Measure the model "
            "before it was quantised."
        )
    if not sum(p.numel() for p in theta.values()):
        raise ArgumentError(
            f"No parameter of {type(model).__name__} requires grad, so there is no landscape. "
            "Call model.requires_grad_(True) on the part to be measured."
        )
    wrong = [f"{name} ({p.dtype})" for name, p in theta.items() if not p.is_floating_point()]
    if wrong:
        raise ArgumentError(f"Parameters must be real floating-point numbers; these are not: {', '.join(wrong)}.")


def _unfit(module: nn.Module, theta: dict[str, nn.Parameter]) -> str | None:
    """Why this module cannot be measured, with the way round; None where it can."""
    if isinstance(module, torch.jit.ScriptModule):
        return (
            "a script module runs where nobody looks: dropout that was traced stays on, and derivatives that torch has "
            "wrong cannot be replaced. Pass the nn.Module it was made from."
        )
    own = any(p is module._parameters.get("weight") for p in theta.values())
    if getattr(module, "max_norm", None) is not None and isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return (
            "with max_norm its forward pass changes its own weight, so f is no function of theta. Renormalise once, "
            "then set max_norm = None."
        )
    if isinstance(module, nn.EmbeddingBag) and own:
        return "torch has no second derivative of embedding_bag. Use nn.Embedding and .sum(1) or .mean(1) over the bag."
    if isinstance(module, nn.Embedding) and module.sparse and own:
        return "sparse gradients have no second derivative in torch. Set sparse = False; the values are the same."
    return None


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _all_names(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """All names of all parameters: a tied one has several."""
    return model.named_parameters(remove_duplicate=False)

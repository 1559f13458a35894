"""The user's forward hooks, watched or switched off during a pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from egregium.diagnostics.site import defined
from egregium.diagnostics.watch import Watch

KINDS = ("_forward_pre_hooks", "_forward_hooks")


@dataclass
class Hook:
    """A hook and what it was seen to do: to change what its module takes or gives, to write into parameters.

    `name` tells it from all others; `where` it is defined.
    """

    name: str
    what: str
    where: str
    function: Callable[..., Any]
    changes: bool = False
    writes: bool = False


@dataclass
class Hooks:
    """All hooks of a model that are the user's, by name."""

    found: dict[str, Hook] = field(default_factory=dict)

    def doing(self, what: str) -> list[Hook]:
        """Those that were seen to do it: "changes" or "writes"."""
        return [hook for hook in self.found.values() if getattr(hook, what)]


@contextmanager
def hooks_watched(model: nn.Module | None, watch: Watch, theta: Sequence[Tensor]) -> Iterator[Hooks]:
    """The user's hooks with a look at each of their calls; those in `watch.switches.hooks_off` do nothing meanwhile.

    `theta`: where the parameters of the pass are, once they are known. torch's own hooks (weight norm) stay.
    """
    hooks = Hooks()
    kept: list[tuple[dict[int, Any], dict[int, Any]]] = []
    try:
        for name, module in model.named_modules() if model is not None else ():
            for kind in KINDS:
                table: dict[int, Any] = getattr(module, kind)
                kept.append((table, dict(table)))
                for key, function in list(table.items()):
                    if not _of_torch(function):
                        what = f"{_title(function)} on {name or 'the model'} ({type(module).__name__})"
                        hook = Hook(f"{kind} {key} on {name}", what, defined(function), function)
                        hooks.found[hook.name] = hook
                        table[key] = _watched(hook, watch, theta)
        yield hooks
    finally:
        for table, before in kept:
            table.clear()
            table.update(before)


def _watched(hook: Hook, watch: Watch, theta: Sequence[Tensor]) -> Callable[..., Any]:
    def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if hook.name in watch.switches.hooks_off:
            return None
        seen = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor) and not leaf.is_inference()]
        versions = [leaf._version for leaf in (*seen, *theta)]
        own = [p.detach().clone() for p in module.parameters(recurse=False)]
        before, watch.hook = watch.hook, hook.name
        try:
            result = hook.function(module, *args, **kwargs)
        finally:
            watch.hook = before
        now = [leaf._version for leaf in (*seen, *theta)]
        hook.changes |= result is not None or now[: len(seen)] != versions[: len(seen)]
        hook.writes |= now[len(seen) :] != versions[len(seen) :]
        hook.writes |= not all(map(torch.equal, own, module.parameters(recurse=False)))
        return result

    return call


def _title(function: Any) -> str:
    name = str(getattr(function, "__qualname__", type(function).__name__))
    return name.rsplit(".", 1)[-1].replace("<lambda>", "a lambda")


def _of_torch(function: Any) -> bool:
    owner = getattr(function, "__module__", None) or type(function).__module__
    return str(owner).split(".")[0] == "torch"

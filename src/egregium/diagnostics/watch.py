"""What happens inside a pass: which torch functions run where, which draw random numbers, what hooks do.

Random numbers are started anew at each call that draws, from (seed, batch, how manieth): so one call can be given other
numbers while all others keep theirs.
"""

import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from egregium.diagnostics.site import Part, Site, site

#: Calls whose results are remembered, at most, in one pass.
LONGEST = 20_000
#: How the model itself is called among its modules.
ROOT = "the model"
#: Global generators, and how they are called.
TORCH, NUMPY, PYTHON = "torch", "numpy", "random"
NAMES = {TORCH: "torch's generator", NUMPY: "numpy.random", PYTHON: "Python's random"}
Place = Any


@dataclass(frozen=True)
class Switches:
    """What is switched off, or on, in a pass: hooks by name, batch statistics, other numbers at one place."""

    hooks_off: frozenset[str] = frozenset()
    stored_statistics: bool = False
    shaken: Place = None


@dataclass
class Watch:
    """The records of one pass.

    Attributes:
        noise: seed of what is drawn.
        switches: what is off.
        names: of the model's modules, by id.
        draws: sites in model and loss that drew, by place; `modules` those they are in.
        own: places that drew from a generator of their own.
        norms: sites of BatchNorm with the statistics of the batch, by module.
        calls: (site, sum of the result) in order.
        moved: generators beside torch's that moved in model or loss.
        whole: what model and loss are together where they cannot be told apart, else empty.
    """

    noise: int = 0
    switches: Switches = Switches()
    names: dict[int, str] = field(default_factory=dict)
    draws: dict[Place, Site] = field(default_factory=dict)
    modules: dict[Place, set[str]] = field(default_factory=dict)
    own: set[Place] = field(default_factory=set)
    norms: dict[str, tuple[Site, bool]] = field(default_factory=dict)
    calls: list[tuple[Site, Tensor | None]] = field(default_factory=list)
    moved: dict[str, Part] = field(default_factory=dict)
    whole: str = ""
    index: int = 0
    drawn: int = 0
    part: Part = "data"
    hook: str = ""

    def site(self, function: str) -> Site:
        """The site of what is being called now."""
        return site(function, self.part, self.names, self.hook)

    def named(self, part: Part) -> str:
        """How to call a part."""
        return self.whole or part

    @contextmanager
    def within(self, part: Part) -> Iterator[None]:
        """Watch the block, which is `part` of the work on a batch."""
        states = states_beside_torch()
        self.part = part
        functions = _Functions(self)
        try:
            with ExitStack() as stack:
                stack.enter_context(functions)
                stack.enter_context(_Draws(self, functions))
                yield
        finally:
            self.part = "data"
            for name, state in states_beside_torch().items():
                if state != states[name]:
                    self.moved.setdefault(name, part)

    def begin(self, index: int) -> None:
        """Start batch `index`."""
        self.index, self.drawn = index, 0
        if self.switches.shaken == NUMPY:
            np.random.seed(index + 1)
        if self.switches.shaken == PYTHON:
            random.seed(index + 1)


class _Functions(TorchFunctionMode):
    """Records every torch function that is called from Python, and replaces batch statistics by stored ones."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch, self.current = watch, ""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        before, self.current = self.current, getattr(func, "__name__", str(func))
        if func is F.batch_norm:
            args, kwargs = self._normed(*args, **kwargs), {}
        try:
            result = func(*args, **kwargs)
            if len(self.watch.calls) < LONGEST and self.current != "__get__":
                self.watch.calls.append((self.watch.site(self.current), _sum(result)))
            return result
        finally:
            self.current = before

    def _normed(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The arguments of F.batch_norm, recorded where it uses the statistics of the batch."""
        bound = inspect.signature(F.batch_norm).bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        if given["training"]:
            here = self.watch.site("batch_norm")
            self.watch.norms[here.module or str(here)] = (here, given["running_mean"] is not None)
            if self.watch.switches.stored_statistics:
                zeros = given["input"].new_zeros(given["input"].shape[1])
                given["running_mean"] = zeros if given["running_mean"] is None else given["running_mean"]
                given["running_var"] = zeros + 1 if given["running_var"] is None else given["running_var"]
                given["training"] = False
        return bound.args


class _Draws(TorchDispatchMode):
    """Records the operations that draw from torch's generators, and starts these anew before each."""

    def __init__(self, watch: Watch, functions: _Functions) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.watch, self.functions = watch, functions

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if torch.Tag.nondeterministic_seeded in func.tags:
            here = self.watch.site(self.functions.current or func.overloadpacket.__name__)
            self.watch.draws.setdefault(here.place, here)
            self.watch.modules.setdefault(here.place, set()).add(here.module)
            if isinstance(kwargs.get("generator"), torch.Generator):
                self.watch.own.add(here.place)
            elif self.watch.part != "data":  # what the data draw is a matter of the seed alone
                self._start(here)
        return func(*args, **kwargs)

    def _start(self, here: Site) -> None:
        watch = self.watch
        watch.drawn += 1
        key = (watch.noise, watch.index, watch.drawn, watch.switches.shaken == here.place)
        seed = hash(key) & (2**62 - 1)
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            torch.cuda.manual_seed_all(seed)


def states_beside_torch() -> dict[str, Any]:
    """The states of numpy's and Python's global generators, comparable."""
    numbers = np.random.get_state(legacy=False)
    return {NUMPY: (numbers["state"]["key"].tobytes(), numbers["state"]["pos"]), PYTHON: random.getstate()}


def _sum(result: Any) -> Tensor | None:
    """The elements of a result, added up so that their order matters a little; None where it has none."""
    sums = []
    for leaf in tree_leaves(result):
        if isinstance(leaf, Tensor) and leaf.numel() and not leaf.is_complex() and leaf.layout is torch.strided:
            if torch._C._functorch.is_functorch_wrapped_tensor(leaf):
                return None  # it must not outlive its transform
            flat = leaf.detach().reshape(-1)
            third = flat[: len(flat) // 3 + 1].sum(dtype=torch.float64)
            sums.append(flat.sum(dtype=torch.float64) + 0.7 * third)
    return torch.stack([part.cpu() for part in sums]).sum() if sums else None

"""What every public measurement does first: refuse what is no landscape, and leave the caller's autocast."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

import torch

from egregium.autodiff import memory_failures
from egregium.errors import ArgumentError
from egregium.landscape import Landscape

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_full_precision(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """`function` with autocast off on the CPU and on the devices of its arguments, and lack of memory as a sentence.

    Under autocast a sketch would be orthonormal to bfloat16, and R off by a percent, silently.
    """

    @wraps(function)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if "land" in signature(function).parameters:
            land = args[0] if args else kwargs.get("land")
            if not isinstance(land, Landscape):
                raise ArgumentError(
                    f"{function.__name__} needs a Landscape, got {type(land).__name__}. Make one: "
                    "eg.Landscape(model, loss, data)."
                )
        places = (getattr(argument, "device", "cpu") for argument in (*args, *kwargs.values()))
        with ExitStack() as stack:
            stack.enter_context(memory_failures())
            for kind in sorted({"cpu", *(torch.device(place).type for place in places)}):
                stack.enter_context(torch.autocast(kind, enabled=False))
            return function(*args, **kwargs)

    return guarded

"""Whatever autocast the caller is in, the estimators' own arithmetic keeps its dtype."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_full_precision(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """`function` with autocast off on the CPU and on the devices of its arguments.

    Under autocast a sketch would be orthonormal to bfloat16, and R off by a percent, silently.
    """

    @wraps(function)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        places = (getattr(argument, "device", "cpu") for argument in (*args, *kwargs.values()))
        with ExitStack() as stack:
            for kind in sorted({"cpu", *(torch.device(place).type for place in places)}):
                stack.enter_context(torch.autocast(kind, enabled=False))
            return function(*args, **kwargs)

    return guarded

"""Where and in which numbers a landscape is computed: a device that is there, a floating-point dtype."""

from typing import Any

import torch

from egregium.errors import ArgumentError


def checked_device(device: Any) -> torch.device | None:
    """`device` as a torch.device; None stays. Raises ArgumentError where it is none, or is not on this machine."""
    if device is None:
        return None
    try:
        place = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise _unusable(device, "torch knows no such device") from error
    if place.type == "meta":
        raise _unusable(device, "it holds no numbers")
    try:
        return torch.empty(0, device=place).device
    except (RuntimeError, AssertionError, ValueError) as error:
        raise _unusable(device, str(error).splitlines()[0].rstrip(".")) from error


def checked_dtype(dtype: Any) -> torch.dtype | None:
    """`dtype` itself. Raises ArgumentError where it is neither None nor a floating-point dtype of torch."""
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise ArgumentError(f"dtype must be a floating-point dtype such as torch.float64, got {dtype!r}.")
    return dtype


def _unusable(device: Any, why: str) -> ArgumentError:
    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    there += ["mps"] if torch.backends.mps.is_available() else []
    return ArgumentError(f"device {device!r} cannot be used: {why}. This machine has: {', '.join(there)}.")

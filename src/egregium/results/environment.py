"""Where a number was computed."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version

import numpy
import scipy
import torch


@dataclass(frozen=True)
class Environment:
    """Versions and machine behind a result, and the arguments that fix its randomness.

    `device_name` is the card's name on an accelerator, else the processor's architecture; `threads` are torch's.
    """

    egregium: str
    torch: str
    numpy: str
    scipy: str
    python: str
    platform: str
    device: str
    device_name: str
    dtype: str
    threads: int
    cores: int
    seed: int

    def __post_init__(self) -> None:
        kind = getattr(torch, self.dtype, None)
        if not isinstance(kind, torch.dtype) or not kind.is_floating_point:
            raise ValueError(f"its dtype {self.dtype!r} is no floating-point dtype of torch")


def environment(device: torch.device, dtype: torch.dtype, seed: int) -> Environment:
    """The environment of a computation on `device` in `dtype` with `seed`."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return Environment(
        egregium=version("egregium"),
        torch=torch.__version__,
        numpy=numpy.__version__,
        scipy=scipy.__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        device=str(device),
        device_name=name,
        dtype=str(dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        cores=os.cpu_count() or 1,
        seed=seed,
    )

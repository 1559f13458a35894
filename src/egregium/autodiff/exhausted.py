"""Memory that is not there, as a sentence: torch raises a RuntimeError for it, of another kind on each device."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from egregium.errors import EgregiumError, OutOfMemoryError

#: What the CPU's allocator says; CUDA has a class of its own.
_CPU = re.compile(r"DefaultCPUAllocator: (can't allocate|not enough) memory")
_SIZE = re.compile(r"[Tt]ried to allocate (\d+(?:\.\d+)? (?:bytes|[KMGT]iB))")


def exhausted(error: BaseException) -> bool:
    """Whether `error` says that memory ran out."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or bool(_CPU.search(str(error)))


@contextmanager
def memory_failures() -> Iterator[None]:
    """Raise egregium's OutOfMemoryError where memory runs out, with its size and what takes less."""
    try:
        yield
    except EgregiumError:
        raise
    except (RuntimeError, MemoryError) as error:
        if not exhausted(error):
            raise
        size = _SIZE.search(str(error))
        wanted = f" {size[1]} more were asked for." if size else ""
        raise OutOfMemoryError(
            f"Memory ran out.{wanted} Use smaller batches, bound what a measurement holds (memory=), or measure fewer "
            "parameters (params=)."
        ) from error

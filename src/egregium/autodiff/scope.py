"""The state of torch in which derivatives are taken, whatever the caller's."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def derivatives(device: torch.device) -> Iterator[None]:
    """Gradients on, inference mode and autocast off, attention by the math kernel; all as before afterwards.

    The fused attention kernels have no second derivative on the CPU; a product under autocast is 1 % off.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in {"cpu", device.type}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        fastpath = torch.backends.mha.get_fastpath_enabled()
        stack.callback(torch.backends.mha.set_fastpath_enabled, fastpath)
        torch.backends.mha.set_fastpath_enabled(False)  # it has no derivative, and other roundings
        yield

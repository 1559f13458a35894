"""The state of torch in which derivatives are taken, whatever the caller's."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from egregium.autodiff.exhausted import memory_failures
from egregium.autodiff.missing import named_failures
from egregium.autodiff.replaced import replaced_layers


@contextmanager
def derivatives(device: torch.device) -> Iterator[None]:
    """Gradients on, inference mode and autocast off, attention by the math kernel, nothing compiled; then as before.

    The fused attention kernels have no second derivative on the CPU, compiled functions none anywhere; a product under
    autocast is 1 % off.
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
        if "torch._dynamo" in sys.modules:  # else nothing is compiled; importing it takes a second
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(named_failures())
        stack.enter_context(memory_failures())
        yield


@contextmanager
def second_derivatives_of(model: nn.Module) -> Iterator[None]:
    """What this model needs for right second derivatives: some layers by hand, recurrent ones without cuDNN."""
    with ExitStack() as stack:
        stack.enter_context(replaced_layers(model))
        if any(isinstance(module, nn.RNNBase) for module in model.modules()):
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))  # its kernels have no second derivative
        yield

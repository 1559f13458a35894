"""The state of torch in which derivatives are taken, whatever the caller's."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from egregium.autodiff.missing import named_failures


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
        yield


class _WeightNormByHand(TorchFunctionMode):
    """`torch._weight_norm` in operations of its own: the second derivative of the fused one is wrong (torch 2.13)."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch._weight_norm:
            return _weight_norm(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    return v * (g / torch.norm_except_dim(v, 2, dim))


@contextmanager
def second_derivatives_of(model: nn.Module) -> Iterator[None]:
    """What this model needs for right second derivatives: weight norm by hand, recurrent layers without cuDNN."""
    hooks = (hook for module in model.modules() for hook in module._forward_pre_hooks.values())
    names = {type(part).__name__ for part in (*model.modules(), *hooks)}
    with ExitStack() as stack:
        if names & {"_WeightNorm", "WeightNorm"}:
            stack.enter_context(_WeightNormByHand())
        if any(isinstance(module, nn.RNNBase) for module in model.modules()):
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))  # its kernels have no second derivative
        yield

"""One step of an optimiser on a batch."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from egregium.study.setting import Setting

#: A step of the optimiser on inputs and classes.
Step = Callable[[Tensor, Tensor], None]
#: SGD's momentum, and the length of SAM's ascent (P. Foret et al., arXiv 2010.01412).
MOMENTUM, RHO = 0.9, 0.05


def optimiser_step(model: nn.Module, setting: Setting) -> Step:
    """The step of the setting's optimiser; (weight_decay / 2) |theta|^2 is part of the loss that it descends."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    return (_adam if setting.optimiser == "adam" else _descent)(model, parameters, setting)


def _gradient(model: nn.Module, parameters: Sequence[Tensor], x: Tensor, y: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(cross_entropy(model(x), y), parameters))


def _adam(model: nn.Module, parameters: Sequence[Tensor], setting: Setting) -> Step:
    optimiser = torch.optim.Adam(parameters, lr=setting.learning_rate, weight_decay=setting.weight_decay)

    def step(x: Tensor, y: Tensor) -> None:
        for p, slope in zip(parameters, _gradient(model, parameters, x, y), strict=True):
            p.grad = slope
        optimiser.step()
        optimiser.zero_grad()

    return step


def _descent(model: nn.Module, parameters: list[nn.Parameter], setting: Setting) -> Step:
    """SGD as torch.optim.SGD has it, with the gradient at the end of SAM's ascent where that is asked.

    velocity = momentum velocity + g + decay theta, theta -= rate velocity.
    """
    moved: list[Tensor] = [p.detach() for p in parameters]  # they share memory with the parameters
    velocity = [torch.zeros_like(p) for p in moved]

    def step(x: Tensor, y: Tensor) -> None:
        slope = _gradient(model, parameters, x, y)
        if setting.optimiser == "sam":
            length = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in slope]))
            before = [p.clone() for p in moved]
            torch._foreach_add_(moved, torch._foreach_mul(slope, RHO / (length + 1e-12)))
            slope = _gradient(model, parameters, x, y)
            torch._foreach_copy_(moved, before)
        if setting.weight_decay:
            torch._foreach_add_(slope, moved, alpha=setting.weight_decay)
        torch._foreach_mul_(velocity, MOMENTUM)
        torch._foreach_add_(velocity, slope)
        torch._foreach_add_(moved, velocity, alpha=-setting.learning_rate)

    return step

"""One step of an optimiser on a batch; on a GPU it is recorded once and replayed, since launching its kernels takes
longer than they do."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from egregium.study.setting import Setting

#: A step of the optimiser on inputs and classes.
Step = Callable[[Tensor, Tensor], None]
#: SGD's momentum, and the length of SAM's ascent (P. Foret et al., arXiv 2010.01412).
MOMENTUM, RHO = 0.9, 0.05
#: Steps before a recording: what torch allocates at its first ones must not be in it.
WARM_UP = 3


def optimiser_step(model: nn.Module, setting: Setting, batch_size: int) -> Step:
    """The step of the setting's optimiser; (weight_decay / 2) |theta|^2 is part of the loss that it descends."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    if setting.optimiser == "adam":
        return _adam(model, parameters, setting)
    step, state = _descent(model, parameters, setting)
    if parameters[0].device.type != "cuda":
        return step
    return _Replayed(step, state, batch_size)


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


def _descent(model: nn.Module, parameters: list[nn.Parameter], setting: Setting) -> tuple[Step, list[Tensor]]:
    """SGD as torch.optim.SGD has it, with the gradient at the end of SAM's ascent where that is asked; its state.

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

    return step, [*moved, *velocity]


class _Replayed:
    """A step recorded as a CUDA graph at its first whole batch; batches of another size run as they are.

    Measured on an H200 with an MLP and batches of 64: see docs/study.md.
    """

    def __init__(self, step: Step, state: Sequence[Tensor], batch_size: int) -> None:
        self._step, self._state, self._size = step, state, batch_size
        self._graph: torch.cuda.CUDAGraph | None = None
        self._batch: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor, y: Tensor) -> None:
        if len(y) != self._size:
            self._step(x, y)
            return
        if self._batch is None:
            self._record(x, y)
        assert self._batch is not None
        assert self._graph is not None
        for kept, given in zip(self._batch, (x, y), strict=True):
            kept.copy_(given)
        self._graph.replay()

    def _record(self, x: Tensor, y: Tensor) -> None:
        """Record the step; what the warm-up moved is put back."""
        kept = [tensor.clone() for tensor in self._state]
        self._batch = x.clone(), y.clone()
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self._step(*self._batch)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._step(*self._batch)
        torch._foreach_copy_(list(self._state), kept)

"""The calls of known layers in a forward pass, watched from outside: no hook is left on the user's modules."""

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn.modules.module import register_module_forward_hook

from egregium.autodiff import uses_of
from egregium.errors import LossError
from egregium.landscape import BatchLoss
from egregium.layerwise.kinds import known
from egregium.layerwise.known import Factors, Known, Signs

#: Roundings by which two ways to a gradient may differ.
ROUNDINGS = 1e4


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer: what is kept of it, its rows, where gradients reach its output, which parameters it uses."""

    layer: Known
    rows: int
    edge: GradientEdge
    weight: int
    bias: int | None


@dataclass(eq=False)
class Captured:
    """The calls seen so far, in order."""

    calls: list[Call] = field(default_factory=list)

    @property
    def edges(self) -> list[GradientEdge]:
        """Where gradients reach the outputs."""
        return [call.edge for call in self.calls]


@contextmanager
def captured(
    batch: BatchLoss,
    only: Container[int] | None = None,
    eps: Tensor | None = None,
    draw: Signs | None = None,
) -> Iterator[Captured]:
    """Watch the calls of known layers whose weights are among the parameters in place; of `only` those by index.

    With `eps` (N,) each output is moved by `eps_i V_i a_i` for random V_i drawn by `draw`: the loss as a function of
    eps has second derivatives v_i^T H_i v_i.
    """
    index = {id(p): j for j, p in enumerate(batch.placed)}
    seen = Captured()

    def hook(module: nn.Module, args: Any, output: Any) -> Any:
        weight = getattr(module, "weight", None)
        j = index.get(id(weight))
        if j is None or (only is not None and j not in only) or len(args) != 1 or not isinstance(args[0], Tensor):
            return None
        if not isinstance(output, Tensor) or not output.requires_grad or (eps is not None and len(output) != len(eps)):
            return None
        bias = index.get(id(getattr(module, "bias", None)))
        factors = factors_of(batch, j, bias)
        layer = None if factors is None else known(module, args[0], output, factors)
        if layer is None:
            return None
        seen.calls.append(Call(layer, len(output), get_gradient_edge(output), j, bias))
        if eps is None or draw is None:
            return None
        return output + eps.view(-1, *(1,) * (output.ndim - 1)) * layer.nudge(draw)

    handle = register_module_forward_hook(hook)
    try:
        yield seen
    finally:
        handle.remove()


def factors_of(batch: BatchLoss, weight: int, bias: int | None) -> Factors | None:
    """The factors of a layer's parameters, by index; None where they are not one number a row, one for the bias."""
    if batch.factors is None:
        return Factors(bias=float(bias is not None))
    d, of_bias = batch.factors[weight], None if bias is None else batch.factors[bias]
    by_row = d.numel() == 1 or d.shape[0] == d.numel()
    if not by_row or (of_bias is not None and of_bias.numel() > 1):
        return None
    return Factors(d.reshape(-1), 0.0 if of_bias is None else float(of_bias))


def parameters_of(call: Call) -> tuple[int, ...]:
    """The indices of the parameters that a call uses."""
    return (call.weight,) if call.bias is None else (call.weight, call.bias)


def output_gradients(seen: Captured, output: Tensor, cotangent: Tensor) -> list[Tensor | None]:
    """Gradients of <output, cotangent> in the output of each captured call; None where it does not reach the output."""
    if not seen.calls:
        return []
    return list(torch.autograd.grad(output, seen.edges, cotangent, retain_graph=True, allow_unused=True))


def agree(mine: Tensor, other: Tensor, roundings: float = ROUNDINGS) -> bool:
    """Whether two ways to the same numbers differ by rounding alone, in the norm; `mine` may be flat."""
    mine, other = mine.detach().double().reshape(-1), other.detach()
    size, off = float(other.double().norm()), float((mine - other.double().reshape(-1)).norm())
    return off <= roundings * torch.finfo(other.dtype).eps * size


class RouteError(LossError):
    """A batch takes another way through the network than the samples that were looked at."""


def refuse_another_way(seen: Captured, covered: Mapping[int, int], total: Tensor, batch: BatchLoss) -> None:
    """Raise RouteError unless each covered parameter was met in one captured call, or is not in `total` at all.

    `covered`: how often the graph uses each of them; where it does more often, one is used by hand too.
    """
    met = Counter(j for call in seen.calls for j in parameters_of(call))
    uses = uses_of([total], batch.placed)
    other = [j for j in covered if met[j] != 1]
    more = any(uses[j] > covered[j] for j in covered)
    if not other and not more:
        return
    moved = [batch.placed[j] for j in other]
    slopes = torch.autograd.grad(total.sum(), moved, retain_graph=True, allow_unused=True) if moved else ()
    if more or any(met[j] > 1 or slope is not None for j, slope in zip(other, slopes, strict=True)):
        raise RouteError(
            f"Batch {batch.index} takes another way through the network than the first samples: a layer is used more "
            "than once, by hand, or in another shape. Traces by parts do not fit it."
        )

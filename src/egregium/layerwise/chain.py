"""tr D in closed form, for dense layers in a row with elementwise activations between them, two at most.

With `z_m` the output of layer m, `h_m = act(z_m)`, r = dl/dz of the network's output held fixed and delta its
backpropagation to h_m, `s_m = act''(z_m) delta_m`, the diagonal of D is that of `sum_m sum_j s_mj (dz_mj)(dz_mj)^T`:

    tr D = (1/N) sum_i sum_m sum_j s_imj |d z_imj / d theta|^2.

A layer's own part of the last factor is `|a_m|^2 + 1` (with factors of its rows and its bias `d_j^2 |a_m|^2 + d^2`);
that of the layer below is one product with squared weights, `(W_m o W_m) (act'(z_(m-1))^2 (|a_(m-1)|^2 + 1))`. The row
is recognised by the identity of tensors: each layer's input is the very output of the one before, so that nothing else
can lie between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from egregium.landscape import BatchLoss, Landscape
from egregium.landscape.losses import Count
from egregium.layerwise.capture import factors_of
from egregium.layerwise.known import Factors
from egregium.layerwise.outputs import output_curvature

#: Modules that act on each number alone.
ELEMENTWISE = (
    *(nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Softsign, nn.LogSigmoid, nn.Tanhshrink),
    *(nn.ELU, nn.CELU, nn.SELU, nn.ReLU, nn.LeakyReLU, nn.ReLU6, nn.Hardtanh, nn.Hardswish, nn.Identity),
)
#: Activations in a row up to which nothing is left to sample.
MOST_ACTIVATIONS = 2


@dataclass(frozen=True, eq=False)
class _Link:
    """A dense layer, the factors of its parameters, and the activation after it, None for the last."""

    dense: nn.Linear
    factors: Factors
    a: Tensor
    z: Tensor
    activation: nn.Module | None


def is_chain(batch: BatchLoss) -> bool:
    """Whether the network is such a row, and the parameters are its weights and biases."""
    return bool(_chain(batch)[0])


def chain_remainder_trace(land: Landscape) -> float:
    """tr D, exact, without weight decay; the landscape's network must be a chain. One forward and one backward pass."""

    def contribution(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
        links, output = _chain(batch)
        assert batch.criterion is not None
        r = output_curvature(batch.criterion, output).slopes.detach()
        return [_trace(links, r)], batch.criterion(output.detach())[1]

    (found,) = land.means(contribution)
    return float(found)


def _trace(links: Sequence[_Link], r: Tensor) -> Tensor:
    """Sum over the samples of a batch."""
    total = torch.zeros((), dtype=torch.float64, device=r.device)
    delta = r.reshape(-1, r.shape[-1])
    below: list[tuple[Tensor, Tensor]] = []  # (act', act'') of each activation, the last first
    for link in reversed(links[:-1]):
        assert link.activation is not None
        below.append(_derivatives(link.activation, link.z))
    for m in range(len(links) - 1, 0, -1):
        first, second = below[len(links) - 1 - m]
        delta = delta @ links[m].dense.weight.detach()
        squares = _own(links[m - 1])
        if m >= 2:  # the layer below it
            before, _ = below[len(links) - m]
            weights = links[m - 1].dense.weight.detach().square()
            squares = squares + (before.square() * _own(links[m - 2])) @ weights.T
        total += (second * delta * squares).sum(dtype=torch.float64)
        delta = delta * first
    return total


def _own(link: _Link) -> Tensor:
    squares, d = link.a.square().sum(1, keepdim=True), link.factors.rows
    return (squares if d is None else squares * d.square()) + link.factors.bias**2


def _derivatives(activation: nn.Module, z: Tensor) -> tuple[Tensor, Tensor]:
    """act' and act'' at z."""
    z = z.detach().requires_grad_()
    (first,) = torch.autograd.grad(activation(z).sum(), z, create_graph=True)
    if not first.requires_grad:
        return first, torch.zeros_like(first)
    (second,) = torch.autograd.grad(first.sum(), z, materialize_grads=True)
    return first.detach(), second


def _chain(batch: BatchLoss) -> tuple[list[_Link], Tensor]:
    """The row of layers and the output; no layers where it is none."""
    calls: list[tuple[nn.Module, Any, Any]] = []

    def hook(module: nn.Module, args: Any, output: Any) -> None:
        if type(module) in (nn.Linear, *ELEMENTWISE):
            calls.append((module, args[0] if len(args) == 1 else None, output))

    assert batch.outputs is not None
    handle = register_module_forward_hook(hook)
    try:
        output = batch.outputs()
    finally:
        handle.remove()
    found: list[tuple[nn.Linear, Tensor, Tensor, nn.Module | None]] = []
    place = 0
    while place < len(calls):
        module, a, z = calls[place]
        if not isinstance(module, nn.Linear) or not isinstance(a, Tensor) or a.ndim != 2:
            return [], output
        if (a.requires_grad and not found) or (found and a is not calls[place - 1][2]):
            return [], output
        last = z is output
        if last:
            found.append((module, a.detach(), z.detach(), None))
            place += 1
            break
        if place + 1 >= len(calls):
            return [], output
        activation, into, out = calls[place + 1]
        if type(activation) not in ELEMENTWISE or into is not z or out is z:
            return [], output
        found.append((module, a.detach(), z.detach(), activation))
        place += 2
    whole = place == len(calls) and bool(found) and found[-1][3] is None and len(found) - 1 <= MOST_ACTIVATIONS
    return _links(batch, found) if whole else [], output


def _links(batch: BatchLoss, found: Sequence[tuple[nn.Linear, Tensor, Tensor, nn.Module | None]]) -> list[_Link]:
    """The row where its layers hold all parameters, each once, with one factor a row or none; else nothing."""
    index = {id(p): j for j, p in enumerate(batch.placed)}
    used = [id(p) for dense, *_ in found for p in (dense.weight, dense.bias) if p is not None]
    if sorted(used) != sorted(index):
        return []
    links = []
    for dense, a, z, activation in found:
        factors = factors_of(batch, index[id(dense.weight)], index.get(id(dense.bias)))
        if factors is None:
            return []
        links.append(_Link(dense, factors, a, z, activation))
    return links

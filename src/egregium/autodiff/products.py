"""Gradients and products with second-derivative matrices, as pure functions.

A vector is a list of tensors shaped like the parameters. A part that is None stands for zeros, and the same part of the
product is left out (None too): products with a principal submatrix take no derivative that they do not need. With
`create_graph=True` the results are differentiable themselves, at more memory. Cost in gradients of f.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from egregium.autodiff.cuts import guarded
from egregium.autodiff.missing import dense


def gradient(value: Tensor, parameters: Sequence[Tensor], create_graph: bool = False) -> list[Tensor]:
    """d value / d parameters; zeros for parameters that value does not use."""
    if not value.requires_grad:
        return [torch.zeros_like(p) for p in parameters]
    own = create_graph and guarded([value])
    one = torch.ones_like(value, requires_grad=True) if own else None  # all that is made from it must have a graph
    kept = {"create_graph": create_graph, "retain_graph": create_graph, "materialize_grads": True}
    return dense(torch.autograd.grad(value, parameters, one, **kept))


def hessian_products(
    value: Tensor,
    parameters: Sequence[Tensor],
    vectors: Iterable[Sequence[Tensor | None]],
    create_graph: bool = False,
    slopes: Sequence[Tensor] | None = None,
) -> Iterator[list[Tensor | None]]:
    """H v for each v in turn, H = d^2 value / d parameters^2, by one more reverse pass through the gradient.

    The gradient's graph is built once and kept (Pearlmutter's product, Neural Comput. 6, 1994, reverse over reverse):
    1 gradient for the graph, 1.4 to 2.2 a product (floor 2 for interior dense layers). Memory: the activations of one
    gradient with its graph. `slopes`: the gradient, where it is known already, with its graph.
    """
    grads = gradient(value, parameters, create_graph=True) if slopes is None else slopes
    curved = [i for i, g in enumerate(grads) if g.requires_grad]
    for v in vectors:
        here = [i for i, part in enumerate(v) if part is not None]
        bent = [i for i in curved if v[i] is not None]
        if not bent:  # value is affine in these parameters
            yield _placed([torch.zeros_like(parameters[i]) for i in here], here, len(v))
            continue
        product = torch.autograd.grad(
            [grads[i] for i in bent],
            [parameters[i] for i in here],
            grad_outputs=[v[i] for i in bent],
            create_graph=create_graph,
            retain_graph=True,
            materialize_grads=True,
        )
        yield _placed(product, here, len(v))


def ggn_products(
    outputs: Sequence[Tensor],
    loss: Callable[[Sequence[Tensor]], Tensor],
    parameters: Sequence[Tensor],
    vectors: Iterable[Sequence[Tensor | None]],
    create_graph: bool = False,
) -> Iterator[list[Tensor | None]]:
    """J^T L J v for each v in turn: J = d outputs / d parameters, L = d^2 loss / d outputs^2 at these outputs.

    J v is the derivative of u -> J^T u in the direction v (reverse over reverse, so every layer with a second
    derivative serves); L needs no closed form. N. Schraudolph, Neural Comput. 14, 2002. About 2 gradients a product.
    """
    dual = [torch.ones_like(z, requires_grad=True) for z in outputs]  # not at 0, where a cut or a log is not seen
    guarded(outputs)
    pulled = dense(torch.autograd.grad(outputs, parameters, dual, create_graph=True, materialize_grads=True))
    live = [i for i, p in enumerate(pulled) if p.requires_grad]
    free = [z.view_as(z) if create_graph else z.detach().requires_grad_() for z in outputs]
    kept = {"create_graph": create_graph, "retain_graph": True, "materialize_grads": True}
    slopes = gradient(loss(free), free, create_graph=True)
    curved = [i for i, s in enumerate(slopes) if s.requires_grad]
    for v in vectors:
        here = [i for i, part in enumerate(v) if part is not None]
        moved = [i for i in live if v[i] is not None]
        if not moved or not curved:
            yield _placed([torch.zeros_like(parameters[i]) for i in here], here, len(v))
            continue
        pushed = torch.autograd.grad([pulled[i] for i in moved], dual, [v[i] for i in moved], **kept)
        bent = torch.autograd.grad([slopes[i] for i in curved], free, [pushed[i] for i in curved], **kept)
        yield _placed(torch.autograd.grad(outputs, [parameters[i] for i in here], bent, **kept), here, len(v))


def _placed(parts: Sequence[Tensor], here: Sequence[int], length: int) -> list[Tensor | None]:
    """`parts` at the places `here` of a list, None elsewhere."""
    placed: list[Tensor | None] = [None] * length
    for i, part in zip(here, parts, strict=True):
        placed[i] = part
    return placed

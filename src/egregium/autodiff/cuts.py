"""Functions of the user's own in a graph, whose second derivatives would be zero without a word.

The backward pass of an `autograd.Function` is code. Where torch cannot differentiate that code (a kernel, numpy,
@once_differentiable), a gradient's graph ends there, and `torch.autograd.grad` of it gives zeros.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from torch import Tensor
from torch.autograd.function import BackwardCFunction, once_differentiable
from torch.autograd.graph import get_gradient_edge

from egregium.errors import LossError

#: The code of every backward pass that is marked @once_differentiable.
_ONCE = once_differentiable(lambda *_: None).__code__


def guarded(roots: Sequence[Tensor]) -> bool:
    """Whether autograd.Functions are in the graph of these tensors; from now on they may not cut it.

    Raises LossError here for those that are marked @once_differentiable, and for others when a gradient's graph is
    recorded through them. Costs one walk over the graph: at most 2 % of a gradient.
    """
    found = False
    for node in nodes_of(roots):
        if isinstance(node, BackwardCFunction):
            found = True
            function: Any = type(node)._forward_cls  # type: ignore[attr-defined]
            if _is_once(function.backward):
                raise _cut(function.__name__, "is marked @once_differentiable")
            node.register_hook(partial(_refuse_cut, function.__name__))
    return found


def leaves_of(roots: Sequence[Tensor]) -> Iterator[Tensor]:
    """The leaves that require grad in the graph of these tensors."""
    for node in nodes_of(roots):
        if (leaf := getattr(node, "variable", None)) is not None:
            yield leaf


def uses_of(roots: Sequence[Tensor], tensors: Sequence[Tensor]) -> Counter[int]:
    """How often each of `tensors`, by index, is used in the graph of `roots`: the edges that lead to it.

    Leaves, or what was made of them.
    """
    index = {get_gradient_edge(tensor).node: j for j, tensor in enumerate(tensors)}
    edges = (before for node in nodes_of(roots) for before, _ in node.next_functions if before is not None)
    places = (index.get(before) for before in edges)
    return Counter(j for j in places if j is not None)


def nodes_of(roots: Sequence[Tensor]) -> Iterator[Any]:
    """The nodes of the graph of these tensors, each once."""
    seen: set[Any] = set()
    rest = [root.grad_fn for root in roots]
    while rest:
        node = rest.pop()
        if node is not None and node not in seen:
            seen.add(node)
            rest.extend(before for before, _ in node.next_functions)
            yield node


def _is_once(backward: Any) -> bool:
    """Whether a backward pass is marked, under whatever other decorators."""
    while backward is not None:
        if getattr(backward, "__code__", None) is _ONCE:
            return True
        backward = getattr(backward, "__wrapped__", None)
    return False


def _refuse_cut(name: str, made: Sequence[Tensor | None], given: Sequence[Tensor | None]) -> None:
    """A hook: gradients are linear in those they are made from; where these have a graph, they must have one.

    Not each of them: a function may add a constant gradient of its own beside the one it passes on.
    """
    if not any(g is not None and g.requires_grad for g in given):
        return
    parts = [g for g in made if g is not None]
    if not any(g.requires_grad for g in parts) and any(bool(g.any()) for g in parts):
        raise _cut(name, "cannot be differentiated")


def _cut(name: str, why: str) -> LossError:
    return LossError(
        f"The backward pass of the autograd.Function {name} {why}: second derivatives through it would be zero without "
        "a word. Write it in operations of torch, or use the layer without it (for flash attention, "
        'attn_implementation="sdpa").'
    )

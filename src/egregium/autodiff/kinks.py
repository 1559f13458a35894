"""Operations whose first derivative jumps, found in a graph by the names of their backward passes."""

from collections.abc import Sequence

from torch import Tensor

from egregium.autodiff.cuts import nodes_of

#: Operations that are not continuously differentiable; max pooling of any kind is another.
KINKED = {
    *("Relu", "LeakyRelu", "PreluKernel", "Threshold", "Hardtanh", "Hardsigmoid", "Hardswish", "Hardshrink"),
    *("Softshrink", "RreluWithNoise", "Abs", "Clamp", "ClampMin", "ClampMax", "Maximum", "Minimum", "Max", "Min"),
    *("Amax", "Amin", "Sort", "Topk", "Median"),
}
POOLS = "MaxPool"


def kinks_of(roots: Sequence[Tensor]) -> list[str]:
    """Such operations in the graph of `roots`, by name, each once.

    >>> import torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> kinks_of([x.relu().sum()]), kinks_of([x.tanh().sum()])
    (['Relu'], [])
    """
    names = {type(node).__name__.partition("Backward")[0] for node in nodes_of(roots)}
    return sorted(name for name in names if name in KINKED or POOLS in name)

"""Derivatives that torch does not have, by name and with a way round."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from egregium.errors import LossError

#: What torch says where an operation has no second derivative, with the operation's name.
_NOT_IMPLEMENTED = re.compile(r"derivative for '?(?:aten::)?_*(\w+?)(?:_backward)?'? is not implemented")
#: What it says of an autograd.Function that was declared to have none.
_ONCE = "once_differentiable"
#: How to say the same in operations that have one.
INSTEAD = {
    "embedding_bag": "Use nn.Embedding and .sum(1) or .mean(1) over the bag.",
    "cdist": "Use torch.linalg.vector_norm(x.unsqueeze(-2) - y.unsqueeze(-3), dim=-1).",
    "ctc_loss": "Write its forward recursion with torch.logsumexp, or measure with another loss.",
}


@contextmanager
def named_failures() -> Iterator[None]:
    """Where torch has no second derivative of an operation, raise LossError naming it, and what to use instead."""
    try:
        yield
    except RuntimeError as error:  # NotImplementedError is one
        found = _NOT_IMPLEMENTED.search(str(error))
        if found is None and _ONCE not in str(error):
            raise
        name = found[1] if found else "an autograd.Function marked @once_differentiable"
        instead = INSTEAD.get(name, "Replace it by operations that torch can differentiate twice.")
        raise LossError(
            f"torch has no second derivative of {name}, which the model or the loss uses. {instead}"
        ) from error


def dense(gradients: tuple[Tensor, ...]) -> list[Tensor]:
    """The gradients as they are. Raises LossError where one is sparse: torch cannot differentiate it again."""
    if any(g.is_sparse for g in gradients):
        raise LossError(
            "A gradient is sparse: an embedding was called with sparse=True, and sparse gradients have no second "
            "derivative. Use sparse=False; the values are the same."
        )
    return list(gradients)

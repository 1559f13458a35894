"""Derivatives that torch does not have, by name and with a way round."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from egregium.errors import LossError

#: What torch says where an operation has no second derivative, with the operation's name.
_NOT_IMPLEMENTED = re.compile(
    r"derivative for '?(?:aten::)?_*(\w+?)(?:_backward)?'? is not implemented|double backwards on (\w+) not supported"
)
#: What it says of checkpointed activations that only `.backward()` can compute again.
_REENTRANT = "use_reentrant=True"
#: How to say the same in operations that have one.
INSTEAD = {
    "embedding_bag": "Use nn.Embedding and .sum(1) or .mean(1) over the bag.",
    "cdist": "Use torch.linalg.vector_norm(x.unsqueeze(-2) - y.unsqueeze(-3), dim=-1).",
    "pdist": "Use the rows i < j of torch.linalg.vector_norm(x.unsqueeze(-2) - x.unsqueeze(-3), dim=-1).",
    "ctc_loss": "Write its forward recursion with torch.logsumexp, or measure with another loss.",
    "hardsigmoid": "Use the module nn.Hardsigmoid, or F.relu6(x + 3) / 6.",
}


@contextmanager
def named_failures() -> Iterator[None]:
    """Where torch has no second derivative of an operation, raise LossError naming it, and what to use instead."""
    try:
        yield
    except RuntimeError as error:  # NotImplementedError is one
        if _REENTRANT in str(error):
            raise LossError(
                "Activations checkpointed with use_reentrant=True have no second derivative. Pass use_reentrant=False "
                "to torch.utils.checkpoint.checkpoint; the values are the same."
            ) from error
        found = _NOT_IMPLEMENTED.search(str(error))
        if found is None:
            raise
        name = found[1] or found[2]
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

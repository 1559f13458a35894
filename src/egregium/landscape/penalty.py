"""Weight decay as an analytic part of f: `(lam / 2) |theta|^2`, with lam by parameter.

Its gradient is `lam theta` and its Hessian `lam I`, so it is added in closed form and never sampled or differentiated.
"""

import math
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from egregium.errors import ArgumentError
from egregium.landscape.selection import matches, refuse_unmatched, tied_names

#: One lam for each parameter, in their order.
Decay = tuple[float, ...]


def decays(model: nn.Module, parameters: Mapping[str, Tensor], weight_decay: float | Mapping[str, float]) -> Decay:
    """lam of each parameter, from one number for all, or {pattern: lam}: the first that matches a name of it, else 0.

    Raises ArgumentError where a lam is no finite number >= 0, or a pattern matches no parameter.
    """
    by_pattern = weight_decay if isinstance(weight_decay, Mapping) else {"*": weight_decay}
    for lam in by_pattern.values():
        if isinstance(lam, bool) or not isinstance(lam, (int, float)) or not 0 <= lam < math.inf:
            raise ArgumentError(f"weight_decay must be a finite number >= 0, or {{pattern: number}}, got {lam!r}.")
    names = {name: tied_names(model, name) for name in parameters}
    refuse_unmatched(model, list(by_pattern), "weight_decay")
    for pattern in by_pattern:
        if not any(matches(name, pattern) for tied in names.values() for name in tied):
            raise ArgumentError(f"weight_decay={{{pattern!r}: ...}} matches no parameter that is measured (params=).")
    return tuple(
        next((float(lam) for pattern, lam in by_pattern.items() if any(matches(n, pattern) for n in tied)), 0.0)
        for tied in names.values()
    )


def penalty(decay: Decay, parameters: Iterable[Tensor]) -> float:
    """sum of (lam / 2) |theta|^2 over the parameters, in float64.

    >>> import torch
    >>> penalty((0.5,), [torch.tensor([3.0, 4.0])])
    6.25
    """
    parts = zip(decay, parameters, strict=True)
    return sum(lam / 2 * float(p.detach().double().square().sum()) for lam, p in parts if lam)

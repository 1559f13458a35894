"""Random probe vectors, each a function of (seed, stream, index) alone.

A probe does not depend on how many are drawn at once, on the dtype, on the device or on any global generator.
"""

import operator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.operators.inner import CHUNK


def signs(
    n: int, first: int, count: int, *, seed: int, stream: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "n {count}"]:
    """Probes number first, ..., first + count - 1 of a stream: independent entries +1 or -1 with equal probability.

    Rademacher signs have `E v v^T = I`, and of all such probes the least variance of `v^T A v`,
    `2 (|A|_F^2 - sum_i A_ii^2)` (M. Hutchinson, Commun. Statist. Simul. 19, 1990). Philox bits, one key a probe.

    >>> signs(3, 0, 2, seed=0, stream=0, dtype=torch.float32, device=torch.device("cpu")).shape
    torch.Size([3, 2])
    """
    out = torch.empty(count, n, dtype=dtype, device=device)
    for row, index in zip(out, range(first, first + count), strict=True):
        bits = np.unpackbits(np.frombuffer(_generator(seed, stream, index).bytes(-(-n // 8)), np.uint8))
        row.copy_(torch.from_numpy(bits[:n].view(np.int8)))
    return out.mul_(2).sub_(1).T


def gaussian(
    n: int, index: int, *, seed: int, stream: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, " n"]:
    """Vector number `index` of a stream: independent standard normal entries, so its direction is uniform.

    Unlike signs, it is orthogonal to no fixed vector, so that Lanczos misses no eigenvalue.
    """
    draw, out = _generator(seed, stream, index), torch.empty(n, dtype=dtype, device=device)
    for part in torch.split(out, CHUNK):  # the numbers are drawn in float64
        part.copy_(torch.from_numpy(draw.standard_normal(part.numel())))
    return out


def _generator(seed: int, stream: int, index: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(checked_seed(seed), spawn_key=(stream, index))))


def checked_seed(seed: object) -> int:
    """`seed` as an int. Raises ArgumentError unless it is a non-negative integer, of Python or numpy."""
    try:
        value = -1 if isinstance(seed, bool) else operator.index(seed)  # type: ignore[arg-type]
    except TypeError:
        value = -1
    if value < 0:
        raise ArgumentError(f"seed must be a non-negative integer, got {seed!r}.")
    return value

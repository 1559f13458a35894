"""What a measurement may hold in memory, from what it needs: predicted and said before it runs.

With v the bytes of one vector of n numbers and B the peak of one batch's gradient graph and one product through it
(counted on the first batch, see `autodiff.allocation`),

    need = B + (FIXED + COLUMN * block + vectors) * v,

where `vectors` is what an estimator holds between products: the sketch, or Lanczos vectors. The block is halved first,
then fewer vectors are allowed; where not even one column fits, the refusal says what would.
"""

import ctypes
import re
from contextlib import suppress
from pathlib import Path

import psutil
import torch

from egregium.curvature.hessian import SecondDerivative
from egregium.errors import ArgumentError, BudgetError, OutOfMemoryError
from egregium.estimators import Progress, ProgressCallback, Room, stopped
from egregium.operators import SymmetricOperator
from egregium.results import Cost

#: Vectors beside the block: point, leaves, gradient, unit gradient, a product and its flat copy, a row of probes, and
#: what the system's allocator leaves unused (measured: `python -m bench bound`).
FIXED = 9
#: Vectors a column of the block: itself, turned into the frame, its total over batches (float64), its result.
COLUMN = 5
#: The most vectors that an estimator asks for: a Lanczos run of 120 steps, or a sketch at depth 64 and its remainders.
MOST = 128
#: Share of what is allowed that is planned for: freed memory does not go back to the system at once.
PLANNED = 0.9
#: Where so many vectors are free and no memory= is asked for, the graph, which is needed in any case, is not counted.
AMPLE = 1000
#: Share of the free memory that is taken where the caller names none.
SHARE = 0.5
#: glibc's name for the size from which freed blocks go back to the system at once; shares of the memory that is allowed
#: below which they may stay, and bounds: small networks would be three times slower, and glibc takes no more.
M_MMAP_THRESHOLD, KEPT_SHARE, LEAST_KEPT, MOST_KEPT = -3, 1 / 64, 2**20, 2**25
#: The size where a graph could take more than is planned for, were it in pieces: up to so many times its bytes.
SMALLEST_KEPT, PIECES = 2**15, 3
#: How the phase begins that says what is needed.
NEEDS = "needs at most"
#: What an argument `memory=` may be.
Memory = int | str | None

_UNITS = {"": 1, "B": 1} | {f"{p}iB": 2 ** (10 * (i + 1)) for i, p in enumerate("KMGT")}
_UNITS |= {f"{p}B": 1000 ** (i + 1) for i, p in enumerate("KMGT")} | {"kB": 1000}
_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")


def room_for(op: SymmetricOperator, memory: Memory, block: int, progress: ProgressCallback | None = None) -> Room:
    """The block and the vectors of `op` that fit into `memory`, beside the graph of a batch; said before it runs.

    Raises OutOfMemoryError where nothing fits, ArgumentError where `memory` or `block` is no size.
    """
    if isinstance(block, bool) or not isinstance(block, int) or block < 1:
        raise ArgumentError(f"block must be a positive number of vectors, got {block!r}.")
    allowed = free_bytes(op.device) * SHARE if memory is None else size_in_bytes(memory)
    planned = allowed * PLANNED
    vector = op.n * torch.empty(0, dtype=op.dtype).element_size()
    plenty = memory is None and AMPLE * vector <= allowed
    graph, cost = 0, Cost()
    if memory is not None:
        return_freed_blocks(SMALLEST_KEPT)
    if isinstance(op, SecondDerivative) and not plenty:
        graph, cost = op.graph_bytes(), Cost(gradients=op.cost(1).gradients / op.land.batch_count)
    if memory is not None and PIECES * graph < planned:
        return_freed_blocks(int(min(max(allowed * KEPT_SHARE, LEAST_KEPT), MOST_KEPT)))
    least = graph + (FIXED + COLUMN) * vector
    if least > planned:
        raise OutOfMemoryError(
            f"This needs {spelled(least / PLANNED)} at least: {spelled(graph)} for a batch's gradient graph and "
            f"{FIXED + COLUMN} vectors of {spelled(vector)}; memory= allows {spelled(allowed)}. Allow more, use "
            "smaller batches, or measure fewer parameters (params=)."
        )
    while block > 1 and graph + (FIXED + 2 * COLUMN * block) * vector > planned:  # as much again for the vectors
        block //= 2
    base = graph + (FIXED + COLUMN * min(block, op.n)) * vector
    vectors = max(int((planned - base) // max(vector, 1)), 0)
    need = spelled((base + min(vectors, MOST, op.n) * vector) / PLANNED)
    beside = " beside the graph of a batch" if plenty and isinstance(op, SecondDerivative) else ""
    if stopped(progress, Progress(f"{NEEDS} {need} of memory{beside}", 0.0, None, Cost())):
        raise BudgetError("Stopped by the caller before there was an estimate.")
    return Room(block, vectors, cost, planned - least)


def return_freed_blocks(size: int) -> None:
    """Let the system's allocator give freed blocks of `size` bytes and more back at once, in this process.

    glibc keeps blocks below 32 MiB for later, in pieces that no longer fit: a process then holds up to four times what
    it uses, and no bound could be kept. It changes no number. Does nothing where the allocator is another.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, size)


def free_bytes(device: torch.device) -> int:
    """Memory that is free on the device; on the CPU, within the control group's limit too."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        caches = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group, or "max"
        return free
    return min(free, limit - used + int(caches.get("inactive_file", 0)))


def size_in_bytes(memory: int | str) -> int:
    """A size as a number of bytes: 4_000_000, "4GiB", "500 MB". Raises ArgumentError where it is none.

    >>> size_in_bytes("1.5GiB"), size_in_bytes("2 kB")
    (1610612736, 2000)
    """
    match = _FORM.fullmatch(memory.strip()) if isinstance(memory, str) else None
    number = memory if isinstance(memory, int) and not isinstance(memory, bool) else None
    if match is not None and match[2] in _UNITS:
        number = int(float(match[1]) * _UNITS[match[2]])
    if number is None or number <= 0:
        raise ArgumentError(f'memory must be a number of bytes or a size such as "4GiB" or "500MB", got {memory!r}.')
    return number


def spelled(size: float) -> str:
    """A number of bytes for a reader.

    >>> spelled(1234), spelled(3 * 2**30)
    ('1.2 KiB', '3.0 GiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f} {unit}" if unit != "B" else f"{size:.0f} B"
        size /= 1024
    return f"{size:.1f} TiB"

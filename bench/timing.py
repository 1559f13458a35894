"""Time ratios in one run, and peak memory of a process."""

import math
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

Work = Callable[[], Any]

#: Shorter works are repeated within one timing until they take this long, in seconds.
SHORTEST = 0.02


def interleaved(works: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Seconds that each work takes, in `rounds` rounds that run all of them in turn; one round before is not counted.

    What another program takes from the machine meets neighbours in a round alike, so their ratios stand where the
    seconds do not.
    """
    repeats = {
        name: max(1, math.ceil(SHORTEST / min(_seconds(work, 1) for _ in range(2)))) for name, work in works.items()
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(_seconds(work, repeats[name]))
    return times


def ratio(above: Sequence[float], below: Sequence[float], divisor: float = 1.0) -> tuple[float, float, float]:
    """(median, least, most) of the rounds' ratios above / below / divisor."""
    ratios = [a / b / divisor for a, b in zip(above, below, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


def extra_mebibytes(work: Work) -> float:
    """MiB that the process holds at its peak during `work`, beyond what it holds before.

    From /proc where there is one, with the kernel's peak reset; a child's ru_maxrss starts at its parent's peak, which
    would hide its own, so elsewhere small peaks are not seen.
    """
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not status.exists():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work()
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20  # bytes on macOS
    reset.write_text("5", encoding="ascii")
    before = _kibibytes(status, "VmRSS")
    work()
    return (_kibibytes(status, "VmHWM") - before) / 1024


def clock() -> str:
    """Which seconds are counted: of the processor where torch has one thread, since other programs do not lengthen
    these; of the wall where it has several, since threads that wait for each other burn processor time.
    """
    return "processor" if torch.get_num_threads() == 1 else "wall"


def now() -> float:
    """What the clock shows, in seconds."""
    return time.process_time() if clock() == "processor" else time.perf_counter()


def _seconds(work: Work, times: int) -> float:
    started = now()
    for _ in range(times):
        work()
    return (now() - started) / times


def _kibibytes(status: Path, key: str) -> float:
    line = next(x for x in status.read_text(encoding="utf-8").splitlines() if x.startswith(key))
    return float(line.split()[1])

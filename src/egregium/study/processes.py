"""Networks trained and measured over several processes of one thread each."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice

import torch

from egregium.errors import ArgumentError
from egregium.results import Network
from egregium.study.plan import Plan
from egregium.study.setting import Setting
from egregium.study.worker import record

#: Seconds between two questions whether to stop.
PATIENCE = 0.2


def recorded(
    plan: Plan, left: Sequence[Setting], device: str, jobs: int, stopped: threading.Event
) -> Iterator[Network | None]:
    """The networks of these settings as they are done, and None now and then in between.

    Once `stopped` is set, or a network raises, no more is begun; those at work are finished and given. Then what was
    raised is raised; ArgumentError where a process was killed.
    """
    if jobs > 1:
        yield from _side_by_side(plan, left, device, jobs, stopped)
        return
    for each in left:
        if stopped.is_set():
            break
        yield record(plan, each, device)


def _side_by_side(
    plan: Plan, left: Sequence[Setting], device: str, jobs: int, stopped: threading.Event
) -> Iterator[Network | None]:
    waiting, running, failure = iter(left), set[Future[Network]](), None
    with _processes(jobs) as pool:
        while True:
            if failure is None and not stopped.is_set():
                with _unheard():
                    running |= {
                        pool.submit(record, plan, each, device) for each in islice(waiting, jobs - len(running))
                    }
            if not running:
                break
            ended, running = wait(running, PATIENCE, FIRST_COMPLETED)
            if not ended:
                yield None
            for future in ended:
                if (error := future.exception()) is None:
                    yield future.result()
                else:
                    failure = failure or error
    if isinstance(failure, BrokenProcessPool):
        raise ArgumentError(
            "A process of the study was killed, most likely for want of memory. What was done is kept: run the same "
            "command again, with fewer --jobs."
        ) from failure
    if failure is not None:
        raise failure


@contextmanager
def _processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that leave Ctrl-C to this one and end with it; fresh ones, since CUDA does not survive a fork."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_alone)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _unheard() -> Iterator[None]:
    """A process that is begun in here never hears Ctrl-C, not even while it imports; this one hears it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _alone() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: "multiprocessing.process.BaseProcess") -> None:
    """End with a parent that was killed, which cannot say so."""
    parent.join()
    os._exit(1)

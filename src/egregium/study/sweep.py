"""All networks of a plan, over several processes; what is done is in an append-only file and never done again."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import torch

from egregium.errors import ArgumentError
from egregium.results import Network
from egregium.store import LineFile
from egregium.study.plan import Plan
from egregium.study.record import line_of, network_of
from egregium.study.setting import Setting, setting
from egregium.study.worker import data, record

#: Hears of each network that is done, how many are, and how many there will be; False ends the sweep.
Heard = Callable[[Network | None, int, int], bool]
#: Seconds between two questions whether to stop.
PATIENCE = 0.2


def swept(
    plan: Plan, path: str | os.PathLike[str], *, jobs: int = 1, device: str = "cpu", heard: Heard | None = None
) -> list[Network]:
    """The networks of the plan that the file at `path` holds in the end, in the order of the plan.

    Each is appended as soon as it is measured; the same call goes on after a kill. Where `heard` says so, no more is
    begun and those at work are finished. Raises ArgumentError for jobs < 1, DataError where the data are missing,
    DocumentError where the file is of another study, and what a network's architecture raises.
    """
    if jobs < 1:
        raise ArgumentError(f"jobs must be at least 1, got {jobs}.")
    data(plan.data, plan.train)  # before any work: a sentence about missing data
    file = LineFile(path, "study", plan.header, network_of)
    try:
        known = {_key(network): network for network in file.entries}
        left = [each for each in plan.settings if each.key not in known]
        done = len(plan.settings) - len(left)
        goes_on = heard is None or heard(None, done, len(plan.settings))
        results = _one_by_one(plan, left, device) if jobs == 1 else _side_by_side(plan, left, device, jobs)
        for network in results if goes_on else ():
            if network is not None:
                file.add(line_of(network))
                known[_key(network)] = network
                done += 1
            if heard is not None and not heard(network, done, len(plan.settings)):
                results.close()
                break
        return [known[each.key] for each in plan.settings if each.key in known]
    finally:
        file.close()


def _key(network: Network) -> str:
    return setting(dict(network.setting)).key


def _one_by_one(plan: Plan, left: list[Setting], device: str) -> Generator[Network | None, None, None]:
    for each in left:
        yield record(plan, each, device)


def _side_by_side(plan: Plan, left: list[Setting], device: str, jobs: int) -> Generator[Network | None, None, None]:
    """Records as they come, and None now and then in between; the queue is one network ahead of the processes."""
    waiting, running = iter(left), set[Future[Network]]()
    with _processes(jobs) as pool:
        while True:
            for each in waiting:
                running.add(pool.submit(record, plan, each, device))
                if len(running) > jobs:
                    break
            if not running:
                return
            ended, running = wait(running, PATIENCE, FIRST_COMPLETED)
            if not ended:
                yield None
            for future in ended:
                yield _result(future)


def _result(future: "Future[Network]") -> Network:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise ArgumentError(
            "A process of the study was killed, most likely for want of memory. What was done is kept: run the same "
            "command again, with fewer --jobs."
        ) from error


@contextmanager
def _processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of one thread each that leave Ctrl-C to this one; fresh ones, since CUDA does not survive a fork."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_alone)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _alone() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)

"""All networks of a plan; what is done is in an append-only file and never done again."""

import os
from collections.abc import Callable
from threading import Event

from egregium.errors import ArgumentError
from egregium.results import Network
from egregium.store import LineFile
from egregium.study.beforehand import refusal_of_other_data, refuse_unfit_plan
from egregium.study.plan import Plan
from egregium.study.processes import recorded
from egregium.study.record import line_of, network_of
from egregium.study.setting import setting

#: Hears of each network that is done, how many are, and how many there will be; False ends the sweep.
Heard = Callable[[Network | None, int, int], bool]


def swept(
    plan: Plan, path: str | os.PathLike[str], *, jobs: int = 1, device: str = "cpu", heard: Heard | None = None
) -> list[Network]:
    """The networks of the plan that the file at `path` holds in the end, in the order of the plan.

    Each is appended as soon as it is measured; the same call goes on after a kill. Where `heard` says so, no more is
    begun and those at work are finished. Raises ArgumentError for jobs < 1, a device that is not there and networks
    that do not fit the data, DataError where the data are missing or change, TargetError where the user's functions
    are, DocumentError where the file is of another study, and what the user's own measures raise.
    """
    if jobs < 1:
        raise ArgumentError(f"jobs must be at least 1, got {jobs}.")
    refuse_unfit_plan(plan, device)
    refuse_other_data = refusal_of_other_data(plan)
    file = LineFile(path, "study", plan.header, network_of)
    try:
        for network in file.entries:
            refuse_other_data(network, f"{path} was trained on. Name another file, or give the data of before.")
        known = {_key(network): network for network in file.entries}
        left = [each for each in plan.settings if each.key not in known]
        done = len(plan.settings) - len(left)
        stopped = Event()
        if heard is not None and not heard(None, done, len(plan.settings)):
            stopped.set()
        for found in recorded(plan, left, device, jobs, stopped):
            if found is not None:
                refuse_other_data(found, "a moment ago. All networks must have the same: seed what is random in it.")
                file.add(line_of(found))
                known[_key(found)] = found
                done += 1
            if heard is not None and not heard(found, done, len(plan.settings)):
                stopped.set()
        return [known[each.key] for each in plan.settings if each.key in known]
    finally:
        file.close()


def _key(network: Network) -> str:
    return setting(dict(network.setting)).key

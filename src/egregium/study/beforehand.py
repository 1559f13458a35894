"""What would go wrong with every network of a study, found out before the first is trained."""

from collections.abc import Callable
from functools import cache

from egregium.errors import DataError
from egregium.landscape.place import checked_device
from egregium.results import Network
from egregium.study.networks import network, refuse_unfit_network
from egregium.study.plan import Plan
from egregium.study.setting import Setting, setting
from egregium.study.training import noisy
from egregium.study.worker import class_count, data, digest
from egregium.targets import named

#: Refuses a network that was trained on other data than the plan's are now; where it is from ends the sentence.
Refusal = Callable[[Network, str], None]


def refuse_unfit_plan(plan: Plan, device: str) -> None:
    """Raises ArgumentError, DataError or TargetError for a device, data, networks or measures that cannot be had."""
    checked_device(device)
    own, test = data(plan.data, plan.train)
    if plan.own_measures:
        named(plan.own_measures)
    classes = class_count(own, test)
    for each in {(s.architecture, s.width, s.depth, s.activation): s for s in plan.settings}.values():
        refuse_unfit_network(network(each, own.inputs[:1], classes), each, own.inputs[:2], classes)


def refusal_of_other_data(plan: Plan) -> Refusal:
    """What raises DataError for a network that was trained on something else than what the plan's data are now.

    Each label noise and seed costs one digest of the data.
    """
    own, test = data(plan.data, plan.train)
    classes = class_count(own, test)

    @cache
    def expected(label_noise: float, seed: int) -> str:
        return digest(noisy(own, Setting(label_noise=label_noise, seed=seed), classes))

    def refuse(network: Network, where: str) -> None:
        made = setting(dict(network.setting))
        if network.data != expected(made.label_noise, made.seed if made.label_noise else 0):
            raise DataError(f"{plan.data} gives other data now than {where}")

    return refuse

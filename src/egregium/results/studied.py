"""How parts of a study are called, and which of its networks a group of rankings is of."""

from egregium.results.study import Network, Ranking, Study

#: The sweep over which measures are compared as a whole, and what the group of its networks is called.
WHOLE, ALL = "factorial", "all"
#: What is ranked, in this order.
GAPS = {"error_gap": "gap in error", "loss_gap": "gap in loss"}
#: Why a network is left out, by its status, and what is said of several.
LEFT_OUT = {
    "diverged": "diverged",
    "not reached": "did not reach the loss",
    "not measured": "could not be measured",
}
#: What may become of a network, and what that means.
STATUSES = {
    "trained": "to the common loss, and measured: these count",
    "diverged": "the loss became far larger than that of guessing, or infinite",
    "not reached": "the common loss, within the epochs of the plan",
    "not measured": "trained, but a measure could not be had",
}
#: Names of people in those of measures.
PEOPLE = {"gauss newton": "Gauss-Newton", "frobenius": "Frobenius"}


def in_words(name: str) -> str:
    """A name of a measure or a hyper-parameter as it is read.

    >>> in_words("gauss_newton_scalar_curvature"), in_words("label_noise")
    ('Gauss-Newton scalar curvature', 'label noise')
    """
    words = name.replace("_", " ")
    for people, capital in PEOPLE.items():
        words = words.replace(people, capital)
    return words


def groups(study: Study) -> list[str]:
    """Those with rankings, the whole first."""
    return sorted(dict.fromkeys(each.group for each in study.rankings), key=lambda name: name != ALL)


def main_group(study: Study) -> str:
    """The group that figures are of: the whole, or the first one where no sweep is called so."""
    known = [*groups(study), *((ALL,) if WHOLE in study.sweeps else ()), *study.sweeps]
    return known[0] if known else ALL


def group_in_words(study: Study, group: str) -> str:
    """Which networks a group is of."""
    if group == ALL:
        return "the factorial part"
    return f"the sweep of {in_words(group)}" if group in study.sweeps else f"the factorial part, {group} alone"


def members(study: Study, group: str) -> tuple[Network, ...]:
    """All networks of a group, those that are left out too."""
    if group in study.sweeps:
        return tuple(study.networks[i] for i in study.sweeps[group])
    whole = tuple(study.networks[i] for i in study.sweeps.get(WHOLE, ()))
    return whole if group == ALL else tuple(one for one in whole if one.setting.get("architecture") == group)


def ranked(study: Study, gap: str, group: str) -> list[Ranking]:
    """The rankings of a gap in a group, the largest tau first; those without a tau last."""
    known = [each for each in study.rankings if each.gap == gap and each.group == group]
    return sorted(known, key=lambda each: (each.tau.value != each.tau.value, -each.tau.value, each.measure))

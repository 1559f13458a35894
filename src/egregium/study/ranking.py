"""How each measure ranks the generalisation gap, among which networks, and what of it is more than the trace."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict

import numpy as np

from egregium.errors import ArgumentError
from egregium.results import Between, Network, Ranking, Row, Study
from egregium.results.studied import ALL, GAPS, WHOLE
from egregium.stats import (
    Interval,
    granulated,
    kendall_difference,
    kendall_interval,
    partial_spearman_interval,
)
from egregium.study.measures import MEASURES
from egregium.study.plan import Plan
from egregium.study.setting import setting
from egregium.study.words import findings, limits

#: What the others are compared with.
TRACE = "trace"
#: Fewer networks are not ranked.
FEWEST = 6


def study(plan: Plan, networks: Sequence[Network]) -> Study:
    """What the networks say together: every measure against every gap, in every group of networks."""
    rankings = tuple(_rankings(plan, networks))
    own = sorted({name for network in networks for name in network.numbers} - set(MEASURES) - set(_QUALITY))
    places = {setting(dict(network.setting)).key: i for i, network in enumerate(networks)}
    return Study(
        title=plan.title,
        command="",
        created="",
        networks=tuple(networks),
        planned=len(plan.settings),
        sweeps={name: tuple(places[key] for key in keys if key in places) for name, keys in plan.sweeps.items()},
        measures={name: MEASURES[name] for name in plan.measures} | dict.fromkeys(own, "your own"),
        rankings=rankings,
        findings=findings(networks, len(plan.settings), rankings),
        limits=limits(plan, networks),
        plan=_rows(plan),
    )


#: Numbers of a network that are no measures.
_QUALITY = ("train_loss", "test_loss", "train_error", "test_error", "error_gap", "loss_gap")


def _rows(plan: Plan) -> tuple[Row, ...]:
    return (
        Row("data", plan.data, f"the first {plan.train:,} training samples", group="plan"),
        Row("common loss", f"{plan.loss:g}", "mean cross-entropy without the penalty, first passage", group="plan"),
        Row("epochs", f"{plan.epochs}", "after which a training is given up", group="plan"),
        Row("precision of R", f"{plan.rtol:g}", "half-width of its 95 % interval over |R|", group="plan"),
    )


def _rankings(plan: Plan, networks: Sequence[Network]) -> Iterator[Ranking]:
    for group, members in _groups(plan, networks).items():
        if len(members) < FEWEST:
            continue
        names = sorted({name for network in members for name in network.numbers} - set(_QUALITY), key=_order)
        for gap in GAPS:
            for measure in names:
                ranked = _ranked(members, measure, gap, group)
                if ranked is not None:
                    yield ranked


def _order(name: str) -> tuple[int, str]:
    known = list(MEASURES)
    return (known.index(name) if name in known else len(known), name)


def _groups(plan: Plan, networks: Sequence[Network]) -> dict[str, list[Network]]:
    """Networks that count: of the whole design, of each of its architectures, of each sweep beside it."""
    trained = {setting(dict(network.setting)).key: network for network in networks if network.status == "trained"}
    found: dict[str, list[Network]] = {}
    for name, keys in plan.sweeps.items():
        members = [trained[key] for key in keys if key in trained]
        found[ALL if name == WHOLE else name] = members
        architectures = dict.fromkeys(str(network.setting["architecture"]) for network in members)
        if name == WHOLE and len(architectures) > 1:
            for each in architectures:
                found[each] = [network for network in members if network.setting["architecture"] == each]
    return found


def _ranked(members: Sequence[Network], measure: str, gap: str, group: str) -> Ranking | None:
    """A measure against a gap; None where too few networks have it."""
    x, y, trace = (_column(members, name) for name in (measure, gap, TRACE))
    cells = [_cell(network) for network in members]
    try:
        tau = kendall_interval(x, y, cells)
    except ArgumentError:
        return None
    beyond = against = None
    if measure != TRACE:
        with suppress(ArgumentError):  # too few networks have both
            beyond = _between(partial_spearman_interval(x, y, trace, cells))
            against = _between(kendall_difference(x, trace, y, cells))
    whole, by = _within(members, x, y)
    return Ranking(measure, gap, group, tau.networks, _between(tau), whole, by, beyond, against)


def _within(members: Sequence[Network], x: np.ndarray, y: np.ndarray) -> tuple[Between | None, dict[str, Between]]:
    """The granulated coefficient, and by hyper-parameter; nothing where no two networks differ in one alone."""
    varied = _varied(members)
    seeds = [network.setting["seed"] for network in members]
    try:
        found = granulated(x, y, varied, seeds)
    except ArgumentError:
        return None, {}
    by = {name: _between(value) for name, value in found.psi.items() if found.groups[name]}
    return _between(found.value), by


def _varied(members: Sequence[Network]) -> dict[str, list[str | int | float]]:
    """The hyper-parameters in which the networks differ, a level a network."""
    columns: Mapping[str, list[str | int | float]] = {
        name: [network.setting[name] for network in members] for name in members[0].setting if name != "seed"
    }
    return {name: column for name, column in columns.items() if len(set(column)) > 1}


def _cell(network: Network) -> str:
    """All of a setting but its seed."""
    return setting({**asdict(setting(dict(network.setting))), "seed": 0}).key


def _column(members: Sequence[Network], name: str) -> np.ndarray:
    return np.array([network.numbers.get(name, np.nan) for network in members], dtype=float)


def _between(found: Interval) -> Between:
    return Between(found.value, found.low, found.high)

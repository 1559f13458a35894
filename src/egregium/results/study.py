"""A study: trained networks with their measures, and how each measure ranks what was to be explained."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from egregium.results.document import Document
from egregium.results.environment import Environment
from egregium.results.geometry import Saved
from egregium.results.table import Row


@dataclass(frozen=True)
class Network:
    """One network of a study.

    Attributes:
        setting: its hyper-parameters by name, with its seed.
        status: "trained" to the common loss, or why it is left out: "diverged", "not reached", "not measured".
        reason: the sentence behind "not measured".
        numbers: losses, errors, gaps and measures by name; half_widths: of their 95 % intervals, 0 where exact.
        parameters: how many; epochs: of its training.
        training_seconds, seconds: wall time of the training and of it all.
        data: digest of its training data; code: version and digest of what trained and measured it.
        environment: where.
    """

    setting: Mapping[str, str | int | float]
    status: str
    reason: str
    numbers: Mapping[str, float]
    half_widths: Mapping[str, float]
    parameters: int
    epochs: float
    training_seconds: float
    seconds: float
    data: str
    code: str
    environment: Environment


@dataclass(frozen=True)
class Between:
    """A number with its 95 % interval; NaN on both sides where nothing tells its error, as of a single group."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.low) or math.isnan(self.high):
            return f"{self.value:.2f} (no interval)"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Ranking:
    """How a measure ranks a gap among some networks.

    Attributes:
        measure, gap: their names; group: which networks: "all" of the factorial part, one architecture, or a sweep.
        networks: how many.
        tau: Kendall's tau-b of measure and gap.
        granulated: Jiang et al.'s mean over hyper-parameters of tau among networks that differ in one alone; by: each.
        beyond_trace: Spearman's partial correlation of measure and gap given tr H.
        against_trace: tau less that of tr H.
    """

    measure: str
    gap: str
    group: str
    networks: int
    tau: Between
    granulated: Between | None = None
    by: Mapping[str, Between] = field(default_factory=dict)
    beyond_trace: Between | None = None
    against_trace: Between | None = None


@dataclass(frozen=True, eq=False)
class Study(Saved):
    """A sweep of trained networks and what it says.

    Attributes:
        title, command, created: as in `Session`.
        networks: all of them, in the order of the plan; those that are left out with their reason.
        planned: how many the plan has; sweeps: by name, the places of the networks that belong to it.
        measures: name of each measure, and what it is.
        rankings: of every measure, gap and group.
        findings: what came out, in plain words. limits: what it does not say.
        plan: rows on data, level of the loss, epochs.
        confidence: of the intervals.
    """

    title: str
    command: str
    created: str
    networks: tuple[Network, ...]
    planned: int
    sweeps: Mapping[str, tuple[int, ...]]
    measures: Mapping[str, str]
    rankings: tuple[Ranking, ...]
    findings: tuple[str, ...]
    limits: tuple[str, ...]
    plan: tuple[Row, ...]
    confidence: float = 0.95

    @property
    def trained(self) -> tuple[Network, ...]:
        """Those that count."""
        return tuple(network for network in self.networks if network.status == "trained")


Document.register(Network, Between, Ranking, Study)

"""C11 is decided by the networks: either way, or not at all."""

from typing import Any

import pytest
import torch

from egregium.claims import generalisation
from egregium.claims.claim import Run
from egregium.results import Between, Network, Ranking, environment
from egregium.study import record


def networks(plan: Any, sign: float, noise: float = 0.0) -> list[Network]:
    """Trained networks of the plan with a gap in error that has the order of R, or the reverse, or none."""
    found = []
    for i, setting in enumerate(plan.settings):
        R = float(i % 7 + i / 100)
        gap = sign * R + noise * ((i * 37) % 16)
        numbers = {"scalar_curvature": R, "trace": R, "error_gap": gap, "loss_gap": gap, "sharpness": 1.0 + i}
        numbers |= {"frobenius_norm": R, "largest_eigenvalue": R, "weight_norm": -R}
        found.append(made(setting, numbers))
    return found


def made(setting: Any, numbers: dict[str, float]) -> Network:
    where = environment(torch.device("cpu"), torch.float32, 0)
    widths = dict.fromkeys(numbers, 0.0)
    return Network(dict(vars(setting)), "trained", "", numbers, widths, 1, 1.0, 1.0, 1.0, "", "", where)


@pytest.mark.parametrize(
    ("sign", "noise", "verdict"), [(1.0, 0.0, "holds"), (-1.0, 0.0, "holds"), (0.0, 1.0, "undecided")]
)
def test_each_way_it_may_come_out(sign: float, noise: float, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generalisation, "_networks", lambda plan, run: networks(plan, sign, noise))
    outcome = generalisation._run(Run())
    assert {check.verdict for check in outcome.checks} == {verdict}
    assert len(outcome.checks) == 2


def test_it_trains_real_networks() -> None:
    """Three of them, through the sweep itself."""
    heard: list[str] = []
    plan = generalisation.preset("tiny")
    few = generalisation.replace(plan, settings=plan.settings[:3], measures=("trace",))
    found = generalisation._networks(few, Run(progress=lambda report: heard.append(report.phase) or True))
    assert [network.status for network in found] == ["trained"] * 3
    assert found[0].numbers["trace"] == record(few, few.settings[0]).numbers["trace"]
    assert heard[-1] == "3 of 3 networks"


@pytest.mark.parametrize(
    ("tau", "half", "verdict"), [(0.1, 0.15, "fails"), (0.1, 0.3, "undecided"), (-0.5, 0.4, "holds")]
)
def test_a_correlation_that_is_known_to_be_none_fails(tau: float, half: float, verdict: str) -> None:
    between = Between(tau, tau - half, tau + half)
    ranking = Ranking("scalar_curvature", "error_gap", "all", 150, between)
    assert generalisation._check(ranking, generalisation.preset("tiny")).verdict == verdict

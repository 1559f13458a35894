"""What networks say together: rankings of made-up networks, whose order is known."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plans import made_up
from scipy.stats import kendalltau

from egregium.results import Network, Study, load
from egregium.study import plan_of
from egregium.study.ranking import study

PLAN = """
title = "Made up"
measures = ["scalar_curvature", "trace", "weight_norm"]
seeds = [0, 1]

[[sweep]]
name = "factorial"
architecture = ["mlp", "cnn"]
batch_size = [8, 32]
learning_rate = [0.1, 0.2]
width = [4, 8]

[[sweep]]
name = "depth"
depth = [1, 2, 3, 4]
"""


@pytest.fixture
def plan(tmp_path: Path) -> Any:
    (tmp_path / "plan.toml").write_text(PLAN)
    return plan_of(tmp_path / "plan.toml")


def networks(plan: Any, seed: int = 0, **status: str) -> list[Network]:
    """R has the order of the gap in error; the trace is that and noise; the norm is noise."""
    draw = np.random.default_rng(seed)
    made = []
    for each in plan.settings:
        gap = each.batch_size / 100 + each.learning_rate + each.depth / 7 + draw.normal() / 50
        numbers = {
            "error_gap": gap,
            "loss_gap": -gap,
            "train_loss": 0.1,
            "scalar_curvature": float(np.exp(gap)),
            "trace": gap + draw.normal() / 10,
            "weight_norm": draw.normal(),
        }
        made.append(made_up(dict(vars(each)), numbers))
    return made


def of(found: Study, measure: str, gap: str = "error_gap", group: str = "all") -> Any:
    return next(r for r in found.rankings if (r.measure, r.gap, r.group) == (measure, gap, group))


def test_every_measure_is_ranked_against_every_gap_in_every_group(plan: Any) -> None:
    found = study(plan, networks(plan))
    told = {(r.measure, r.gap, r.group) for r in found.rankings}
    groups = ("all", "mlp", "cnn", "depth")
    assert told == set(
        itertools.product(("scalar_curvature", "trace", "weight_norm"), ("error_gap", "loss_gap"), groups)
    )


def test_what_has_the_order_of_the_gap_has_a_tau_of_one(plan: Any) -> None:
    found = study(plan, networks(plan))
    R = of(found, "scalar_curvature")
    assert (R.tau.value, R.tau.low, R.tau.high) == (1, 1, 1)
    assert of(found, "scalar_curvature", "loss_gap").tau.value == -1
    assert R.granulated.value == pytest.approx(1)
    assert set(R.by) == {"architecture", "batch_size", "learning_rate", "width"}
    assert R.against_trace.low > 0
    assert R.networks == 32


def test_tau_is_scipy_s(plan: Any) -> None:
    made = networks(plan)
    members = [n for n in made if n.setting["depth"] == 2 and n.setting["width"] in (4, 8)]
    x, y = (np.array([n.numbers[name] for n in members]) for name in ("trace", "error_gap"))
    assert of(study(plan, made), "trace").tau.value == pytest.approx(kendalltau(x, y).statistic)
    noise = of(study(plan, made), "weight_norm")
    assert noise.tau.low < 0 < noise.tau.high


def test_networks_that_are_left_out_are_counted_and_not_ranked(plan: Any) -> None:
    made = networks(plan)
    for i, status in ((0, "diverged"), (1, "not reached"), (2, "not measured")):
        made[i] = made_up(dict(made[i].setting), {"train_loss": 9.0}, status)
    found = study(plan, made[:-1])
    assert of(found, "scalar_curvature").networks == 29
    said = found.findings[0]
    for words in ("36 of 40", "diverged (1)", "did not reach the loss (1)", "could not be measured (1)", "1 is still"):
        assert words in said, said


def test_nothing_to_rank_is_a_study_all_the_same(plan: Any) -> None:
    diverged = [made_up(dict(n.setting), {"train_loss": 9.0}, "diverged") for n in networks(plan)]
    assert study(plan, diverged).rankings == ()
    assert study(plan, []).findings == ("0 of 40 networks count; 40 are still to be trained.",)


def test_it_is_a_document(plan: Any, tmp_path: Path) -> None:
    found = study(plan, networks(plan))
    found.save(str(tmp_path / "study.json"))
    again = load(tmp_path / "study.json")
    assert [str(r) for r in again.rankings] == [str(r) for r in found.rankings]  # NaN is no NaN
    assert again.sweeps == found.sweeps
    assert {len(again.sweeps["factorial"]), len(again.sweeps["depth"])} == {32, 8}
    assert again.findings == found.findings


def test_a_constant_measure_has_no_tau(plan: Any) -> None:
    made = networks(plan)
    for i, each in enumerate(made):
        made[i] = made_up(dict(each.setting), dict(each.numbers) | {"weight_norm": 1.0})
    assert np.isnan(of(study(plan, made), "weight_norm").tau.value)


def test_measures_that_no_network_has_both_of_are_ranked_without_the_trace(plan: Any) -> None:
    """The trace of one half is missing and the measure of the other: nothing is left to compare, and nothing raised."""
    made = networks(plan)
    for i, each in enumerate(made):
        missing = "trace" if i % 2 else "weight_norm"
        made[i] = made_up(dict(each.setting), dict(each.numbers) | {missing: float("nan")})
    found = of(study(plan, made), "weight_norm")
    assert not np.isnan(found.tau.value)
    assert found.beyond_trace is found.against_trace is None

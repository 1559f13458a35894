"""Findings in plain words, whichever way they come out."""

import dataclasses
import math

import pytest
from plans import made_up

from egregium.results import Between, Ranking
from egregium.study import Setting, preset
from egregium.study.words import findings, limits

R = Ranking(
    "scalar_curvature",
    "error_gap",
    "all",
    128,
    Between(0.3, 0.2, 0.4),
    Between(0.5, 0.4, 0.6),
    {"learning_rate": Between(0.9, 0.8, 1.0)},
    Between(0.1, -0.1, 0.3),
    Between(0.02, -0.01, 0.05),
)
OTHER = Ranking("sharpness", "error_gap", "all", 128, Between(-0.6, -0.7, -0.5), None, {"learning_rate": R.tau})


def said(**changed: object) -> str:
    return " ".join(findings([], 0, [dataclasses.replace(R, **changed), OTHER]))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "tau 0.30 [0.20, 0.40]: larger R goes with a larger gap"),
        ({"tau": Between(-0.3, -0.4, -0.2)}, "larger R goes with a smaller gap"),
        ({"tau": Between(0.1, -0.1, 0.3)}, "that cannot be told from chance"),
        ({}, "R is number 2"),
        ({}, "Psi 0.50 [0.40, 0.60]), R follows the gap: learning rate 0.90 [0.80, 1.00]"),
        ({}, "tau less that of tr H is 0.02 [-0.01, 0.05]: that cannot be told from chance"),
        ({"against_trace": Between(-0.2, -0.3, -0.1)}, "it goes with the gap less than the trace does"),
        ({"against_trace": Between(0.0, 0.0, 0.0)}, "is 0.00 [0.00, 0.00]: both order these networks alike"),
        ({}, "R says nothing beyond the trace that could be told from chance"),
        (
            {"beyond_trace": Between(math.nan, math.nan, math.nan)},
            "both order these networks alike, and nothing is left",
        ),
        ({"beyond_trace": Between(0.2, 0.1, 0.3)}, "R need not say more than the trace"),
        ({"beyond_trace": Between(0.1, -1.0, 1.0)}, "so nearly alike that this is not known"),
        ({"beyond_trace": Between(0.5, 0.4, 0.6)}, "R says something that the trace does not"),
        ({"beyond_trace": Between(-0.5, -0.6, -0.4)}, "R says something that the trace does not"),
        ({}, "arXiv 2302.07011"),
        ({}, "sharpness -0.60 [-0.70, -0.50]; where the learning rate alone differs sharpness 0.30"),
    ],
)
def test_each_way_it_may_come_out(changed: dict[str, object], words: str) -> None:
    assert words in said(**changed)


@pytest.mark.parametrize(
    ("status", "advice"),
    [("diverged", "Lower the learning rates."), ("not reached", "Raise the loss, the epochs"), ("trained", "count.")],
)
def test_where_no_network_counts_there_is_advice(status: str, advice: str) -> None:
    assert advice in findings([made_up({}, {}, status)], 1, [])[0]


@pytest.mark.parametrize(
    ("tau", "less", "words"),
    [
        (0.4, -0.1, "it goes with the gap less than the trace does"),
        (-0.4, -0.1, "it goes against the gap more than the trace does"),
        (-0.4, 0.1, "it goes against the gap less than the trace does"),
        (0.0, -0.1, "its tau is the smaller, and not far from 0"),
    ],
)
def test_what_a_smaller_tau_means_depends_on_its_sign(tau: float, less: float, words: str) -> None:
    changed = {"tau": Between(tau, tau - 0.1, tau + 0.1), "against_trace": Between(less, less - 0.05, less + 0.05)}
    assert words in said(**changed)


def test_a_measure_without_a_tau_is_no_strongest() -> None:
    nothing = dataclasses.replace(OTHER, measure="mean_curvature", tau=Between(math.nan, math.nan, math.nan))
    assert "mean curvature" not in " ".join(findings([], 0, [R, OTHER, nothing]))
    assert "largest |tau|" not in said(tau=Between(math.nan, math.nan, math.nan))


def test_what_all_that_are_left_out_share_is_said() -> None:
    counted = [
        made_up({"learning_rate": 0.02 * (1 + i % 2), "width": 8 * (1 + i % 2), "depth": 2}, {}) for i in range(6)
    ]
    left = [made_up({"learning_rate": 0.04, "width": 8 * i, "depth": 2}, {}, "not reached") for i in (1, 2)]
    assert "All that are left out have learning rate 0.04: the rest" in findings([*counted, *left], 8, [])[1]


def test_coarse_measures_are_named() -> None:
    wide, narrow = (
        dataclasses.replace(
            made_up({}, {"trace": 2.0, "nuclear_norm": 2.0}), half_widths={"trace": t, "nuclear_norm": 0.4}
        )
        for t in (0.01, 0.02)
    )
    flat = dataclasses.replace(wide, numbers={"trace": 0.0, "nuclear_norm": 0.0})  # of 0 there is no share
    assert "nuclear norm 20 %)" in limits(preset("tiny"), [wide, narrow, flat])[-1]


def test_limits_name_data_and_level() -> None:
    said = limits(preset("fashion"), [])[0]
    assert "fashion-mnist" in said
    assert "0.1" in said
    assert "without normalisation layers" in said
    own = dataclasses.replace(preset("tiny"), settings=(Setting(architecture="mine.py:net"),))
    assert "normalisation" not in limits(own, [])[0]  # whatever is in them

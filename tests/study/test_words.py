"""Findings in plain words, whichever way they come out."""

import dataclasses

import pytest

from egregium.results import Between, Ranking
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
        ({}, "R says nothing beyond the trace that could be told from chance"),
        ({"beyond_trace": Between(0.2, 0.1, 0.3)}, "R need not say more than the trace"),
        ({"beyond_trace": Between(0.5, 0.4, 0.6)}, "R says something that the trace does not"),
        ({"beyond_trace": Between(-0.5, -0.6, -0.4)}, "R says something that the trace does not"),
        ({}, "arXiv 2302.07011"),
        ({}, "sharpness -0.60 [-0.70, -0.50]; where the learning rate alone differs sharpness 0.30"),
    ],
)
def test_each_way_it_may_come_out(changed: dict[str, object], words: str) -> None:
    assert words in said(**changed)


def test_limits_name_data_and_level() -> None:
    assert "fashion-mnist" in limits("fashion-mnist", 0.1)[0]
    assert "0.1" in limits("fashion-mnist", 0.1)[0]

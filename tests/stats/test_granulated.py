"""The granulated Kendall coefficient: by hand, by its definition, and how often its intervals hold."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from scipy.stats import beta, binom

from egregium.errors import ArgumentError
from egregium.stats import Interval, granulated, granulated_difference
from egregium.stats.dyadic import share_interval

CUBE = list(product([0, 1], repeat=3))
SETTINGS = {name: [cell[i] for cell in CUBE] for i, name in enumerate(("depth", "width", "rate"))}


def test_two_to_the_third_by_hand() -> None:
    """x orders the cube by depth, width, rate. y agrees along rate in 4 of 4 pairs (01, 23, 45, 67); along width it
    agrees in 02 and 13, ties in 46 and is against in 57; along depth it is against in 04, 15, 26 and for in 37."""
    x = np.arange(8.0)
    y = np.array([5.0, 6.0, 7.0, 8.0, 3.0, 10.0, 3.0, 9.0])
    # depth: 0-4 5>3 -, 1-5 6<10 +, 2-6 7>3 -, 3-7 8<9 +; width: 0-2 +, 1-3 +, 4-6 0, 5-7 -; rate: + + + +
    found = granulated(x, y, SETTINGS)
    assert [found.psi[name].value for name in SETTINGS] == [0.0, 0.25, 1.0]
    assert found.value.value == pytest.approx(1.25 / 3)
    assert found.groups == {"depth": 4, "width": 4, "rate": 4}
    assert found.value.networks == 8


def by_definition(x: np.ndarray, y: np.ndarray, rows: list[tuple], i: int) -> tuple[float, int]:
    """(psi_i, groups) in loops; rows are settings and a seed."""
    groups: dict[tuple, list[int]] = {}
    for network, row in enumerate(rows):
        if not math.isnan(x[network] + y[network]):
            groups.setdefault(row[:i] + row[i + 1 :], []).append(network)
    taus = [
        np.mean([np.sign(x[a] - x[b]) * np.sign(y[a] - y[b]) for a, b in combinations(group, 2)])
        for group in groups.values()
        if len(group) > 1
    ]
    return float(np.mean(taus)), len(taus)


def test_by_definition_with_seeds_three_levels_ties_and_lost_networks() -> None:
    rng = np.random.default_rng(0)
    rows = [*product([0, 1, 2], ["a", "b"], [0.1, 0.2, 0.3], [7, 8])]
    kept = [row for row in rows if rng.random() < 0.8]
    x, y = rng.integers(0, 6, (2, len(kept))).astype(float)
    x[[3, 11]], y[5] = np.nan, np.nan
    settings = {name: [row[i] for row in kept] for i, name in enumerate("pqr")}
    found = granulated(x, y, settings, [row[3] for row in kept])
    expected = [by_definition(x, y, kept, i) for i in range(3)]
    assert [found.psi[name].value for name in "pqr"] == pytest.approx([value for value, _ in expected])
    assert list(found.groups.values()) == [groups for _, groups in expected]
    assert found.value.value == pytest.approx(np.mean([value for value, _ in expected]))
    assert found.value.networks == len(kept) - 3


def test_a_difference_is_that_of_the_networks_that_have_both() -> None:
    rng = np.random.default_rng(1)
    x, other, y = rng.standard_normal((3, 8))
    x[2] = np.nan
    found = granulated_difference(x, other, y, SETTINGS)
    one, two = (granulated(v, np.where(np.isnan(x), np.nan, y), SETTINGS) for v in (x, other))
    assert found.value.value == pytest.approx(one.value.value - two.value.value)
    assert found.psi["width"].value == pytest.approx(one.psi["width"].value - two.psi["width"].value)
    assert found.groups == one.groups
    assert granulated_difference(other, x, y, SETTINGS).value.value == pytest.approx(-found.value.value)


def test_only_the_order_counts_and_ties_are_zero() -> None:
    x, y = np.random.default_rng(2).standard_normal((2, 8))
    found = granulated(x, y, SETTINGS)
    assert granulated(np.exp(x), y**3, SETTINGS) == found
    assert granulated(np.where(x == x.max(), np.inf, x), y, SETTINGS) == found
    assert granulated(np.ones(8), y, SETTINGS).value.value == 0


def test_where_all_groups_agree_the_interval_is_clopper_and_pearsons() -> None:
    """4 of 4 groups of two levels: the binomial's lower bound, on the scale of 2 p - 1."""
    found = granulated(np.arange(8.0), np.arange(8.0), SETTINGS, confidence=0.9).psi["rate"]
    assert found == Interval(1.0, pytest.approx(2 * beta.ppf(0.05, 4, 1) - 1), 1.0, 8)
    against = granulated(np.arange(8.0), -np.arange(8.0), SETTINGS, confidence=0.9).psi["rate"]
    assert (against.low, against.high) == pytest.approx((-1.0, 1 - 2 * beta.ppf(0.05, 4, 1)))


def test_the_variance_by_hand() -> None:
    """psi of depth over 8 networks is a mean of 4 independent signs, + - + -: V = 4 (1/4)^2 and t_3 on artanh."""
    x, y = np.arange(8.0), np.array([5.0, 6.0, 7.0, 8.0, 3.0, 10.0, 3.0, 9.0])
    found = granulated(x, y, SETTINGS, confidence=0.9).psi["depth"]
    half = 2.353363 * math.sqrt(4 / 16 * 4 / 3)
    assert (found.low, found.high) == pytest.approx((-math.tanh(half), math.tanh(half)), rel=1e-6)


def test_pairs_that_seem_to_cancel_are_taken_for_independent() -> None:
    """+1/2 and -1/2 share cell 0, whose sum is 0: V = 1/2 - 1/2, and with pairs apart 1/2; twice that, and t_1 = 1."""
    parts = np.array([[0, 1, -1], [1, 0, 0], [-1, 0, 0]]) / 4
    found = share_interval(0.0, parts, np.arange(3), 2, 0.5)
    assert (found.low, found.high) == pytest.approx((-math.tanh(1), math.tanh(1)))


def test_seeds_of_a_setting_are_no_more_groups() -> None:
    """Every network twice, as another seed: twice the groups, the same interval."""
    x, y = np.random.default_rng(3).standard_normal((2, 8))
    once = granulated(x, y, SETTINGS)
    double = {name: [level for level in column for _ in "ab"] for name, column in SETTINGS.items()}
    twice = granulated(np.repeat(x, 2), np.repeat(y, 2), double, list("ab") * 8)
    assert twice.groups == {"depth": 8, "width": 8, "rate": 8}
    for a, b in ((once.value, twice.value), (once.psi["rate"], twice.psi["rate"])):
        assert (b.value, b.low, b.high) == pytest.approx((a.value, a.low, a.high))


def test_a_hyper_parameter_without_groups_is_not_in_the_mean() -> None:
    """Only networks of a plane are left: nothing differs in depth alone."""
    x, y = np.random.default_rng(4).standard_normal((2, 8))
    x[4:] = np.nan
    found = granulated(x, y, SETTINGS)
    assert (found.groups["depth"], found.groups["rate"]) == (0, 2)
    assert math.isnan(found.psi["depth"].value)
    assert found.value.value == pytest.approx((found.psi["width"].value + found.psi["rate"].value) / 2)


def test_one_group_has_no_interval() -> None:
    found = granulated(np.arange(3.0), np.array([0.0, 2.0, 1.0]), {"rate": [1, 2, 3]})
    assert found.value.value == pytest.approx(1 / 3)
    assert math.isnan(found.value.low)


def test_what_cannot_be_granulated() -> None:
    x = np.arange(8.0)
    with pytest.raises(ArgumentError, match=r"2 networks have one setting and seed"):
        granulated(x, x, {"depth": SETTINGS["depth"], "width": SETTINGS["width"]})
    with pytest.raises(ArgumentError, match=r"differ in one hyper-parameter alone"):
        granulated(np.arange(3.0), np.arange(3.0), {"p": [1, 2, 3], "q": [1, 2, 3]})
    with pytest.raises(ArgumentError, match=r"rate must have a level for each of 8 networks, got 7\."):
        granulated(x, x, {**SETTINGS, "rate": [1] * 7})
    with pytest.raises(ArgumentError, match=r"at least 3 networks"):
        granulated(np.full(8, np.nan), x, SETTINGS)


TRIALS = 300
FEWEST, MOST = (int(binom.ppf(q, TRIALS, 0.9)) for q in (1e-4, 1 - 1e-4))


def test_coverage_in_a_design_of_two_to_the_fifth() -> None:
    """Two seeds, no effects, normal noise with correlations 0.7 and 0.3: psi, Psi and the difference are
    2/pi arcsin of them. Groups of all hyper-parameters share their cells: taken for independent, Psi's intervals are
    too short by a quarter. At 90 %, with the bounds that the binomial passes once in 10,000 times."""
    cells = list(product([0, 1], repeat=5))
    settings = {f"h{i}": [cell[i] for cell in cells for _ in "ab"] for i in range(5)}
    root = np.linalg.cholesky([[1, 0.2, 0.7], [0.2, 1, 0.3], [0.7, 0.3, 1]])
    first, second = (2 / math.pi * math.asin(rho) for rho in (0.7, 0.3))
    rng = np.random.default_rng(5)
    held = np.zeros(3, int)
    for _ in range(TRIALS):
        noise = np.repeat(rng.standard_normal((3, 32)), 2, axis=1) + 0.5 * rng.standard_normal((3, 64))
        x, other, y = root @ noise
        found = granulated(x, y, settings, list("ab") * 32, 0.9)
        less = granulated_difference(x, other, y, settings, list("ab") * 32, 0.9).value
        pairs = ((found.psi["h0"], first), (found.value, first), (less, first - second))
        held += [each.low <= truth <= each.high for each, truth in pairs]
    assert (held >= FEWEST).all(), held
    assert (held <= MOST).all(), held

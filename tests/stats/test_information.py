"""The conditional information of Jiang et al.: closed forms, the definition in loops, and its bias."""

import math
from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest

from egregium.errors import ArgumentError
from egregium.stats import conditional_information, least_information


def by_definition(x: np.ndarray, y: np.ndarray, settings: dict, given: tuple[str, ...]) -> float:
    """I(V_x; V_y | U) / H(V_y | U) from counts of ordered pairs."""
    kept = [i for i in range(len(x)) if not math.isnan(x[i] + y[i])]
    rows = [
        (
            tuple((settings[name][a], settings[name][b]) for name in given),
            np.sign(x[a] - x[b]),
            np.sign(y[a] - y[b]),
        )
        for a, b in permutations(kept, 2)
    ]
    count = Counter(rows)
    of_u, of_ux, of_uy = (Counter(tuple(row[i] for i in part) for row in rows) for part in ((0,), (0, 1), (0, 2)))
    told = sum(
        c / len(rows) * math.log(c * of_u[(u,)] / (of_ux[(u, v)] * of_uy[(u, w)])) for (u, v, w), c in count.items()
    )
    left = sum(c / len(rows) * math.log(of_u[(u,)] / c) for (u, _), c in of_uy.items())
    return told / left


CELLS = list(product([0, 1, 2], [0, 1], [0, 1]))
SETTINGS = {name: [cell[i] for cell in CELLS] for i, name in enumerate("pqr")}


@pytest.mark.parametrize("given", [(), ("p",), ("p", "r")])
def test_it_is_its_definition(given: tuple[str, ...]) -> None:
    x, y = np.random.default_rng(0).integers(0, 7, (2, 12)).astype(float)
    x[4] = np.nan
    assert conditional_information(x, y, SETTINGS, given) == pytest.approx(by_definition(x, y, SETTINGS, given))


def test_all_or_nothing() -> None:
    y = np.random.default_rng(1).standard_normal(12)
    assert conditional_information(y, y, SETTINGS, "pq") == pytest.approx(1)
    assert conditional_information(-(y**3), y, SETTINGS, "q") == pytest.approx(1)
    assert conditional_information(np.ones(12), y, SETTINGS, "q") == 0
    assert math.isnan(conditional_information(y, np.ones(12), SETTINGS, "q"))


def test_three_of_four_by_hand() -> None:
    """Orders agree in 3 of 4 pairs: I = log 2 + 3/4 log(3/4) + 1/4 log(1/4) of H = log 2, where all signs are."""
    x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 3.0, 4.0, 1.0])
    agree = 3 / 6  # 12, 13 and 23 against 14, 24 and 34
    expected = 1 + (agree * math.log(agree) + (1 - agree) * math.log(1 - agree)) / math.log(2)
    assert conditional_information(x, y, {}, ()) == pytest.approx(expected, abs=1e-12)
    y = np.array([1.0, 2.0, 4.0, 3.0])  # 5 of 6
    expected = 1 + (5 / 6 * math.log(5 / 6) + 1 / 6 * math.log(1 / 6)) / math.log(2)
    assert conditional_information(x, y, {}, ()) == pytest.approx(expected)


def test_the_least_is_over_all_sets_of_two() -> None:
    x, y = np.random.default_rng(2).standard_normal((2, 12))
    found = least_information(x, y, SETTINGS)
    sets = [(), *"pqr", ("p", "q"), ("p", "r"), ("q", "r")]
    each = {tuple(given): conditional_information(x, y, SETTINGS, given) for given in sets}
    assert found.value == min(each.values())
    assert each[found.given] == found.value
    assert least_information(x, y, SETTINGS, largest=0).given == ()


def test_a_measure_that_only_reads_a_hyper_parameter_says_nothing_given_it() -> None:
    p = np.array(SETTINGS["p"], float)
    y = p + 0.1 * np.random.default_rng(3).standard_normal(12)
    assert conditional_information(p, y, SETTINGS, ()) > 0.5
    assert least_information(p, y, SETTINGS).value == pytest.approx(0, abs=1e-12)
    assert "p" in least_information(p, y, SETTINGS).given


def test_sets_that_leave_nothing_are_passed_over() -> None:
    """y is a function of p: given it no order is left."""
    y = np.array(SETTINGS["p"], float)
    assert math.isnan(conditional_information(y, y, SETTINGS, "p"))
    assert least_information(y, y, SETTINGS).value == pytest.approx(1)


def test_only_the_order_counts() -> None:
    x, y = np.random.default_rng(4).standard_normal((2, 12))
    assert least_information(np.exp(x), y**3, SETTINGS) == least_information(x, y, SETTINGS)


def test_what_is_not_there() -> None:
    x = np.arange(12.0)
    with pytest.raises(ArgumentError, match=r"'depth' must be one of \['p', 'q', 'r'\], with a level"):
        conditional_information(x, x, SETTINGS, ["depth"])
    with pytest.raises(ArgumentError, match=r"'s' must be one of .*, with a level for each network\."):
        conditional_information(x, x, {**SETTINGS, "s": [1, 2]}, ["s"])
    with pytest.raises(ArgumentError, match=r"at least 3 networks"):
        conditional_information(x[:2], x[:2], {}, ())

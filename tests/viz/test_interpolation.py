"""A quantity between the places where it was measured."""

import math

import numpy as np
import pytest

from egregium.viz.interpolation import between, finite


def test_bilinear_is_exact_on_a_bilinear_function() -> None:
    a, b = np.array([-1.0, 0.0, 2.0]), np.array([0.0, 0.5])
    values = 2 + a[None, :] - 3 * b[:, None] + a[None, :] * b[:, None]
    x, y = np.linspace(-1, 2, 7), np.linspace(0, 0.5, 4)
    expected = 2 + x[None, :] - 3 * y[:, None] + x[None, :] * y[:, None]
    np.testing.assert_allclose(between(values, a, b, x, y), expected)


def test_unknown_spreads_over_its_cells_and_no_further() -> None:
    values = np.ones((3, 3))
    values[2, 2] = np.inf
    found = between(values, [0, 1, 2], [0, 1, 2], [0.5, 1.0, 1.5, 2.0, 2.5], [0.5, 1.0, 1.5, 2.0])
    expected = [[0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 1, 1, 1], [0, 0, 1, 1, 1]]
    np.testing.assert_array_equal(np.isnan(found), np.array(expected, dtype=bool))


def test_one_place_has_no_between() -> None:
    np.testing.assert_array_equal(between([[5.0]], [0.0], [0.0], [0.0, 1.0], [0.0]), [[5.0, np.nan]])


def test_finite() -> None:
    np.testing.assert_array_equal(finite([1.0, np.inf, np.nan]), [1.0, np.nan, np.nan])


def test_places_one_by_one() -> None:
    a, b = [0.0, 1.0, 3.0], [-1.0, 1.0]
    values = [[2 * x - 3 * y + x * y for x in a] for y in b]
    at = lambda z, x, y: between(z, a, b, [x], [y])[0, 0]
    for x, y in ((0.0, -1.0), (0.3, 0.2), (2.5, 1.0), (3.0, 1.0)):
        assert at(values, x, y) == pytest.approx(2 * x - 3 * y + x * y)
    assert math.isnan(at(values, 3.1, 0))
    assert math.isnan(at(values, 0.5, 1.1))
    for hole in (math.nan, math.inf):
        assert math.isnan(at([[hole] * 3] * 2, 0.5, 0))

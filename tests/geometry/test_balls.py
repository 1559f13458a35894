"""Volumes of geodesic balls against closed forms, the expansion in R, and each other."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from surfaces import DOUBLE, at, cylinder, sphere, wave
from torch import nn

import egregium as eg
from egregium import geometry as geo
from egregium.errors import ArgumentError, ArithmeticalError
from egregium.geometry.balls import expanded_determinant, mean_over_ball


def cap(n: int, r: float) -> float:
    """vol of a ball on the unit sphere, over that of a Euclidean one."""
    return n * float(quad(lambda t: math.sin(t) ** (n - 1), 0, r)[0]) / r**n


@pytest.mark.parametrize("n", [2, 3, 6])
def test_balls_on_the_sphere(n: int) -> None:
    found = geo.ball_volumes(at(sphere, *[0.2 / math.sqrt(n)] * n), [0.3, 0.7], pairs=2)
    for r, ratio in zip((0.3, 0.7), found.ratios, strict=True):
        low, high = ratio.interval(0.999)
        assert low <= cap(n, r) <= high
        assert ratio.value == pytest.approx(cap(n, r), abs=1e-5)


def test_balls_of_a_flat_surface_are_euclidean() -> None:
    found = geo.ball_volumes(at(cylinder, 0.1, 0.2), 0.4, pairs=2)
    assert found.ratios[0].value == pytest.approx(1.0, abs=1e-8)
    assert found.expansion[0].value == pytest.approx(1.0, abs=1e-12)
    assert float(found.log_euclidean[0]) == pytest.approx(math.log(math.pi * 0.4**2))


def test_small_balls_follow_the_expansion_in_r() -> None:
    """By whole frames, the term in r^2 has no variance: what is left is of order r^4."""
    found = geo.ball_volumes(at(wave, 0.3, -0.4, 0.7), [0.02, 0.04, 0.08], pairs=12, seed=1)
    left = [a.value - b.value for a, b in zip(found.ratios, found.expansion, strict=True)]
    assert abs(left[0]) < 0.02 * abs(found.expansion[0].value - 1)
    assert left[2] / left[1] == pytest.approx(16, rel=0.35)
    assert "frames" in found.method


def test_a_few_random_fields_agree_with_all() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    data = (torch.randn(20, 2, dtype=DOUBLE), torch.randint(2, (20,)))
    land = eg.Landscape(model, nn.CrossEntropyLoss(), data).scaled(3.0)
    every, few = (geo.ball_volumes(land, 0.8, probes=p, pairs=8, steps=6) for p in (None, 6))
    assert abs(every.ratios[0].value - few.ratios[0].value) < every.ratios[0].half_width() + few.ratios[0].half_width()
    assert few.ratios[0].value == pytest.approx(few.expansion[0].value, abs=few.ratios[0].half_width(0.999) + 0.01)


def test_the_expanded_determinant_is_unbiased() -> None:
    """The mean of 1,500 draws of two probes against det(I + X); without the variance's half it is 0.046 too large."""
    n, draws, t = 24, 1500, 0.7
    draw = torch.Generator().manual_seed(0)
    flat = torch.zeros(n, dtype=DOUBLE)  # the gradient
    Q = torch.linalg.qr(torch.randn(n, n, dtype=DOUBLE, generator=draw))[0]
    X = Q @ torch.diag(torch.linspace(-0.12, 0.096, n, dtype=DOUBLE)) @ Q.T
    found = []
    for _ in range(draws):
        Z = torch.randint(2, (2, n), generator=draw).to(DOUBLE) * 2 - 1
        state = torch.cat([torch.zeros(2, n, dtype=DOUBLE), Z, t * (Z + Z @ X), torch.zeros(2, n, dtype=DOUBLE)])
        found.append(expanded_determinant(flat, state, t, 2)[0])
    values = torch.tensor(found, dtype=DOUBLE)
    spread = float(values.std()) / draws**0.5
    assert abs(float(values.mean() - torch.linalg.det(torch.eye(n, dtype=DOUBLE) + X))) < 3.3 * spread
    assert 3.3 * spread < 0.046 / 2  # so that a missing half is seen


def test_random_fields_cover_on_the_sphere() -> None:
    n, r, covered = 20, 0.4, 0
    land = at(sphere, *[0.0] * n)
    for seed in range(20):
        low, high = geo.ball_volumes(land, r, pairs=4, probes=4, seed=seed, steps=8).ratios[0].interval()
        covered += low <= cap(n, r) <= high
    assert covered >= 16  # 20 at 95 %: fewer with probability 0.0026


@pytest.mark.parametrize("n", [2, 3, 10, 400, 501, 10**6])
def test_the_integral_over_the_radius(n: int) -> None:
    """Of exp(-t^2) over the ball, against quadrature in log t."""
    nodes = 0.8 * (1 - np.cos(np.pi * np.arange(1, 7) / 6)) / 2
    means, off = mean_over_ball(nodes, np.exp(-(nodes**2)), np.array([0.3, 0.8]), n)
    for r, mean in zip((0.3, 0.8), means, strict=True):
        exact = quad(lambda y, r=r: math.exp(-y - (r * math.exp(-y / n)) ** 2), 0, 60, epsabs=1e-13)[0]
        assert mean == pytest.approx(exact, abs=1e-12)
    assert float(off.max()) < 1e-12
    bent, off = mean_over_ball(nodes, 1 - 3 * nodes**2, np.array([0.8]), n)  # negative at the end
    assert float(bent[0]) == pytest.approx(1 - 3 * 0.64 * n / (n + 2))


def test_a_ball_over_the_edge_is_refused() -> None:
    with pytest.raises(ArithmeticalError, match="smaller radius"):
        geo.ball_volumes(at(lambda x: torch.where(x[0] > 0.1, torch.nan, x @ x), 0.0, 0.0), 0.5, pairs=2)


def test_conjugate_points_are_said() -> None:
    """On the side of a steep bowl, whose geodesics go round it and cross on the other side."""
    found = geo.ball_volumes(at(lambda x: 1.5 * x @ x, 0.8, 0.0), 6.0, pairs=12, tolerance=1e-6)
    assert any("conjugate point" in note for note in found.notes)


@pytest.mark.parametrize(
    ("radii", "how", "words"),
    [
        (0.0, {}, "radii must be"),
        ([0.1, math.inf], {}, "radii must be"),
        ([], {}, "radii must be"),
        (0.1, {"pairs": 1}, "pairs >= 2"),
        (0.1, {"probes": 1}, "probes >= 2"),
    ],
)
def test_arguments_that_do_not_fit(radii: Any, how: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        geo.ball_volumes(at(wave, 0.0, 0.0, 0.0), radii, **how)


def test_one_dimension() -> None:
    with pytest.raises(ArgumentError, match="n = 1"):
        geo.ball_volumes(at(lambda x: x @ x, 0.0), 0.1)


def test_deterministic_for_a_seed() -> None:
    land = at(wave, 0.3, -0.4, 0.7)
    one, two = (geo.ball_volumes(land, 0.2, pairs=2, seed=5).samples for _ in range(2))
    assert torch.equal(one, two)
    assert one.dtype == DOUBLE

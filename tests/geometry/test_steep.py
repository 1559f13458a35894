"""Steep points, narrow budgets and odd arguments: what a hostile reader tried."""

import math
from typing import Any

import pytest
import torch
from surfaces import DOUBLE, at, sphere, vectors, wave

import egregium as eg
from egregium import geometry as geo
from egregium.errors import ArgumentError, ArithmeticalError

F = eg.Landscape.from_function


def trough(x: torch.Tensor) -> torch.Tensor:
    """A parabolic cylinder along an oblique axis: Ricci flat."""
    return 0.5 * (0.6 * x[0] + 0.8 * x[1]) ** 2


@pytest.mark.parametrize(("dtype", "steep"), [(torch.float32, 1e3), (torch.float64, 1e4), (torch.float64, 1e6)])
def test_flat_however_steep(dtype: torch.dtype, steep: float) -> None:
    """Ric = 0 is a difference of two equal terms: what is left of it lies in the interval."""
    u = torch.tensor([0.6, 0.8, 0.0], dtype=dtype)
    land = F(trough, steep * u)
    found = geo.ricci(land, u, u)
    T = geo.tangent_space(land)
    h, third = T.fundamental_forms(u, u)
    assert abs(found.value) <= found.half_width()
    assert found.half_width() < 0.02 * abs(third)  # the interval says something
    assert third == pytest.approx(h * h / T.norm(u) ** 2, rel=20 * torch.finfo(dtype).eps)


@pytest.mark.parametrize(("dtype", "rel"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
def test_steep_tensors_keep_their_digits(dtype: torch.dtype, rel: float) -> None:
    """|g| = 2,000 in float32, 2e6 in float64: det S, K and R(x, y) z against 200-bit arithmetic's float64 inputs."""
    draw = torch.Generator().manual_seed(0)
    A = torch.randn(5, 5, generator=draw, dtype=DOUBLE)
    A, b = (
        (A @ A.T).to(dtype),
        (torch.randn(5, generator=draw, dtype=DOUBLE) * (1e3 if dtype == torch.float32 else 1e6)).to(dtype),
    )
    land = F(lambda x: 0.5 * x @ (A @ x) + b @ x, torch.zeros(5, dtype=dtype))
    H, g = A.double(), b.double()
    W2 = 1 + g @ g
    assert geo.gauss_kronecker_curvature(land) == pytest.approx(float(torch.linalg.det(H) / W2**3.5), rel=rel)
    x, y, _ = (v.double() for v in vectors(3, 5))
    wedge = (
        (1 + 0) * ((x @ x) * (y @ y) - (x @ y) ** 2)
        + (y @ y) * (g @ x) ** 2
        + (x @ x) * (g @ y) ** 2
        - 2 * (x @ y) * (g @ x) * (g @ y)
    )
    K = ((x @ H @ x) * (y @ H @ y) - (x @ H @ y) ** 2) / W2 / wedge
    assert geo.tangent_space(land).sectional_curvature(x, y) == pytest.approx(float(K), rel=100 * rel)


def test_the_verdict_is_about_the_mean_curvature_itself() -> None:
    """tr H known to 1 % says little of tr S where g lies along the one sharp direction."""
    Q = torch.linalg.qr(torch.randn(300, 300, dtype=DOUBLE, generator=torch.Generator().manual_seed(0)))[0]
    H = Q @ torch.diag(torch.cat([torch.tensor([1e4], dtype=DOUBLE), torch.linspace(0, 0.02, 299, dtype=DOUBLE)])) @ Q.T
    land = F(lambda x: x @ H @ x / 2, Q[:, 0] / 100)
    found = geo.mean_curvature(land, rtol=0.01)
    assert found.half_width() > 0.01 * abs(found.value)
    assert not found.converged
    assert "wider than asked" in found.notes[-1]
    values = torch.linalg.eigvalsh(H)
    low, high = found.interval(0.999)
    exact = (float(values.sum()) - (1 - 1 / 10001) * 1e4) / math.sqrt(10001) / 300
    assert low <= exact <= high


def test_options_that_there_are_none_of() -> None:
    with pytest.raises(TypeError, match="bogus"):
        geo.mean_curvature(at(wave, 0.0, 0.0, 0.0), bogus=1)


@pytest.mark.parametrize("how", [{"steps": 2}, {"steps": 4}, {"tolerance": 1e-3}, {}])
def test_distances_hold_the_integration_error(how: dict[str, Any]) -> None:
    a, b = torch.tensor([0.3, 0.2], dtype=DOUBLE), torch.tensor([-0.5, 0.6], dtype=DOUBLE)
    low, high = geo.distance(F(sphere, a), b, **how).interval()
    assert low <= math.acos(float(a @ b + sphere(a) * sphere(b))) <= high
    assert high - low < 0.2


def test_balls_over_a_bump_hold_the_polynomial_error() -> None:
    """A surface of revolution from its axis: the circumference at arc length t over 2 pi t, by quadrature."""

    def bump(x: torch.Tensor) -> torch.Tensor:
        return 2 * torch.exp(-(x @ x))

    radii = [2.0, 0.5, 1.0]
    found = geo.ball_volumes(at(bump, 0.0, 0.0), radii, pairs=4, tolerance=1e-7)
    rho = torch.linspace(0, 3, 200_001, dtype=DOUBLE)
    arc = torch.cat(
        [rho[:1], torch.cumulative_trapezoid(torch.hypot(torch.ones_like(rho), 4 * rho * torch.exp(-(rho**2))), rho)]
    )
    for r, ratio in zip(radii, found.ratios, strict=True):
        area = float(torch.trapezoid(torch.where(arc <= r, rho, 0.0), arc)) * 2 / r**2
        low, high = ratio.interval()
        assert low <= area <= high


def test_balls_over_the_edge_of_a_sphere_are_refused() -> None:
    with pytest.raises(ArithmeticalError, match="smaller radius"):
        geo.ball_volumes(at(sphere, 0.0, 0.0), 2.0, pairs=2)


def test_narrow_intervals_of_small_balls_stay_narrow() -> None:
    """What the largest ball leaves out is not that of the smallest."""
    found = geo.ball_volumes(at(sphere, *[0.0] * 100), [0.05, 0.8], pairs=2, probes=2, steps=6)
    assert found.ratios[0].bias < 1e-3 < found.ratios[1].bias


BAD: list[tuple[str, Any]] = [
    ("Geometry needs a Landscape", lambda land, v: geo.tangent_space(wave)),  # type: ignore[arg-type]
    ("Geometry needs a Landscape", lambda land, v: geo.geodesic(wave, v)),  # type: ignore[arg-type]
    ("Geometry needs a Landscape", lambda land, v: geo.distance(wave, v)),  # type: ignore[arg-type]
    ("overflows", lambda land, v: geo.geodesic(land, v * 1e200, 1e200)),
    ("fields must be the pair", lambda land, v: geo.geodesic(land, v, fields=v)),
    ("fields must be the pair", lambda land, v: geo.geodesic(land, v, fields=(v,))),
    ("points must be an integer", lambda land, v: geo.geodesic(land, v, points=math.nan)),
    ("steps must be an integer", lambda land, v: geo.geodesic(land, v, steps="a")),
    ("t must be positive", lambda land, v: geo.geodesic(land, v, "a")),
    ("tolerance must be positive", lambda land, v: geo.geodesic(land, v, tolerance="a")),
    ("budget, in gradients, must be", lambda land, v: geo.geodesic(land, v, budget=None)),
    ("rtol must be positive", lambda land, v: geo.log(land, v, rtol=math.nan)),
    ("pairs must be an integer", lambda land, v: geo.ball_volumes(land, 0.1, pairs=2.5)),
    ("radii must be positive", lambda land, v: geo.ball_volumes(land, "a")),
    ("planes must be an integer", lambda land, v: geo.sectional_curvatures(land, 2.5)),
    ("confidence must be between", lambda land, v: geo.sectional_curvatures(land, confidence=2.5)),
    ("A point of steps", lambda land, v: geo.sectional_along(land, [v, v + 1, v[:1]])),
    ("A point of steps", lambda land, v: geo.sectional_along(land, [v[:1], v, v + 1])),
    ("grid must be an integer", lambda land, v: geo.portrait(land, grid=math.nan)),
]


@pytest.mark.parametrize(("words", "call"), BAD, ids=[str(k) for k in range(len(BAD))])
def test_odd_arguments_are_sentences(words: str, call: Any) -> None:
    with pytest.raises(ArgumentError, match=words):
        call(at(wave, 0.1, 0.2, 0.3), torch.ones(3, dtype=DOUBLE))


def test_no_vectors_at_all() -> None:
    land = at(wave, 0.1, 0.2, 0.3)
    none = torch.zeros(3, 0)
    path = torch.stack([land.theta, land.theta + 0.1])
    assert geo.transport(land, none, path).vectors.shape == (3, 0)
    assert geo.geodesic(land, torch.ones(3), carry=none).carried.dtype == DOUBLE


def test_half_precision() -> None:
    land = F(lambda x: (x**2).sum(), torch.tensor([0.1, 0.2, 0.3], dtype=torch.bfloat16))
    assert geo.sectional_curvatures(land, 4).mean.value == pytest.approx(
        geo.sectional_curvatures(land.to(dtype=torch.float32), 4).mean.value, rel=0.1
    )


def test_points_at_rest() -> None:
    assert geo.geodesic(at(wave, 0.1, 0.2, 0.3), torch.zeros(3, dtype=DOUBLE), points=5).points.shape == (5, 3)

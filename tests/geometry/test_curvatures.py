"""Numbers at a point that are estimated: principal, sectional, mean and Ricci curvature."""

from itertools import combinations
from typing import Any

import pytest
import torch
from surfaces import DOUBLE, at, sphere, vectors, wave
from torch import nn

import egregium as eg
from egregium import geometry as geo
from egregium.errors import ArgumentError
from egregium.operators import dense_matrix


@pytest.fixture
def land(tanh_mlp: nn.Module, ragged: Any) -> eg.Landscape:
    return eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged).scaled(4.0)


def test_principal_curvatures_and_directions(land: eg.Landscape) -> None:
    found = geo.principal_curvatures(land, 3, tol=1e-8)
    values = torch.linalg.eigvalsh(dense_matrix(eg.shape_operator(land)))
    torch.testing.assert_close(found.largest.values.to(DOUBLE), values[-3:].flip(0), rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(found.smallest.values.to(DOUBLE), values[:3], rtol=1e-6, atol=1e-9)
    T = geo.tangent_space(land)
    for pairs, directions in ((found.largest, found.largest_directions), (found.smallest, found.smallest_directions)):
        torch.testing.assert_close(directions.T @ (T.metric @ directions), torch.eye(3, dtype=DOUBLE))
        for value, x in zip(pairs.values.tolist(), directions.T, strict=True):
            assert T.norm(T.shape(x) - value * x) < 1e-6
    assert found.cost.gradients > 0


def test_traces_of_larger_networks_come_by_parts(tanh_mlp: nn.Module, ragged: Any) -> None:
    """Above 256 parameters tr S comes from tr H: the same number."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(8, 24), nn.Tanh(), nn.Linear(24, 4)).double()
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (torch.randn(40, 8, dtype=DOUBLE), torch.randint(4, (40,))))
    assert land.n > 256
    found = geo.mean_curvature(land, rtol=0.01)
    exact = float(dense_matrix(eg.shape_operator(land)).trace()) / land.n
    assert found.value == pytest.approx(exact, rel=1e-9)
    assert found.half_width() <= 0.01 * abs(exact)
    x, y = vectors(2, land.n)
    T = geo.tangent_space(land)
    assert geo.ricci(land, x, y).value == pytest.approx(T.ricci(x, y, land.n * exact), rel=1e-8)


def test_sampled_traces_carry_their_interval_into_ricci(land: eg.Landscape) -> None:
    """Of a landscape whose structure nothing is known of, n > 256."""
    W = torch.randn(300, 40, dtype=DOUBLE, generator=torch.Generator().manual_seed(0)) / 10

    def f(x: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(x @ W, 0) + (torch.sin(x) ** 2).sum() / 50

    land = eg.Landscape.from_function(f, torch.linspace(-1, 1, 300, dtype=DOUBLE))
    x = torch.ones(300, dtype=DOUBLE)
    exact = geo.tangent_space(land).ricci(x, x, float(dense_matrix(eg.shape_operator(land)).trace()))
    covered = 0
    for seed in range(20):
        e = geo.ricci(land, x, x, rtol=0.05, seed=seed)
        low, high = e.interval(0.95)
        assert not e.exact
        covered += low <= exact <= high
    assert covered >= 16  # 20 at 95 %: fewer with probability 0.0026


def test_mean_of_sectional_curvatures_is_that_of_r(land: eg.Landscape) -> None:
    found = geo.sectional_curvatures(land, 400, seed=3)
    R = eg.scalar_curvature(land).value
    assert found.scalar_curvature is not None
    low, high = found.scalar_curvature.interval(0.999)
    assert low <= R <= high
    assert found.samples.shape == (400,)
    assert found.scalar_curvature.value == pytest.approx(land.n * (land.n - 1) * found.mean.value)


def test_random_planes_have_the_curvature_of_the_tangent_space() -> None:
    """Each sample lies between the extremes of K; on a surface of two dimensions there is one plane."""
    land = at(lambda x: torch.sin(x[0]) * x[1] + x[1] ** 2, 0.4, 0.7)
    found = geo.sectional_curvatures(land, 6)
    K = geo.tangent_space(land).sectional_curvature(*torch.eye(2, dtype=DOUBLE))
    torch.testing.assert_close(found.samples, torch.full((6,), K, dtype=DOUBLE))


def test_samples_do_not_depend_on_the_block() -> None:
    land = at(wave, 0.3, -0.4, 0.7)
    few, many = (geo.sectional_curvatures(land, 10, block=b, seed=2).samples for b in (2, 16))
    torch.testing.assert_close(few, many)


def test_curvature_along_steps() -> None:
    points = [
        torch.tensor(p, dtype=DOUBLE) for p in ((0.1, 0.0, 0.2), (0.2, 0.3, 0.1), (0.0, 0.4, 0.3), (0.1, 0.1, 0.1))
    ]
    land = at(wave, 0.0, 0.0, 0.0)
    found = geo.sectional_along(land, points)
    for k in (1, 2):
        K = geo.tangent_space(land.at(points[k])).sectional_curvature(
            points[k] - points[k - 1], points[k + 1] - points[k]
        )
        assert float(found.samples[k - 1]) == pytest.approx(K)
    assert found.scalar_curvature is None


def test_steps_that_span_no_plane_are_nan_and_noted() -> None:
    points = torch.tensor([[0.0, 0, 0], [0.1, 0, 0], [0.2, 0, 0], [0.2, 0.1, 0]], dtype=DOUBLE)
    found = geo.sectional_along(at(wave, 0.0, 0.0, 0.0), points)
    assert found.samples.isnan().tolist() == [True, False]
    assert "At 1 of 2 points" in found.notes[0]


def test_ricci_is_the_sum_of_sectional_curvatures() -> None:
    T = geo.tangent_space(at(wave, 0.3, -0.4, 0.7))
    E = T.orthonormal(torch.stack(vectors(3, 3), 1)).T
    planes = {(i, j): T.sectional_curvature(E[i], E[j]) for i, j in combinations(range(3), 2)}
    for i, e in enumerate(E):
        around = sum(K for pair, K in planes.items() if i in pair)
        assert geo.ricci(T.land, e, e).value == pytest.approx(around)
    assert 2 * sum(planes.values()) == pytest.approx(eg.scalar_curvature(T.land).value)


def test_results_are_saved_and_read_back(tmp_path: Any) -> None:
    land = at(sphere, 0.1, 0.2, 0.0)
    v = torch.tensor([0.1, 0.1, 0.0], dtype=DOUBLE)
    results: list[Any] = [
        geo.principal_curvatures(land, 1),
        geo.sectional_curvatures(land, 4),
        geo.geodesic(land, v, points=3, carry=v),
        geo.log(land, v),
        geo.transport(land, v, torch.stack([land.theta, v])),
        geo.ball_volumes(land, 0.2, pairs=2),
    ]
    for k, result in enumerate(results):
        path = tmp_path / f"{k}.json"
        result.save(path)
        assert str(eg.load(path)) == str(result)


@pytest.mark.parametrize("planes", [0, 1])
def test_too_few_planes(planes: int) -> None:
    with pytest.raises(ArgumentError, match="at least two"):
        geo.sectional_curvatures(at(wave, 0.0, 0.0, 0.0), planes)


def test_one_dimension_has_no_planes() -> None:
    with pytest.raises(ArgumentError, match="n = 1"):
        geo.sectional_curvatures(at(lambda x: x @ x, 0.0))


def test_too_few_steps() -> None:
    with pytest.raises(ArgumentError, match="at least three points"):
        geo.sectional_along(at(wave, 0.0, 0.0, 0.0), torch.zeros(2, 3, dtype=DOUBLE))

"""Paths between minima."""

import math

import pytest
import torch
from torch import Tensor, nn

import egregium as eg
from egregium import slices
from egregium.errors import ArgumentError

DOUBLE = torch.float64


def ring(x: Tensor) -> Tensor:
    """Least, 0, on the unit circle of its first two coordinates; 1 in the middle."""
    return (x[0] ** 2 + x[1] ** 2 - 1) ** 2 + x[2:].square().sum()


def land_and_end(n: int = 5) -> tuple[eg.Landscape, Tensor]:
    start = torch.eye(n, dtype=DOUBLE)[0]
    return eg.Landscape.from_function(ring, start), -start


@pytest.mark.parametrize("kind", ["bezier", "polygonal"])
def test_a_trained_path_goes_round(kind: str) -> None:
    """D11: a path finder that never improves. The straight line's barrier is 1."""
    land, end = land_and_end()
    found = slices.mode_path(land, end, kind=kind, bends=2, quantities=("loss", "scalar_curvature"), coarse=5)
    assert found.straight_barrier == pytest.approx(1.0)
    assert found.barrier < 0.15
    assert float(found.losses[-20:].mean()) < 0.2 * float(found.losses[:5].mean())
    sheet = found.path.sheets["loss"]
    assert [float(sheet.values[0]), float(sheet.values[-1])] == [land.value(), land.at(end).value()]
    assert found.path.sheets["scalar_curvature"].values.shape == (5,)
    assert found.path.lengths[0] > found.straight.lengths[0]
    assert found.bends.shape == (5, 2)


def test_places_on_a_bezier_curve() -> None:
    land, end = land_and_end()
    found = slices.mode_path(land, end, bends=1, steps=5, points=5)
    p = found.bends[:, 0]
    for t, loss in zip(found.path.sheets["loss"].a.tolist(), found.path.sheets["loss"].values.tolist(), strict=True):
        theta = (1 - t) ** 2 * land.theta + 2 * t * (1 - t) * p + t**2 * end
        assert loss == pytest.approx(float(ring(theta)), rel=1e-12)


def test_two_minima_of_a_network() -> None:
    """Two trainings of one network: the straight line has a barrier, the curve much less of one."""
    torch.manual_seed(0)
    x = torch.randn(60, 2, dtype=DOUBLE)
    y = (x[:, 0] * x[:, 1] > 0).long()
    ends = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2)).to(DOUBLE)
        optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
        for _ in range(300):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimiser.step()
        ends.append(model)
    land, other = (eg.Landscape(model, nn.CrossEntropyLoss(), (x, y)) for model in ends)
    found = slices.mode_path(land, other.theta, seed=1)
    assert found.straight_barrier > 0.1
    assert found.barrier < 0.2 * found.straight_barrier
    again = slices.mode_path(land, other.theta, seed=1)
    assert torch.equal(found.path.sheets["loss"].values, again.path.sheets["loss"].values)


def test_the_straight_line_alone() -> None:
    land, end = land_and_end()
    found = slices.mode_path(land, end, kind="linear", points=3)
    assert found.barrier == found.straight_barrier == 1.0
    assert found.bends.shape == (5, 0)
    assert "barrier 1" in str(found)


def test_a_path_that_does_not_improve_says_so() -> None:
    land, end = land_and_end()
    found = slices.mode_path(land, end, steps=1, learning_rate=1e-9, points=3)
    assert found.barrier == pytest.approx(1.0, abs=0.01)
    convex = eg.Landscape.from_function(lambda x: x @ x, torch.zeros(2, dtype=DOUBLE))
    worse = slices.mode_path(convex, torch.tensor([1.0, 0.0], dtype=DOUBLE), steps=1, learning_rate=3.0)
    assert "no lower than the straight line" in worse.notes[-1]


def test_outside_the_domain_and_stopped() -> None:
    land = eg.Landscape.from_function(lambda x: torch.sqrt(x[0] ** 2 - 0.25), torch.tensor([1.0, 0.0], dtype=DOUBLE))
    found = slices.mode_path(land, -land.theta, steps=50)
    assert found.straight_barrier == math.inf
    assert "The training ended after" in found.notes[0]
    start, end = land_and_end()
    halted = slices.mode_path(start, end, points=3, progress=lambda report: "training" not in report.phase)
    assert halted.notes[0] == "Stopped: the path was trained for 0 of 200 steps."


def test_the_budget_holds_for_the_training_too() -> None:
    land, end = land_and_end()
    found = slices.mode_path(land, end, points=3, budget=20.0)
    assert found.cost.gradients <= 21
    assert any("The budget ended: the path was trained for" in note for note in found.notes)


def test_half_precision() -> None:
    """Adam's epsilon is 0 in float16."""
    start = torch.eye(4, dtype=torch.float16)[0]
    land = eg.Landscape.from_function(ring, start)
    found = slices.mode_path(land, -start, bends=2, points=5)
    assert found.bends.dtype == torch.float16
    assert found.barrier < 0.2


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"kind": "cubic"}, "kind must be"),
        ({"bends": 0}, "bends"),
        ({"steps": 0}, "steps"),
        ({"learning_rate": -1.0}, "learning_rate"),
    ],
)
def test_bad_arguments_are_sentences(how: dict[str, object], words: str) -> None:
    land, end = land_and_end()
    with pytest.raises(ArgumentError, match=words):
        slices.mode_path(land, end, **how)
    with pytest.raises(ArgumentError, match="are the same"):
        slices.mode_path(land, land.theta)

"""Checkpoints on a plane: projections, distances, and their own losses."""

import copy

import pytest
import torch
from landscapes import convolutional, same, state_of
from torch import Tensor

import egregium as eg
from egregium import slices
from egregium.errors import ArgumentError

DOUBLE = torch.float64


def trained(steps: int = 6) -> tuple[eg.Landscape, list[dict[str, Tensor]]]:
    """A network at the end of a short training, and its states on the way; its running statistics move too."""
    land = convolutional()
    model, ((x, y), _) = land.model, land.data
    optimiser, states = torch.optim.SGD(model.parameters(), lr=0.3), []
    model.train()
    for _ in range(steps):
        states.append(copy.deepcopy(model.state_dict()))
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    optimiser.zero_grad()
    model.eval()
    return land, [*states, copy.deepcopy(model.state_dict())]


def test_projections_are_those_of_least_squares() -> None:
    land, states = trained()
    V = slices.gaussian(land, seed=3).vectors + 0.5 * slices.gradient(land).vectors  # not orthogonal
    found = slices.trajectory(land, states, directions=V, surface=False)
    D = torch.stack([land.flatten(state) for state in states]) - land.theta
    expected = torch.linalg.lstsq(V, D.T).solution.T
    torch.testing.assert_close(found.coordinates, expected)
    torch.testing.assert_close(found.apart, (D - expected @ V.T).norm(dim=1))
    assert found.coordinates[-1].abs().max() < 1e-12


def test_losses_are_the_checkpoints_own_with_their_own_buffers() -> None:
    """tomgoldstein/loss-landscape 1: the plane's loss was read as the trajectory's."""
    land, states = trained()
    found = slices.trajectory(land, states, surface=False)
    for state, loss in zip(states, found.losses.tolist(), strict=True):
        model = copy.deepcopy(land.model)
        model.load_state_dict(state)
        assert loss == eg.Landscape(model, torch.nn.CrossEntropyLoss(), land.data).value()
    thetas = slices.trajectory(land, [land.flatten(state) for state in states], surface=False)
    assert thetas.losses.tolist() != found.losses.tolist()  # with the model's statistics, and a note
    assert "Running statistics are those of the model" in thetas.notes[0]
    assert found.notes == ()


def test_components_are_those_of_a_singular_value_decomposition() -> None:
    land, states = trained()
    found = slices.components(land, states, 2)
    D = torch.stack([land.flatten(state) for state in states]) - land.theta
    _, sigma, V = torch.linalg.svd(D, full_matrices=False)
    for j in range(2):
        assert abs(float(V[j] @ found.vectors[:, j])) == pytest.approx(1, abs=1e-9)
        assert f"{100 * float(sigma[j] ** 2 / sigma.square().sum()):.0f} %" in found.names[j]
    assert found.cosine() < 1e-6
    shares = slices.trajectory(land, states, surface=False).explained
    assert shares == pytest.approx([float(s**2 / sigma.square().sum()) for s in sigma[:2]])


def test_shares_add_up_when_directions_lean() -> None:
    land = eg.Landscape.from_function(lambda x: x @ x, torch.zeros(3, dtype=DOUBLE))
    V = torch.tensor([[1.0, 1.0], [0.0, 0.1], [0.0, 0.0]], dtype=DOUBLE)
    steps = [torch.tensor(x, dtype=DOUBLE) for x in ([3.0, 1.0, 2.0], [0.0, 2.0, 0.0])]
    found = slices.trajectory(land, steps, directions=V, surface=False)
    assert found.explained == pytest.approx((9 / 18, 5 / 18))


@pytest.mark.parametrize("small", [1e-3, 1e-4, 1e-5])
def test_components_in_float32_are_orthogonal(small: float) -> None:
    torch.manual_seed(0)
    land = eg.Landscape.from_function(lambda x: x @ x, torch.zeros(500))
    a, b = torch.randn(2, 500)
    found = slices.components(land, [k * a + small * (k % 2) * b for k in range(1, 6)])
    assert found.orthogonal
    assert found.cosine() < 1e-6


def test_what_half_precision_cannot_hold_is_not_claimed() -> None:
    land = eg.Landscape.from_function(lambda x: x @ x, torch.ones(50, dtype=torch.bfloat16))
    found = slices.gaussian(land)
    assert found.orthogonal == (found.cosine() < 1e-6)


def test_the_plane_holds_all_checkpoints_and_nothing_moves() -> None:
    land, states = trained()
    before = state_of(land.model)
    found = slices.trajectory(land, states, points=5, names=[f"epoch {i}" for i in range(7)])
    sheet = found.plane.sheets["loss"]
    for j, side in enumerate((sheet.a, sheet.b)):
        assert float(side[0]) < float(found.coordinates[:, j].min())
        assert float(side[-1]) > float(found.coordinates[:, j].max())
    assert same(before, state_of(land.model))
    assert found.names[3] == "epoch 3"


def test_a_straight_trajectory_still_spans_a_rectangle() -> None:
    land = eg.Landscape.from_function(lambda x: x @ x, torch.zeros(3, dtype=DOUBLE))
    steps = [t * torch.ones(3, dtype=DOUBLE) for t in (1.0, 0.5)]
    with pytest.raises(ArgumentError, match="span fewer than 2 directions"):
        slices.trajectory(land, steps)
    found = slices.trajectory(land, steps, directions=torch.eye(3, 2, dtype=DOUBLE) + 0.1, points=3)
    assert found.plane.sheets["loss"].values.isfinite().all()


def test_checkpoints_that_diverged_have_no_loss() -> None:
    land = eg.Landscape.from_function(lambda x: torch.log(x[0]) + x[1], torch.ones(2, dtype=DOUBLE))
    found = slices.trajectory(land, [-torch.ones(2)], directions=torch.eye(2, dtype=DOUBLE), surface=False)
    assert found.losses.isnan().all()


@pytest.mark.parametrize(
    ("checkpoints", "how", "words"),
    [
        ([], {}, "at least one"),
        ("none", {}, "flatten|tensor"),
        ([torch.zeros(3)], {}, "a checkpoint must be"),
        ([{"0.weight": torch.zeros(1)}], {}, "8 missing"),
        ([torch.zeros(75, dtype=DOUBLE)], {"names": ["a", "b"]}, "one for each of 1"),
    ],
)
def test_bad_checkpoints_are_sentences(checkpoints: object, how: dict[str, object], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        slices.trajectory(convolutional(), checkpoints, **how)


def test_loaded_is_a_copy_and_checked() -> None:
    land, states = trained()
    before = state_of(land.model)
    assert land.loaded(states[0]).value() != land.value()
    assert same(before, state_of(land.model))
    with pytest.raises(ArgumentError, match="does not fit Sequential"):
        land.loaded({"x": torch.zeros(1)})
    with pytest.raises(ArgumentError, match="landscape of a model"):
        eg.Landscape.from_function(lambda x: x @ x, torch.ones(2)).loaded({})

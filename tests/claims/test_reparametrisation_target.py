"""C10 on networks of the user's own: what can be rescaled, what is refused, and what is caught."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from egregium.claims import CLAIMS, Run, reparametrisation_target, reproduced
from egregium.claims.reparametrisation_target import Place, rescalable
from egregium.claims.rescaling import change, pairs_of, rescaling
from egregium.datasets import digits
from egregium.errors import ArgumentError, UnsuitableError
from egregium.landscape import Landscape
from egregium.results import ClaimResult


def _land(*modules: nn.Module, images: bool = False, dtype: torch.dtype = torch.float32, **how: Any) -> Landscape:
    data = digits()[0].first(120)
    x = (data.inputs.reshape(-1, 1, 8, 8) if images else data.inputs).to(dtype)
    model = nn.Sequential(*modules).to(dtype)
    return Landscape(model, nn.CrossEntropyLoss(), [(x[:50], data.targets[:50]), (x[50:], data.targets[50:])], **how)


def _mlp(act: Callable[[], nn.Module] = nn.ReLU, **how: Any) -> Landscape:
    return _land(nn.Linear(64, 12), act(), nn.Linear(12, 10), act(), nn.Linear(10, 10), **how)


def _cnn() -> Landscape:
    return _land(
        *(nn.Conv2d(1, 4, 3), nn.LeakyReLU(), nn.MaxPool2d(2), nn.Dropout(0.3), nn.Conv2d(4, 6, 2)),
        *(nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(24, 10)),
        images=True,
    )


def _run(land: Landscape) -> ClaimResult:
    return reproduced(CLAIMS["C10"], Run(), land, "mine.py:landscape")


@pytest.mark.parametrize(
    ("land", "rescaled"),
    [(_mlp, "layers 0 and 2"), (lambda: _mlp(dtype=torch.float64), "layers 0 and 2"), (_cnn, "layers 0 and 4")],
    ids=["float32", "float64", "convolutions"],
)
def test_it_holds_and_leaves_the_model_alone(land: Callable[[], Landscape], rescaled: str) -> None:
    here = land()
    assert here.model is not None
    before = copy.deepcopy(here.model.state_dict())
    result = _run(here)
    assert result.verdict == "holds"
    assert rescaled in result.notes[0]
    said = [check.what for check in result.checks]
    assert sum("relative change of" in what for what in said) == 4
    assert sum(what.startswith(("tr H moves", "|g| moves", "λ_max moves")) for what in said) == 3
    assert sum("normalised R (by filter) does not move" in what for what in said) == 2
    assert all(torch.equal(before[name], tensor) for name, tensor in here.model.state_dict().items())
    (chart,) = result.charts
    assert any(series.half_widths and max(series.half_widths) > 0 for series in chart.series)


# --- which layers


def test_an_activation_that_is_used_twice_is_seen_twice() -> None:
    gelu = nn.GELU()
    land = _land(nn.Linear(64, 8), gelu, nn.Linear(8, 8), gelu, nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 10))
    assert [pair.words for pair in pairs_of(land)] == ["layers 4 and 6"]
    assert rescalable(land).following == "6.weight"


def test_sequentials_within_one_another_are_one_row() -> None:
    land = _land(
        nn.Sequential(nn.Linear(64, 8), nn.ReLU()), nn.Sequential(nn.Linear(8, 8, bias=False)), nn.Linear(8, 10)
    )
    first, second = pairs_of(land)
    assert (first.words, second.words) == ("layers 0.0 and 1.0", "layers 1.0 and 2")
    assert second.bias is None
    A = rescaling(land, second, 3.0)
    assert change(land, land.at(A * land.theta)).largest < 1e-5


def test_outputs_that_the_loss_does_not_show_are_not_compared() -> None:
    def total(model: nn.Module, batch: Any) -> tuple[Tensor, int]:
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="sum"), len(batch[1])

    known = _mlp()
    assert known.model is not None
    land = Landscape(known.model, batch_loss=total, data=known.data)
    pair = rescalable(land)
    assert change(land, land.at(rescaling(land, pair, 2.0) * land.theta)).outputs is None


def _tied() -> Landscape:
    layer = nn.Linear(64, 64)
    return _land(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(64, 10))


def _hooked() -> Landscape:
    land = _land(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))
    assert land.model is not None
    land.model.get_submodule("1").register_forward_hook(lambda module, args, output: output + 0.1)
    return land


class _Wrapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.inner(x)
        return found


def _wrapped() -> Landscape:
    data = digits()[0].first(20)
    return Landscape(_Wrapped(), nn.CrossEntropyLoss(), (data.inputs, data.targets))


@pytest.mark.parametrize(
    ("land", "why"),
    [
        (lambda: _mlp(nn.Tanh), "no two layers of this Sequential"),
        (lambda: Landscape.from_function(lambda x: x @ x, torch.ones(3)), "no two layers of this plain function"),
        (_wrapped, "no two layers of this _Wrapped"),
        (_tied, "no two layers of this Sequential"),
        (lambda: _mlp(params="0.*"), "no two layers of this Sequential"),
        (lambda: _mlp(params="*weight"), "no two layers of this Sequential"),
        (lambda: _mlp(weight_decay=0.1), r"changes the loss, though not the outputs \(weight decay\?\), by"),
        (_hooked, "rescaling layers 0 and 2 changes the outputs by"),
        (lambda: _land(nn.Linear(64, 10)), "no two layers of this Sequential"),
    ],
    ids=["tanh", "function", "module", "tied", "a part", "no biases", "decay", "hook", "one layer"],
)
def test_what_rescaling_does_change_is_refused(land: Callable[[], Landscape], why: str) -> None:
    with pytest.raises(ArgumentError, match=f"C10 needs a network that rescaling two layers does not change.*{why}"):
        _run(land())


def test_a_network_of_zeros_has_no_normalised_curvature_to_compare() -> None:
    land = _mlp(nn.ReLU)
    result = _run(land.at(torch.zeros_like(land.theta)))
    assert not any("normalised" in check.what for check in result.checks)
    assert "cannot be told from their intervals: R" in result.notes[-1]


def test_an_r_of_zero_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    at = reparametrisation_target._place

    def flat(*how: Any) -> Place:
        place = at(*how)
        return replace(place, measures=dict(place.measures) | {"R": replace(place.measures["R"], value=0.0)})

    monkeypatch.setattr(reparametrisation_target, "_place", flat)
    with pytest.raises(UnsuitableError, match="R is 0 here"):
        _run(_mlp(nn.ReLU))


# --- what is caught


def _changed(**what: Any) -> Callable[..., Place]:
    """Places as they are, with something else in them."""
    make = reparametrisation_target._place

    def changed(here: Landscape, A: Tensor, a: float, run: Run) -> Place:
        place = make(here, A, a, run)
        return replace(place, **{name: value(place) for name, value in what.items()})

    return changed


def test_the_wrong_way_of_transforming_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reparametrisation_target, "_place", _changed(A=lambda place: 1 / place.A))
    failing = {check.what.partition(": ")[2] for check in _run(_mlp()).checks if check.verdict == "fails"}
    assert failing == {"|g′ − A⁻¹ g| / |A⁻¹ g|", "|H′W − A⁻¹ H A⁻¹ W|_F / |A⁻¹ H A⁻¹ W|_F"}


def test_coordinates_that_are_not_normalised_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Landscape, "normalised", lambda land, by: land)
    failing = [check.what for check in _run(_mlp(dtype=torch.float64)).checks if check.verdict == "fails"]
    assert failing
    assert all(what.startswith("normalised R (by filter) does not move") for what in failing)


def test_a_function_that_changes_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers that were found by their modules alone."""
    monkeypatch.setattr(reparametrisation_target, "rescalable", lambda land: pairs_of(land)[0])
    failing = {check.what.partition(": ")[2] for check in _run(_hooked()).checks if check.verdict == "fails"}
    assert {"relative change of f", "relative change of the outputs"} <= failing


def test_rounding_that_hides_all_leaves_it_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reparametrisation_target, "rounding", lambda land: 1.0)
    result = _run(_mlp())
    assert result.verdict == "undecided"
    assert any("cannot be told from their intervals" in note for note in result.notes)

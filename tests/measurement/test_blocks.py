"""The table of blocks: against dense matrices, the whole, tied weights, documents."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import egregium as eg
from egregium.errors import ArgumentError, BudgetError
from egregium.measurement.blocks import share_outside
from egregium.results import Estimate

DOUBLE = torch.float64


def closed_form(H: torch.Tensor, g: torch.Tensor) -> float:
    beta = 1 / (1 + g @ g)
    t, square, p, q = H.trace(), (H**2).sum(), g @ H @ g, (H @ g) @ (H @ g)
    return float(beta * (t**2 - square) + 2 * beta**2 * (q - t * p))


def network(weight_decay: Any = 0.0) -> eg.Landscape:
    """Three layers of n = 104, 72 and 45; 4 ragged batches; weights large enough that no gradient is small."""
    net = nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 5)).double()
    g = torch.Generator().manual_seed(0)
    data = [
        (torch.randn(k, 12, generator=g, dtype=DOUBLE), torch.randint(0, 5, (k,), generator=g)) for k in (7, 16, 3, 14)
    ]
    return eg.Landscape(net, nn.CrossEntropyLoss(), data, weight_decay=weight_decay).scaled(3.0)


def test_small_blocks_are_those_of_dense_autodiff(tanh_mlp: nn.Module, ragged: Any, mlp_reference: Any) -> None:
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged, weight_decay={"2.*": 0.1})
    decay = torch.tensor([0.0] * 16 + [0.1] * 15, dtype=DOUBLE)
    H = mlp_reference.hessian + torch.diag(decay)
    g = mlp_reference.gradient + decay * land.theta
    table = eg.blocks(land, by="tensor")
    start = inside = 0.0
    for (name, shape), (block_name, block) in zip(land.shapes.items(), table.blocks.items(), strict=True):
        at = slice(int(start), int(start) + shape.numel())
        start = at.stop
        part = H[at, at]
        assert (name, block.parameters, block.n) == (block_name, (name,), shape.numel())
        assert block.scalar_curvature.value == pytest.approx(closed_form(part, g[at]), rel=1e-9)
        assert block.critical.value == pytest.approx(float(part.trace() ** 2 - part.square().sum()), rel=1e-9)
        assert block.trace.value == pytest.approx(float(part.trace()), rel=1e-10)
        assert block.squared_frobenius.value == pytest.approx(float(part.square().sum()), rel=1e-10)
        assert block.gradient_norm == pytest.approx(float(g[at].norm()), rel=1e-10)
        assert block.scalar_curvature.exact
        inside += float(part.square().sum())
    assert table.off_blocks.value == pytest.approx(1 - inside / float(H.square().sum()), rel=1e-9)
    assert table.squared_frobenius.value == pytest.approx(float(H.square().sum()), rel=1e-10)
    assert table.converged
    assert any("weight decay" in row.name for row in table.setting)


@pytest.mark.parametrize("operator", ["hessian", "ggn"])
def test_sampled_blocks_meet_the_dense_matrix(operator: Any) -> None:
    """Every interval at 99.99 % holds the number of the dense matrix; 3 seeds, 8 sampled numbers each."""
    land = network(weight_decay=0.01)
    second = eg.hessian(land) if operator == "hessian" else eg.ggn(land)
    H, g = second @ torch.eye(land.n, dtype=DOUBLE), land.gradient()
    places = {"0": slice(0, 104), "2": slice(104, 176), "4": slice(176, 221)}
    parts = {name: H[at, at] for name, at in places.items()}
    share = 1 - sum(float(part.square().sum()) for part in parts.values()) / float(H.square().sum())
    for seed in range(3):
        table = eg.blocks(land, rtol=0.1, seed=seed, operator=operator)
        for name, block in table.blocks.items():
            part = parts[name]
            truths = (
                (block.scalar_curvature, closed_form(part, g[places[name]])),
                (block.critical, float(part.trace() ** 2 - part.square().sum())),
                (block.trace, float(part.trace())),
                (block.squared_frobenius, float(part.square().sum())),
            )
            for estimate, truth in truths:
                assert abs(estimate.value - truth) <= estimate.half_width(0.9999) + 1e-9 * abs(truth)
            half = block.scalar_curvature.half_width()
            assert half <= 0.1 * abs(block.scalar_curvature.value)
        assert abs(table.off_blocks.value - share) <= table.off_blocks.half_width(0.9999) + 1e-9
        assert [block.scalar_curvature.exact for block in table.blocks.values()][2]
    assert not table.blocks["0"].scalar_curvature.exact


@pytest.mark.parametrize("rtol", [0.3, 0.02])
def test_one_block_is_the_whole(rtol: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egregium.measurement.frame.trace_by_parts", lambda *_: None)  # blocks have no trace by parts
    land = network()
    table = eg.blocks(land, by={"all": "*"}, rtol=rtol, seed=3)
    alone = eg.measure(land, rtol=rtol, seed=3, extremes=False)
    block = table.blocks["all"]
    for ours, theirs in (
        (block.scalar_curvature, alone.scalar_curvature),
        (block.trace, alone.trace),
        (block.squared_frobenius, alone.squared_frobenius),
    ):
        assert ours.value == pytest.approx(theirs.value, rel=1e-10)
        assert ours.stderr == pytest.approx(theirs.stderr, rel=1e-8, abs=1e-13)
    assert (table.off_blocks.value, table.off_blocks.exact) == (0.0, True)
    assert eg.scalar_curvature(land, rtol=rtol, seed=3).value == pytest.approx(block.scalar_curvature.value, rel=1e-10)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.second(self.first(x).tanh()).tanh())


def test_tied_weights_are_one_block_with_all_their_uses(whole: Any, reference: Any) -> None:
    net = Tied().double()
    dense = reference(net, lambda forward: F.cross_entropy(forward(whole[0]), whole[1]))
    land = eg.Landscape(net, nn.CrossEntropyLoss(), whole)
    for by in ("tensor", {"first.weight": "second.weight"}):
        block = eg.blocks(land, by=by).blocks["first.weight"]  # type: ignore[arg-type]
        expected = closed_form(dense.hessian[:9, :9], dense.gradient[:9])
        assert block.scalar_curvature.value == pytest.approx(expected, rel=1e-9)


def test_the_point_the_model_and_the_probes_stay(untouched: Any) -> None:
    land = network()
    with untouched(land.model):
        first = eg.blocks(land, rtol=0.2, seed=1)
    again = eg.blocks(land, rtol=0.2, seed=1)
    elsewhere = eg.blocks(land.at(land.theta + 1), rtol=0.2)
    for name, block in first.blocks.items():
        assert block.scalar_curvature.value == again.blocks[name].scalar_curvature.value
        assert block.gradient_norm != elsewhere.blocks[name].gradient_norm


def test_the_budget_holds_and_is_said() -> None:
    land = network()
    table = eg.blocks(land, rtol=1e-6, budget=400)
    assert table.cost.gradients <= 400
    assert not table.converged
    late = table.blocks["0"].scalar_curvature
    assert "budget" in late.notes[0]
    assert late.half_width() > 0
    assert "not converged" in str(table)
    with pytest.raises(BudgetError):
        eg.blocks(land, budget=20)


def test_the_table_is_saved_and_printed(tmp_path: Path) -> None:
    table = eg.blocks(network(weight_decay=0.1), rtol=0.3)
    table.save(str(tmp_path / "t.json"))
    back = eg.load(tmp_path / "t.json")
    assert isinstance(back, eg.BlockTable)
    assert str(back) == str(table)
    assert torch.equal(back.blocks["0"].trace.samples, table.blocks["0"].trace.samples)
    assert back.environment == table.environment
    lines = str(table).splitlines()
    assert any(line.startswith("2 ") and str(table.blocks["2"].scalar_curvature) in line for line in lines)
    assert any(line.startswith("off the blocks") for line in lines)
    assert "<table>" in table._repr_html_()


def test_what_is_refused() -> None:
    land = network()
    with pytest.raises(ArgumentError, match="overlap"):
        eg.blocks(land, by={"a": "0.*", "b": "*.weight"})
    with pytest.raises(ArgumentError, match="needs a Landscape, got Linear"):
        eg.blocks(nn.Linear(2, 2))  # type: ignore[arg-type]


def test_a_share_has_the_error_of_a_quotient() -> None:
    """Against the spread of 20,000 simulated quotients; 3 % is four standard errors of that spread and bias."""
    parts = [Estimate(3.0, 0.03, degrees=15), Estimate(2.0, 0.04, degrees=20), Estimate(1.0, 0.0)]
    whole = Estimate(10.0, 0.1, degrees=30)
    share = share_outside(parts, whole)
    draws = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    inside = 6 + 0.03 * draws[:, 0] + 0.04 * draws[:, 1]
    simulated = 1 - inside / (10 + 0.1 * draws[:, 2])
    assert share.value == pytest.approx(0.4)
    assert share.stderr == pytest.approx(float(simulated.std()), rel=0.03)
    assert 30 < share.degrees < 65
    assert share_outside([Estimate(0.0, 0.0)], Estimate(0.0, 0.0)).value == 0.0


def test_a_share_carries_the_rounding_of_both() -> None:
    """d(1 - S/F) <= dS / F + S dF / F^2."""
    share = share_outside([Estimate(3.0, 0.0, rounding=0.2)], Estimate(4.0, 0.0, rounding=0.8))
    assert share.half_width() == pytest.approx(0.2 / 4 + 3 * 0.8 / 16)

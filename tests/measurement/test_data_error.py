"""What another sample of the data would change: against dense first-order jackknives and fresh samples of the data."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import egregium as eg
from egregium.curvature import shape_operator, tangent_frame
from egregium.errors import ArgumentError, BudgetError
from egregium.estimators import Room, exact_moments
from egregium.measurement.data_error import BOUND, Slope, batches_of
from egregium.results import Estimate
from egregium.results.document import save

DOUBLE = torch.float64
SIZES = [9, 4, 12, 7, 6, 10, 3, 8, 5, 11]


def numbers(H: Tensor, g: Tensor) -> Tensor:
    """R, tr H and |H|_F^2, differentiably."""
    beta = 1 / (1 + g @ g)
    t, square, p, q = H.trace(), (H**2).sum(), g @ H @ g, (H @ g) @ (H @ g)
    return torch.stack([beta * (t**2 - square) + 2 * beta**2 * (q - t * p), t, square])


def network(hidden: int, reduction: str = "mean") -> eg.Landscape:
    """tanh network on ten ragged batches, scaled so that no gradient is small; n = 7 hidden + 2."""
    net = nn.Sequential(nn.Linear(4, hidden), nn.Tanh(), nn.Linear(hidden, 2)).double()
    g = torch.Generator().manual_seed(0)
    data = [(torch.randn(k, 4, generator=g, dtype=DOUBLE), torch.randint(0, 2, (k,), generator=g)) for k in SIZES]
    return eg.Landscape(net, nn.CrossEntropyLoss(reduction=reduction), data, weight_decay={"0.*": 0.1}).scaled(2.0)


def dense_jackknife(land: eg.Landscape, operator: str = "hessian") -> Tensor:
    """Delete-one-batch standard errors of R, tr, |.|_F^2, to first order, from each batch's own dense matrices.

    Batch by batch as landscapes of their own; the derivative along (H_b - H, g_b - g) by autodiff; each batch's
    delete-one value is to first order (its own minus the whole's) / (h_b - 1).
    """
    second = {"hessian": eg.hessian, "ggn": eg.ggn}[operator]
    eye = torch.eye(land.n, dtype=DOUBLE)
    H, g = second(land) @ eye, land.gradient()
    total, is_mean, found = sum(SIZES), land.is_mean, []
    reduction = "mean" if is_mean else "sum"
    for (x, y), size in zip(land.data, SIZES, strict=True):
        own = eg.Landscape(land.model, nn.CrossEntropyLoss(reduction=reduction), (x, y)).scaled(2.0)
        bare = eg.Landscape(land.model, nn.CrossEntropyLoss(reduction=reduction), land.data).scaled(2.0)
        many = 1.0 if is_mean else total / size
        dH, dg = many * (second(own) @ eye) - second(bare) @ eye, many * own.gradient() - bare.gradient()
        _, moved = torch.func.jvp(numbers, (H, g), (dH, dg))
        found.append(moved**2 / (total / size - 1))
    return torch.stack(found).mean(0).sqrt()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("operator", ["hessian", "ggn"])
def test_small_matrices_are_exactly_the_dense_jackknife(operator: Any, reduction: str) -> None:
    land = network(4, reduction)
    expected = dense_jackknife(land, operator)
    found = [
        call(land, operator=operator, data_error=True) for call in (eg.scalar_curvature, eg.trace, eg.squared_frobenius)
    ]
    for e, wanted in zip(found, expected, strict=True):
        assert e.exact
        assert e.data_stderr == pytest.approx(float(wanted), rel=1e-8)
    assert eg.scalar_curvature(land, operator=operator).data_stderr is None


def test_the_scale_of_the_call_counts() -> None:
    land = network(4)
    scaled = eg.scalar_curvature(land.scaled(3.0), data_error=True)
    assert eg.scalar_curvature(land, scale=3.0, data_error=True).data_stderr == pytest.approx(scaled.data_stderr)


@pytest.mark.slow
def test_sampled_squares_are_unbiased() -> None:
    """40 seeds: the mean variance is the dense one within four standard errors, and the plain one is above."""
    land = network(8).fixed()
    assert land.n == 58
    frame = tangent_frame(land)
    moments, _ = exact_moments(shape_operator(land, frame=frame))
    batches = batches_of(eg.hessian(land))
    assert moments is not None
    slopes = (batches.of_curvature(frame, moments), Slope(1.0, 0.0))
    for slope, wanted in zip(slopes, dense_jackknife(land)[:2] ** 2, strict=True):
        found = torch.tensor([batches.variance(slope, seed, Room()) for seed in range(40)], dtype=DOUBLE)
        stderr = found.std(0) / math.sqrt(40)
        assert abs(found[:, 0].mean() - wanted) <= 4 * stderr[0]
        assert (found[:, 1] > found[:, 0]).all()
    assert found[:, 1].mean() - wanted > 4 * stderr[1]  # of the trace, whose probes are the noisiest


def test_probe_noise_without_any_spread_of_the_data_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal batches: no spread at all, and nothing is made up."""
    x, y = torch.randn(6, 4, dtype=DOUBLE), torch.randint(0, 2, (6,))
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    land = eg.Landscape(net, nn.CrossEntropyLoss(), [(x, y)] * 12)
    e = eg.scalar_curvature(land, rtol=0.5, data_error=True)
    assert e.data_stderr == pytest.approx(0.0, abs=1e-12)
    noisy = eg.trace(network(8), method="exact", data_error=True)
    monkeypatch.setattr("egregium.measurement.data_error.LEAST_SHARE", 2.0)
    bound = eg.trace(network(8), method="exact", data_error=True)
    assert BOUND in bound.notes
    assert (bound.data_stderr or 0) > (noisy.data_stderr or math.inf)


def logistic(n: int, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """A sample of the data: Gaussian inputs of falling size, labels from a known logistic model."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(count, n, generator=g, dtype=DOUBLE) * torch.linspace(2, 0.2, n, dtype=DOUBLE)
    return x, (torch.rand(count, generator=g, dtype=DOUBLE) < torch.sigmoid(x[:, 0] - x[:, 1])).to(DOUBLE)


@pytest.mark.slow
def test_fresh_samples_of_the_data_spread_as_much_as_is_said() -> None:
    """4,000 data sets, R of each from X^T S X / N; the mean of data_stderr^2 of 60 more against their variance.

    Bound: four standard errors of the difference, both from their own spread, and 8 % for what first order leaves out
    (the second-order term of the variance is of the order of n / N = 0.02 of R each).
    """
    n, sizes = 12, [40, 20, 60, 40, 30, 50] * 2
    w = torch.randn(n, generator=torch.Generator().manual_seed(1), dtype=DOUBLE) * 0.7

    def dense(x: Tensor, y: Tensor) -> Tensor:
        s = torch.sigmoid(x @ w)
        return numbers(2 * (x.T * (s * (1 - s))) @ x / len(x), 2 * x.T @ (s - y) / len(x))

    truth = torch.stack([dense(*logistic(n, sum(sizes), seed)) for seed in range(4000)])
    net = nn.Linear(n, 1, bias=False).double()
    net.weight.data = w.view(1, -1)
    said = []
    for seed in range(60):
        x, y = logistic(n, sum(sizes), 10_000 + seed)
        batches = list(zip(x.split(sizes), y.view(-1, 1).split(sizes), strict=True))
        land = eg.Landscape(net, F.binary_cross_entropy_with_logits, batches)
        said.append([call(land.scaled(2.0), data_error=True).data_stderr for call in (eg.scalar_curvature, eg.trace)])
    squares = torch.tensor(said, dtype=DOUBLE) ** 2
    centred = (truth[:, :2] - truth[:, :2].mean(0)) ** 2
    spread = (squares.var(0) / 60 + centred.var(0) / 4000).sqrt()
    assert ((squares.mean(0) - centred.mean(0)).abs() <= 4 * spread + 0.08 * centred.mean(0)).all()


def test_what_is_refused() -> None:
    land = network(4)
    few = eg.Landscape(land.model, nn.CrossEntropyLoss(), land.data[:9])
    for call in (eg.scalar_curvature, eg.trace, eg.squared_frobenius):
        with pytest.raises(ArgumentError, match=r"at least 10 batches .* got 9\. Make smaller batches"):
            call(few, data_error=True)
    with pytest.raises(ArgumentError, match="data_error=True needs a Landscape"):
        eg.trace(torch.eye(3), data_error=True)
    ignored = [(x, torch.full_like(y, -100)) if i == 2 else (x, y) for i, (x, y) in enumerate(land.data)]
    with pytest.raises(ArgumentError, match="got 9"):  # a batch without terms can not be left out
        eg.trace(eg.Landscape(land.model, nn.CrossEntropyLoss(), ignored), data_error=True)


def test_the_cost_is_counted_and_within_the_budget() -> None:
    land = network(8)
    plain = eg.scalar_curvature(land, method="exact")
    e = eg.scalar_curvature(land, method="exact", data_error=True)
    price = batches_of(eg.hessian(land)).price(16, gradient=True)
    assert e.cost.gradients - plain.cost.gradients == pytest.approx(price.gradients)
    assert price.gradients == 1 + 2 * (2 * 33) + 3 * 3 + 1
    assert (e.value, e.stderr) == (plain.value, plain.stderr)
    with pytest.raises(BudgetError):
        eg.scalar_curvature(land, method="exact", budget=plain.cost.gradients + 10, data_error=True)


def test_products_that_are_done_are_the_products_that_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    land, taken = network(8), []
    real = eg.hessian(land).__class__.batch_products

    def counted(self: Any, batch: Any, parameters: Any, vectors: Any) -> Any:
        vectors = list(vectors)
        taken.append(len(vectors))
        return real(self, batch, parameters, iter(vectors))

    monkeypatch.setattr(eg.hessian(land).__class__, "batch_products", counted)
    e = eg.scalar_curvature(land, method="exact", data_error=True)
    assert sum(taken) == 10 * e.cost.hvps


def test_it_is_printed_and_saved(tmp_path: Path) -> None:
    e = eg.scalar_curvature(network(4), data_error=True)
    assert str(e).endswith(f"(exact), data stderr {e.data_stderr:.2g}")
    save(e, tmp_path / "e.json")
    assert eg.load(tmp_path / "e.json").data_stderr == e.data_stderr
    document = json.loads((tmp_path / "e.json").read_text())
    del document["result"]["data_stderr"]  # as an older egregium wrote it
    (tmp_path / "old.json").write_text(json.dumps(document))
    old = eg.load(tmp_path / "old.json")
    assert isinstance(old, Estimate)
    assert (old.value, old.data_stderr) == (e.value, None)
    assert "data stderr" not in str(old)


def test_the_model_stays(untouched: Any) -> None:
    land = network(4)
    with untouched(land.model):
        eg.scalar_curvature(land, data_error=True)


def test_measure_gives_the_same_error_over_the_data() -> None:
    land = network(4)
    alone, whole = (call(land, rtol=0.1, seed=2, data_error=True) for call in (eg.scalar_curvature, eg.measure))
    assert whole.scalar_curvature.value == alone.value
    assert whole.scalar_curvature.data_stderr == pytest.approx(alone.data_stderr)
    assert eg.measure(land, rtol=0.1, seed=2).scalar_curvature.data_stderr is None
    assert whole.cost.gradients >= alone.cost.gradients

"""The Gauss-Newton matrix by its dual: against the dense matrix, what it holds in memory, and what it refuses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import egregium as eg
from egregium.autodiff import PeakAllocation
from egregium.errors import ArgumentError, BudgetError, LossError, OutOfMemoryError
from egregium.layerwise import dual as dual_module
from egregium.layerwise import factor, grams, size_of_factor, structure
from egregium.measurement import dual as planning
from egregium.measurement.dual import dual

DOUBLE = torch.float64


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))


def vectors(*sizes: int, inputs: int = 5, classes: int = 3) -> list[tuple[Tensor, Tensor]]:
    return [(torch.randn(n, inputs, dtype=DOUBLE), torch.randint(0, classes, (n,))) for n in sizes]


def with_targets(batches: list[tuple[Tensor, Tensor]], make: Callable[[Tensor], Tensor]) -> list[tuple[Tensor, Tensor]]:
    return [(x, make(y)) for x, y in batches]


def ignored(y: Tensor) -> Tensor:
    return y.masked_fill(torch.arange(len(y)) % 3 == 1, -100)


def cnn() -> nn.Module:
    """Positions more and fewer than inputs, groups, strides, circular padding."""
    model = nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular"), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.Conv2d(4, 6, 3, stride=3, groups=2), nn.GroupNorm(3, 6), nn.PReLU(6), nn.Flatten(), nn.Linear(24, 3)),
    )
    model[1].running_mean.normal_()
    model[1].running_var.uniform_(0.5, 2)
    return model


class Sequence(nn.Module):
    """Dense layers at several positions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(5, 6), nn.RMSNorm(6), nn.Linear(6, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.norm(torch.tanh(self.first(x))).mean(1))


class Words(nn.Module):
    """An embedding with padding, whose samples choose rows more than once; a layer norm; a slice of a larger tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.norm = nn.Embedding(9, 4, padding_idx=0), nn.LayerNorm(4)
        self.mix, self.out = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.table(x))
        return self.out(torch.tanh(self.mix(h))[:, 0] + h.mean(1))


def bent(z: Tensor, y: Tensor) -> Tensor:
    """Its second derivative in the outputs has both signs."""
    return F.cross_entropy(z, y) + torch.sin(3 * z).sum(1).mean()


def images(*sizes: int) -> list[tuple[Tensor, Tensor]]:
    return [(torch.randn(n, 2, 6, 6, dtype=DOUBLE), torch.randint(0, 3, (n,))) for n in sizes]


def sentences(*sizes: int) -> list[tuple[Tensor, Tensor]]:
    return [(torch.randint(0, 9, (n, 4)), torch.randint(0, 3, (n,))) for n in sizes]


def positions(*sizes: int) -> list[tuple[Tensor, Tensor]]:
    """As many positions as inputs and fewer, by batch."""
    return [(torch.randn(n, 3 + 4 * (n % 2), 5, dtype=DOUBLE), torch.randint(0, 3, (n,))) for n in sizes]


Case = tuple[Callable[[], nn.Module], Any, Callable[[], Any], dict[str, Any]]
CASES: dict[str, Case] = {
    "MLP": (mlp, nn.CrossEntropyLoss(), lambda: vectors(11), {}),
    "more rows than parameters": (
        lambda: nn.Linear(5, 2),
        nn.MSELoss(),
        lambda: [(torch.randn(30, 5).double(), torch.randn(30, 2).double())],
        {},
    ),
    "CNN": (cnn, nn.CrossEntropyLoss(), lambda: images(5, 3), {}),
    "several positions": (Sequence, nn.CrossEntropyLoss(), lambda: positions(4, 3, 5), {}),
    "words": (Words, nn.CrossEntropyLoss(), lambda: sentences(6, 5), {}),
    "class weights": (
        mlp,
        nn.CrossEntropyLoss(weight=torch.tensor([0.2, 1.0, 3.0], dtype=DOUBLE)),
        lambda: vectors(7, 4),
        {},
    ),
    "ignored": (mlp, nn.CrossEntropyLoss(), lambda: with_targets(vectors(7, 4, 1), ignored), {}),
    "a batch ignored": (
        mlp,
        nn.CrossEntropyLoss(),
        lambda: with_targets(vectors(1), lambda y: y * 0 - 100) + vectors(6),
        {},
    ),
    "smoothed": (mlp, nn.CrossEntropyLoss(label_smoothing=0.2), lambda: vectors(7, 4), {}),
    "sum": (mlp, nn.CrossEntropyLoss(reduction="sum"), lambda: vectors(7, 4), {}),
    "MSE": (mlp, nn.MSELoss(), lambda: with_targets(vectors(7, 4), lambda y: torch.randn(len(y), 3, dtype=DOUBLE)), {}),
    "BCE": (
        mlp,
        nn.BCEWithLogitsLoss(),
        lambda: with_targets(vectors(7, 4), lambda y: torch.rand(len(y), 3, dtype=DOUBLE)),
        {},
    ),
    "indefinite": (mlp, bent, lambda: vectors(7, 4), {"terms": "samples"}),
    "negative": (mlp, lambda z, y: -F.cross_entropy(z, y), lambda: vectors(7, 4), {"terms": "samples"}),
    "unequal batches": (mlp, nn.CrossEntropyLoss(), lambda: vectors(1, 13, 6, 2), {}),
    "weight decay": (mlp, nn.CrossEntropyLoss(), lambda: vectors(7, 4), {"weight_decay": 0.03}),
    "indefinite, weight decay": (mlp, bent, lambda: vectors(7, 4), {"terms": "samples", "weight_decay": 0.03}),
    "part": (mlp, nn.CrossEntropyLoss(), lambda: vectors(7, 4), {"params": "2.*"}),
}


def landscape(name: str) -> eg.Landscape:
    model, loss, data, options = CASES[name]
    return eg.Landscape(model().double(), loss, data(), **options)


def dense(land: eg.Landscape) -> Tensor:
    return eg.ggn(land) @ torch.eye(land.n, dtype=DOUBLE)


@pytest.mark.parametrize("rows", [512, 4])
@pytest.mark.parametrize("name", CASES)
def test_equal_to_the_dense_matrix(name: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dual_module, "ROWS", rows)
    monkeypatch.setattr(grams, "SLICE", 2**24 if rows > 4 else 1)
    for scale in (1.0, 0.7):
        land = landscape(name).scaled(scale)
        G = dense(land)
        expected = torch.linalg.eigvalsh(G)
        found = eg.dual_spectrum(land)
        rest = torch.full((land.n - found.eigenvalues.numel(),), found.rest, dtype=DOUBLE)
        size = float(expected.abs().max())
        everything = torch.cat([found.eigenvalues, rest]).sort().values
        torch.testing.assert_close(everything, expected, rtol=0, atol=1e-10 * size)
        assert bool((found.eigenvalues.diff() <= 0).all())
        assert found.trace == pytest.approx(float(G.trace()), rel=1e-10)
        assert found.squared_frobenius == pytest.approx(float(G.square().sum()), rel=1e-10)
        assert found.nuclear_norm == pytest.approx(float(expected.abs().sum()), rel=1e-10)
        assert found.n == land.n
        if not CASES[name][3].get("weight_decay"):
            assert found.rank == int((expected.abs() > 1e-13 * size).sum())
        assert eg.trace(land, operator="ggn", method="dual").value == pytest.approx(found.trace, rel=1e-10)
        square = eg.squared_frobenius(land, operator="ggn", method="dual")
        assert square.exact
        assert square.value == pytest.approx(found.squared_frobenius, rel=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_scalar_curvature(name: str) -> None:
    land = landscape(name)
    G, g = dense(land.scaled(3.0)), land.scaled(3.0).gradient()
    beta, t = 1 / (1 + float(g @ g)), float(G.trace())
    Gg = G @ g
    R = beta * (t**2 - float(G.square().sum())) + 2 * beta**2 * (float(Gg @ Gg) - t * float(g @ Gg))
    e = eg.scalar_curvature(land, operator="ggn", method="dual", scale=3.0)
    assert e.exact
    assert e.converged
    assert e.value == pytest.approx(R, rel=1e-10)
    assert "dual" in e.method
    m = eg.measure(land, operator="ggn", method="dual", scale=3.0, extremes=False)
    assert m.scalar_curvature.value == e.value
    assert m.trace.value == pytest.approx(t, rel=1e-10)
    assert m.frobenius_norm.value == pytest.approx(float(G.norm()), rel=1e-10)
    assert sum(term.value for term in m.terms.values()) == pytest.approx(R, rel=1e-9)


def test_indefinite_is_indefinite() -> None:
    values = eg.dual_spectrum(landscape("indefinite")).eigenvalues
    assert float(values[-1]) < -0.1 * float(values[0])


def outer(outputs: int, positions: int, bias: float, scale: Tensor | None) -> grams.Outer:
    a, e = torch.randn(3, 2, positions, 8).double(), torch.randn(2, 3, 2, positions, outputs).double()
    return grams.Outer(a, e, bias, scale)


@pytest.mark.parametrize("bias", [0.0, 1.0, 0.7])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_cheaper_way_is_taken(bias: float, scaled: bool) -> None:
    """Products of positions where they are few, gradients where they are small; the same numbers either way."""
    for outputs, positions, by_pairs in ((40, 2, True), (2, 6, False)):
        scale = torch.rand(2, 1, outputs).double() if scaled else None
        one, other = (outer(outputs, positions, bias, scale) for _ in range(2))
        assert one._by_pairs(other) is by_pairs
        torch.testing.assert_close(one._of_pairs(other), grams.Written.gram(one, other))
    small = nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(60, 2)).double()
    land = eg.Landscape(small, nn.CrossEntropyLoss(), (torch.randn(4, 1, 32).double(), torch.tensor([0, 1, 1, 0])))
    layers = factor(land, structure(land), 1e9).pieces[0].layers
    assert [type(kept) for kept in layers.values()] == [grams.Small, grams.Outer]


def test_single_precision() -> None:
    land = landscape("CNN")
    expected, found = eg.dual_spectrum(land), eg.dual_spectrum(land.to(dtype=torch.float32))
    assert found.trace == pytest.approx(expected.trace, rel=1e-5)
    assert found.eigenvalues.dtype == DOUBLE
    assert found.rank == expected.rank
    R, single = (
        eg.scalar_curvature(which, operator="ggn", method="dual") for which in (land, land.to(dtype=torch.float32))
    )
    assert abs(single.value - R.value) <= single.half_width()


def test_steep() -> None:
    """Where g is large much cancels between the moments of G: what is lost is in the interval. G of rank one: R = 0."""
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 1)).double()
    for scale in (1.0, 30.0, 1e3, 1e5):
        land = eg.Landscape(model, nn.MSELoss(), (torch.randn(1, 5).double(), torch.ones(1, 1).double())).scaled(scale)
        e = eg.scalar_curvature(land, operator="ggn", method="dual")
        assert abs(e.value) <= e.half_width()


def wide() -> eg.Landscape:
    """64 rows of n = 2.1 million: 1.07 GB in all, were they written out."""
    model = nn.Sequential(nn.Linear(1024, 2040), nn.Tanh(), nn.Linear(2040, 2)).double()
    return eg.Landscape(model, nn.MSELoss(), [(torch.randn(8, 1024).double(), torch.randn(8, 2).double())] * 4)


def test_the_gradients_of_samples_are_never_written_out() -> None:
    land = wide()
    rows = 8 * 64 * land.n
    assert rows > 1e9
    with PeakAllocation() as counted:
        land.means(lambda batch, parameters: ((), 1.0))  # leaves at the point, and nothing else
    of_point = counted.peak
    with PeakAllocation() as counted:
        found = eg.dual_spectrum(land)
    assert counted.peak < of_point + 0.15 * rows
    assert found.trace == pytest.approx(eg.trace(land, operator="ggn", method="dual").value, rel=1e-12)


@pytest.mark.parametrize("name", ["MLP", "CNN", "several positions", "words"])
def test_memory_is_predicted(name: str) -> None:
    land = landscape(name).fixed()
    size, pieces = size_of_factor(land, structure(land)), factor(land, structure(land), 1e9).pieces
    kept = sum(piece.size for piece in pieces)
    assert size.rows == sum(piece.signs.numel() for piece in pieces)
    assert kept == pytest.approx(size.kept, rel=0.35)  # batches of other lengths
    plan = dual(land, "ggn", "1GiB")
    assert plan.most > 0.8 * 2**30
    bound = 0.9 * 2**30 - plan.most + plan.size.kept
    with PeakAllocation() as counted:
        eg.squared_frobenius(land, operator="ggn", method="dual")
    assert counted.peak < bound


def test_what_does_not_fit_is_refused_before_it_runs() -> None:
    model = nn.Sequential(nn.Linear(5, 3), nn.Tanh(), nn.Linear(3, 3)).double()
    land = eg.Landscape(model, nn.CrossEntropyLoss(), vectors(20_000, 20_000))
    calls: list[int] = []
    model.register_forward_hook(lambda module, args, output: calls.append(len(output)) if len(output) > 8 else None)
    with pytest.raises(
        OutOfMemoryError, match=r'about .* matrix of all pairs; memory allows 400.* method="stochastic"'
    ):
        eg.dual_spectrum(land, memory="400MiB")
    assert eg.trace(landscape("MLP"), operator="ggn", method="dual", memory="200MiB").exact
    assert len(calls) <= 6  # the loss is compared with itself, and a graph is counted
    plan = dual(land, "ggn", "1GiB")
    need = 2**30 - (plan.most - plan.size.kept) / 0.9
    assert eg.trace(land, operator="ggn", method="exact", memory=int(0.95 * need)).exact  # n = 30
    with pytest.raises(OutOfMemoryError, match=r"output gradients of the layers \(80,000 rows, 2 for"):
        eg.trace(land, operator="ggn", method="dual", memory=int(0.95 * need))
    with pytest.raises(OutOfMemoryError, match="batches 0 to 0 take"):
        factor(land, structure(land), 1000)


def test_more_rows_than_expected_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss may be flat for the first samples, as a Huber loss is."""
    land = eg.Landscape(mlp().double(), nn.MSELoss(), (torch.randn(400, 5).double(), torch.randn(400, 3).double()))
    monkeypatch.setattr(planning, "size_of_factor", lambda *of: replace(size_of_factor(*of), width=1))
    with pytest.raises(OutOfMemoryError, match="met 1,200 rows, where 400 were"):
        eg.dual_spectrum(land, memory="25MiB")


def hessian_refusal() -> None:
    eg.scalar_curvature(landscape("MLP"), method="dual")


def relu_refusal() -> None:
    """tr D = 0, but D is not."""
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)).double()
    eg.trace(eg.Landscape(model, nn.CrossEntropyLoss(), vectors(9)), method="dual")


def penalty_refusal() -> None:
    model = nn.Linear(5, 3).double()
    loss = lambda z, y: F.cross_entropy(z, y) + sum(p.square().sum() for p in model.parameters())
    eg.trace(eg.Landscape(model, loss, vectors(9), terms="samples"), method="dual")


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.gain = nn.Linear(5, 3), nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * self.dense(x)


def uncovered() -> eg.Landscape:
    return eg.Landscape(Scaled().double(), nn.CrossEntropyLoss(), vectors(9))


def tied_refusal() -> None:
    model = mlp()
    model[0] = nn.Linear(5, 5)
    model[2] = model[0]
    eg.dual_spectrum(eg.Landscape(model.double(), nn.CrossEntropyLoss(), vectors(9)))


def two_decays_refusal() -> None:
    eg.dual_spectrum(eg.Landscape(mlp().double(), nn.CrossEntropyLoss(), vectors(9), weight_decay={"0.*": 0.1}))


def batch_loss_refusal() -> None:
    loss = lambda model, batch: (F.cross_entropy(model(batch[0]), batch[1], reduction="sum"), len(batch[0]))
    eg.dual_spectrum(eg.Landscape(mlp().double(), batch_loss=loss, data=vectors(9)))


class Turning(nn.Module):
    """Takes another way where a batch has many samples."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(x) if len(x) < 10 else self.dense(x) + 0.1 * F.linear(x, self.dense.weight)


def turning_refusal() -> None:
    eg.dual_spectrum(eg.Landscape(Turning().double(), nn.CrossEntropyLoss(), vectors(9, 11)))


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (hessian_refusal, ArgumentError, ('operator="ggn"', "not zero", "stochastic")),
        (relu_refusal, ArgumentError, ('operator="ggn"', "not zero")),
        (penalty_refusal, ArgumentError, ('operator="ggn"',)),
        (lambda: eg.dual_spectrum(uncovered()), ArgumentError, ("in gain are not", "params=", "stochastic")),
        (lambda: eg.measure(uncovered(), operator="ggn", method="dual"), ArgumentError, ("in gain are not",)),
        (tied_refusal, ArgumentError, ("0.weight, 0.bias", "used once")),
        (two_decays_refusal, ArgumentError, ("from 0 to 0.1", "one number")),
        (batch_loss_refusal, ArgumentError, ("Landscape(model, loss, data)", "stochastic")),
        (turning_refusal, LossError, ("batch 1", "dense.weight", "another way")),
        (lambda: eg.trace(torch.eye(3), method="dual"), ArgumentError, ("got an operator", "exact")),
        (lambda: eg.dual_spectrum(torch.eye(3)), ArgumentError, ("needs a Landscape",)),
        (
            lambda: eg.trace(landscape("MLP"), operator="ggn", method="dual", budget=2),
            BudgetError,
            ("needs about", "Raise budget="),
        ),
        (
            lambda: eg.trace(landscape("MLP"), operator="ggn", method="dual", progress=lambda p: p.fraction < 0.5),
            BudgetError,
            ("ended before its last block", "stochastic"),
        ),
    ],
)
def test_refusals(call: Callable[[], Any], error: type[Exception], said: tuple[str, ...]) -> None:
    with pytest.raises(error) as caught:
        call()
    for words in said:
        assert words in str(caught.value)


def test_the_hessian_where_the_outputs_are_affine() -> None:
    """One dense layer, the other frozen: H = G."""
    model = mlp().double()
    model[0].requires_grad_(False)
    land = eg.Landscape(model, nn.CrossEntropyLoss(), vectors(9, 4))
    for f in (eg.trace, eg.squared_frobenius, eg.scalar_curvature):
        assert f(land, method="dual").value == pytest.approx(f(land, method="exact").value, rel=1e-10)


def test_nothing_is_left_behind(untouched: Callable[..., Any]) -> None:
    land = landscape("CNN")
    with untouched(land.model, *(x for x, _ in land.data)):
        eg.dual_spectrum(land)
        eg.scalar_curvature(land, operator="ggn", method="dual")

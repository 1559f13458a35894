"""Normalised coordinates: D g and D H D against dense autodiff, and R that rescaled networks share."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from zoo import ROWS
from zoo.parameters import Tied
from zoo.row import DOUBLE, TOKENS, Row
from zoo.row import ragged as cut

import egregium as eg
from egregium.errors import ArgumentError
from egregium.operators import dense_matrix

CE = nn.CrossEntropyLoss()
BYS = ("filter", "tensor", "element")
every_way = pytest.mark.parametrize("by", BYS)


def close(found: Any, expected: Any, rtol: float = 1e-11) -> None:
    found, expected = (torch.as_tensor(x, dtype=DOUBLE) for x in (found, expected))
    torch.testing.assert_close(found, expected, rtol=rtol, atol=rtol * float(expected.abs().max()))


def curvature(g: Tensor, H: Tensor) -> float:
    """R of the graph by its definition: shape operator (I + g g^T)^-1 H / sqrt(1 + |g|^2)."""
    S = torch.linalg.solve(torch.eye(len(g), dtype=DOUBLE) + torch.outer(g, g), H) / (1 + g @ g).sqrt()
    return float(S.trace() ** 2 - (S @ S).trace())


def norms_by_hand(model: nn.Module, by: str) -> Tensor:
    """D for models whose matrices and kernels have their filters along the first dimension."""
    found = []
    for p in (p.detach() for p in model.parameters()):
        if by == "element":
            D = p.abs()
        elif by == "filter" and p.ndim > 1:
            D = torch.stack([row.norm() * torch.ones_like(row) for row in p])
        else:
            D = p.norm() * torch.ones_like(p)
        found.append(D.reshape(-1))
    return torch.cat(found)


# --- closed forms


def symmetric(n: int, seed: int) -> Tensor:
    A = torch.randn(n, n, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))
    return A + A.T


def quadratic(A: Tensor, centre: Tensor, p: Tensor) -> eg.Landscape:
    return eg.Landscape.from_function(lambda x: (x - centre) @ A @ (x - centre) / 2, p)


@every_way
@pytest.mark.parametrize("seed", range(5))
def test_a_quadratic_form(by: str, seed: int) -> None:
    """f = (x - c)^T A (x - c) / 2 at p; a vector is one block, whose norm is |p|."""
    A = symmetric(5, seed)
    c, p = torch.randn(2, 5, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed + 100))
    D = p.abs() if by == "element" else p.norm().expand(5)
    DAD = D.unsqueeze(1) * A * D
    critical = quadratic(A, p, p).normalised(by)
    close(eg.scalar_curvature(critical).value, DAD.trace() ** 2 - DAD.square().sum())
    land = quadratic(A, c, p).normalised(by)
    g = D * (A @ (p - c))
    assert land.value() == pytest.approx(float((p - c) @ A @ (p - c) / 2), rel=1e-13)
    close(land.norms, D)
    close(land.theta, p / D)
    close(land.gradient(), g)
    close(dense_matrix(eg.hessian(land)), DAD)
    beta, t, H = 1 / (1 + g @ g), DAD.trace(), DAD
    R = beta * (t**2 - (H @ H).trace()) + 2 * beta**2 * (g @ H @ H @ g - t * (g @ H @ g))
    close(eg.scalar_curvature(land).value, R, 1e-10)
    close(eg.scalar_curvature(land.scaled(3.0)).value, curvature(3 * g, 3 * DAD), 1e-10)
    close(dense_matrix(eg.shape_operator(land)).trace(), eg.measure(land).mean_curvature.value * 5, 1e-10)


def test_a_block_that_is_zero_is_not_seen() -> None:
    land = eg.Landscape.from_function(lambda x: (x - 1) @ (x - 1), torch.tensor([2.0, 0.0, 0.0], dtype=DOUBLE))
    seen = land.normalised("element")
    close(dense_matrix(eg.hessian(seen)), torch.diag(torch.tensor([8.0, 0.0, 0.0], dtype=DOUBLE)))
    assert seen.value() == land.value()
    (row,) = (row for row in seen.setting if row.name == "parameters not seen")
    assert row.value == "2"
    assert any("parameters not seen: 2 " in note for note in eg.scalar_curvature(seen).notes)
    assert row in eg.measure(seen).rows()
    assert not any(row.name == "parameters not seen" for row in land.normalised().setting)
    assert land.setting == ()


# --- networks, against dense autodiff


def relu_mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))


def cnn() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 2), nn.ReLU(), nn.Conv2d(4, 4, 2, groups=2), nn.BatchNorm2d(4), nn.Tanh()),
        *(nn.Flatten(), nn.Linear(4, 3)),
    )


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "relu": (relu_mlp, (3,)),
    "tanh": (lambda: nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 3)), (3,)),
    "cnn": (cnn, (1, 3, 3)),
}


def made(name: str, seed: int = 0) -> tuple[nn.Module, list[tuple[Tensor, Tensor]]]:
    torch.manual_seed(seed)
    model = NETWORKS[name][0]().to(DOUBLE)
    return model, [(torch.randn(n, *NETWORKS[name][1], dtype=DOUBLE), torch.randint(0, 3, (n,))) for n in (17, 12)]


@every_way
@pytest.mark.parametrize("name", NETWORKS)
def test_all_routes_give_what_dense_matrices_give(by: str, name: str, reference: Any, untouched: Any) -> None:
    """The exact and the sampled R, tr H and tr G of traces by parts, and |G|_F^2 by its dual."""
    model, data = made(name)
    x, y = (torch.cat(parts) for parts in zip(*data, strict=True))
    known = reference(model, lambda forward: F.cross_entropy(forward(x), y))
    D = norms_by_hand(model, by)
    g, H = D * known.gradient, D.unsqueeze(1) * known.hessian * D
    plain = eg.Landscape(model, CE, data)
    G = D.unsqueeze(1) * dense_matrix(eg.ggn(plain)) * D
    with untouched(model, *(part for batch in data for part in batch)):
        land = plain.normalised(by)
        close(land.norms, D)
        close(land.value(), known.value)
        value, gradient = land.value_and_gradient()
        close(value, known.value)
        close(gradient, g)
        for operator, matrix in (("hessian", H), ("ggn", G)):
            A = (eg.hessian if operator == "hessian" else eg.ggn)(land)
            close(dense_matrix(A), matrix, 1e-10)
            truth = curvature(g, matrix)
            assert eg.scalar_curvature(land, operator=operator, method="exact").value == pytest.approx(truth, rel=1e-9)
            for method, seed in (("auto", 0), ("stochastic", 0), ("stochastic", 1), ("stochastic", 2)):
                e = eg.scalar_curvature(land, operator=operator, method=method, rtol=0.2, seed=seed)
                assert abs(e.value - truth) <= 3 * e.half_width() + 1e-9 * abs(truth)
            t = eg.trace(land, operator=operator, rtol=0.1)
            assert abs(t.value - float(matrix.trace())) <= 3 * t.half_width() + 1e-9 * float(G.trace())
        if by != "element":
            square = eg.squared_frobenius(land, operator="ggn", method="dual")
            assert square.value == pytest.approx(float(G.square().sum()), rel=1e-9)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.filterwarnings("ignore:.*torch.nn.utils.(weight_norm|spectral_norm):FutureWarning")
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_any_model(row: Row, untouched: Any) -> None:
    """What is in the model's place is no leaf there: tied, compiled, checkpointed, recurrent models do not mind."""
    with row.around():
        model = row.model().to(DOUBLE)
        plain = eg.Landscape(model, data=row.data, **row.what())
        v, rtol = torch.randn(plain.n, dtype=DOUBLE), max(1e-9, 100 * row.rtol)
        with untouched(model):
            land = plain.normalised()
            D = land.norms
            close(land.value(), plain.value(), rtol)
            close(land.gradient(), D * plain.gradient(), rtol)
            close(eg.hessian(land) @ v, D * (eg.hessian(plain) @ (D * v)), rtol)
            if row.batch_loss is None:
                close(eg.ggn(land) @ v, D * (eg.ggn(plain) @ (D * v)), rtol)


def test_blocks_of_other_layers() -> None:
    """Transposed convolutions have their filters along the second dimension; norms have none, whatever their shape."""
    model = nn.Sequential(nn.ConvTranspose2d(3, 5, 2), nn.LayerNorm([5, 4, 4]))
    land = eg.Landscape(model, nn.MSELoss(), (torch.ones(1, 3, 3, 3), torch.ones(1, 5, 4, 4))).normalised()
    D, w = land.unflatten(land.norms), model[0].weight.detach()
    torch.testing.assert_close(D["0.weight"][1, :, 0, 1], w.transpose(0, 1).flatten(1).norm(dim=1))
    assert float(D["1.weight"].unique()) == pytest.approx(80**0.5)
    assert float(D["0.bias"].unique()) == pytest.approx(float(model[0].bias.detach().norm()))


def test_a_tied_parameter_is_one() -> None:
    model = Tied().to(DOUBLE)
    plain = eg.Landscape(model, CE, cut(TOKENS))
    land = plain.normalised("tensor")
    close(land.gradient(), norms_by_hand(model, "tensor") * plain.gradient())


# --- what rescaling leaves


def rescaled(model: nn.Module, layer: int, a: float) -> nn.Module:
    """Dinh et al.: a layer and its bias times a, the next one's weight over a."""
    other = copy.deepcopy(model)
    layers = [m for m in other.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    with torch.no_grad():
        layers[layer].weight.mul_(a)
        layers[layer].bias.mul_(a)
        layers[layer + 1].weight.div_(a)
    return other


def curvatures(models: list[nn.Module], data: Any, **options: Any) -> dict[str, list[float]]:
    """R of each model, plain and in all coordinates."""
    lands = [eg.Landscape(model, CE, data, **options) for model in models]
    values = [land.value() for land in lands]
    assert values[1] == pytest.approx(values[0], rel=1e-12)
    found = {"plain": [eg.scalar_curvature(land, method="exact").value for land in lands]}
    for by in BYS:
        found[by] = [eg.scalar_curvature(land.normalised(by), method="exact").value for land in lands]
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("layer", [0, 1])
def test_layers_of_a_relu_network_may_be_rescaled(seed: int, layer: int) -> None:
    model, data = made("relu", seed)
    found = curvatures([model, rescaled(model, layer, (5.0, 0.1)[seed % 2])], data)
    for by in BYS:
        assert found[by][1] == pytest.approx(found[by][0], rel=1e-9)
    assert abs(found["plain"][1] / found["plain"][0] - 1) > 1e-3


def test_so_may_those_of_a_convolutional_one_and_of_a_part() -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 3, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 3)).to(DOUBLE)
    data = (torch.randn(30, 1, 5, 5, dtype=DOUBLE), torch.randint(0, 3, (30,)))
    for options in ({}, {"params": "*weight"}, {"params": "0.*"}):
        found = curvatures([model, rescaled(model, 0, 7.0)], data, **options)
        for by in BYS:
            assert found[by][1] == pytest.approx(found[by][0], rel=1e-9)
        assert abs(found["plain"][1] / found["plain"][0] - 1) > 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_sampled_curvatures_are_the_same_too(seed: int) -> None:
    """Not only within their errors: the probes are the same, and so is f~."""
    model, data = made("relu", seed)
    one, other = (
        eg.scalar_curvature(eg.Landscape(m, CE, data).normalised(), method="stochastic", rtol=0.1, seed=seed)
        for m in (model, rescaled(model, 0, 5.0))
    )
    assert other.value == pytest.approx(one.value, rel=1e-9)
    assert other.half_width() == pytest.approx(one.half_width(), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_single_filters_before_a_batchnorm(seed: int) -> None:
    """Each filter times its own number, the statistics with it: one number a filter, not a tensor."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 5, bias=False), nn.BatchNorm1d(5, eps=0.0), nn.Tanh(), nn.Linear(5, 3)).to(
        DOUBLE
    )
    model[1].running_mean.normal_()
    model[1].running_var.uniform_(0.5, 2)
    other, a = copy.deepcopy(model), torch.rand(5, dtype=DOUBLE) * 3 + 0.2
    with torch.no_grad():
        other[0].weight.mul_(a.unsqueeze(1))
        other[1].running_mean.mul_(a)
        other[1].running_var.mul_(a**2)
    found = curvatures([model, other], (torch.randn(30, 3, dtype=DOUBLE), torch.randint(0, 3, (30,))))
    for by in ("filter", "element"):
        assert found[by][1] == pytest.approx(found[by][0], rel=1e-9)
    for by in ("plain", "tensor"):
        assert abs(found[by][1] / found[by][0] - 1) > 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_single_neurons(seed: int) -> None:
    """A neuron's outgoing weights are a column of the next layer, its bias a part of one: only elements are blocks."""
    model, data = made("relu", seed)
    other, a = copy.deepcopy(model), torch.rand(5, dtype=DOUBLE) * 3 + 0.2
    with torch.no_grad():
        other[0].weight.mul_(a.unsqueeze(1))
        other[0].bias.mul_(a)
        other[2].weight.div_(a)
    found = curvatures([model, other], data)
    assert found["element"][1] == pytest.approx(found["element"][0], rel=1e-9)
    for by in ("plain", "tensor", "filter"):
        assert abs(found[by][1] / found[by][0] - 1) > 1e-3


# --- a landscape like others


def test_the_point_is_in_its_coordinates_and_stays(tanh_mlp: nn.Module, ragged: Any) -> None:
    plain = eg.Landscape(tanh_mlp, CE, ragged)
    land, before = plain.normalised(), plain.fixed()
    D, x = land.norms, land.theta
    for row in land.unflatten(x)["0.weight"]:
        assert float(row.norm()) == pytest.approx(1, rel=1e-12)
    there = x + torch.randn(31, dtype=DOUBLE)
    moved = land.at(there)
    close(moved.theta, there)
    assert torch.equal(moved.norms, D)
    close(moved.value(), plain.at(D * there).value())
    close(moved.gradient(), D * plain.at(D * there).gradient())
    with torch.no_grad():
        tanh_mlp[0].weight.add_(1.0)
    assert land.value() == pytest.approx(before.value(), rel=1e-13)
    assert land.fixed() is land
    assert plain.value() != pytest.approx(before.value(), rel=1e-3)


@every_way
def test_normalising_again_takes_the_norms_of_that_point(by: str, tanh_mlp: nn.Module, ragged: Any) -> None:
    plain = eg.Landscape(tanh_mlp, CE, ragged)
    x = torch.randn(31, dtype=DOUBLE)
    for first in BYS:
        land = plain.normalised(first)
        close(land.normalised(by).norms, plain.normalised(by).norms)
        at = land.at(x)
        again, direct = at.normalised(by), plain.at(land.norms * x).normalised(by)
        close(again.theta, direct.theta)
        close(again.norms, direct.norms)


def test_other_devices_scales_and_dtypes(tanh_mlp: nn.Module, ragged: Any) -> None:
    plain = eg.Landscape(tanh_mlp, CE, ragged)
    land = plain.normalised()
    close(land.scaled(2.0).gradient(), 2 * land.norms * plain.gradient())
    single = land.to("cpu", torch.float32)
    assert {single.dtype, single.theta.dtype, single.gradient().dtype, single.norms.dtype} == {torch.float32}
    close(single.gradient(), land.gradient(), 1e-5)
    close(single.to(dtype=DOUBLE).gradient(), land.gradient(), 1e-5)
    single_model = copy.deepcopy(tanh_mlp).float()
    close(eg.Landscape(single_model, CE, ragged, dtype=DOUBLE).normalised().gradient(), land.gradient(), 1e-5)
    function = eg.Landscape.from_function(lambda x: x @ x, torch.tensor([3.0, 4.0])).normalised().to(dtype=DOUBLE)
    assert function.gradient().tolist() == pytest.approx([30.0, 40.0], rel=1e-6)
    assert function.gradient().dtype == DOUBLE


def test_a_part_of_the_parameters(tanh_mlp: nn.Module, ragged: Any) -> None:
    plain = eg.Landscape(tanh_mlp, CE, ragged, params="2.*")
    land = plain.normalised()
    D = norms_by_hand(tanh_mlp[2], "filter")
    close(land.norms, D)
    close(dense_matrix(eg.hessian(land)), D.unsqueeze(1) * dense_matrix(eg.hessian(plain)) * D)
    assert [row.name for row in land.setting] == ["measured part", "coordinates"]


@pytest.mark.parametrize("decay", [0.3, {"0.weight": 0.5, "*bias": 0.1}], ids=str)
@every_way
def test_weight_decay_is_that_of_theta(by: str, decay: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    plain = eg.Landscape(tanh_mlp, CE, ragged, weight_decay=decay).scaled(1.7)
    bare = eg.Landscape(tanh_mlp, CE, ragged).normalised(by).scaled(1.7)
    land, D = plain.normalised(by), norms_by_hand(tanh_mlp, by)
    lams = (
        {"0.weight": 0.5, "0.bias": 0.1, "2.bias": 0.1} if isinstance(decay, dict) else dict.fromkeys(land.shapes, 0.3)
    )
    lam = land.flatten({k: torch.full(shape, lams.get(k, 0.0), dtype=DOUBLE) for k, shape in land.shapes.items()})
    close(land.value(), plain.value())
    close(land.gradient(), D * plain.gradient())
    H = D.unsqueeze(1) * dense_matrix(eg.hessian(plain)) * D
    close(dense_matrix(eg.hessian(land)), H)
    for op in (eg.hessian, eg.ggn):
        close(dense_matrix(op(land)) - dense_matrix(op(bare)), torch.diag(1.7 * lam * D**2), 1e-9)
    assert eg.trace(land).value == pytest.approx(float(H.trace()), rel=1e-10)
    gradient, products = eg.hessian(land).with_gradient(torch.eye(31, dtype=DOUBLE))
    close(gradient, land.gradient())
    close(products, H)
    table = eg.blocks(land, by="tensor").blocks
    place = slice(12, 16)
    assert table["0.bias"].trace.value == pytest.approx(float(H[place, place].trace()), rel=1e-9)


def test_another_state(tanh_mlp: nn.Module, ragged: Any) -> None:
    """D stays: a state's coordinates are state / D; where D is 0 there are none."""
    plain = eg.Landscape(tanh_mlp, CE, ragged)
    state = {name: p + torch.randn_like(p) for name, p in tanh_mlp.state_dict().items()}
    land = plain.normalised()
    there = land.loaded(state)
    assert there.value() == pytest.approx(plain.loaded(state).value(), rel=1e-12)
    close(there.theta * land.norms, plain.loaded(state).theta)
    with torch.no_grad():
        tanh_mlp[0].bias.zero_()
    land = plain.normalised()
    assert [row.value for row in land.setting] == ["normalised by filter", "4"]
    with pytest.raises(ArgumentError, match=r"4 parameters \(0\.bias\) are not 0 where .*loaded\(state\)\.normalised"):
        land.loaded(state)
    assert land.loaded(state | {"0.bias": torch.zeros(4)}).value() > 0
    found = eg.scalar_curvature(land, method="exact").value
    D = norms_by_hand(tanh_mlp, "filter")
    H = D.unsqueeze(1) * dense_matrix(eg.hessian(plain)) * D
    assert found == pytest.approx(curvature(D * plain.gradient(), H), rel=1e-10)
    assert eg.trace(land).value == pytest.approx(float(H.trace()), rel=1e-10)


def test_running_statistics_are_found_in_its_coordinates() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)).to(DOUBLE)
    plain = eg.Landscape(model, CE, (torch.randn(20, 3, dtype=DOUBLE), torch.randint(0, 3, (20,))))
    land = plain.normalised("tensor")
    assert land.reestimated().value() == pytest.approx(plain.reestimated().value(), rel=1e-12)
    close(land.reestimated().gradient(), land.norms * plain.reestimated().gradient())


def test_documents_tell_it_apart(tanh_mlp: nn.Module, ragged: Any) -> None:
    """Of two networks with the same x the norms differ, and so do their prints."""
    plain = eg.Landscape(tanh_mlp, CE, ragged)
    prints = [land.fingerprint() for land in (plain, *(plain.normalised(by) for by in BYS))]
    assert len({one.point for one in prints}) == 4
    assert len({(one.data, one.model, one.rest) for one in prints}) == 1
    larger = plain.at(plain.theta * 4).normalised()  # by a power of two: x is the same bit for bit
    assert torch.equal(larger.theta, plain.normalised().theta)
    assert larger.fingerprint().point != plain.normalised().fingerprint().point
    points = {"plain": eg.measure(plain), "normalised": eg.measure(plain.normalised())}
    words = " ".join(eg.compare(points).notes)
    assert "Different coordinates: none at plain; normalised by filter at normalised." in words


def test_all_kinds_of_measurement(tanh_mlp: nn.Module, ragged: Any) -> None:
    land = eg.Landscape(tanh_mlp, CE, ragged).normalised()
    H = dense_matrix(eg.hessian(land))
    m = eg.measure(land)
    assert m.trace.value == pytest.approx(float(H.trace()), rel=1e-10)
    assert float(eg.eigenpairs(land, 1).values[0]) == pytest.approx(float(torch.linalg.eigvalsh(H)[-1]), rel=1e-6)
    each = eg.batch_curvatures(land)
    for found, single in zip(each.values, land.single_batches(), strict=True):
        assert float(found) == pytest.approx(eg.scalar_curvature(single, method="exact").value, rel=1e-9)
    line = eg.slices.line(land, eg.slices.filter_normalised(land, 1), points=3)
    assert line.centre == pytest.approx(land.value(), rel=1e-12)


@pytest.mark.parametrize("by", ["filters", None, 1, ["tensor"]], ids=repr)
def test_what_is_no_block(by: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    with pytest.raises(ArgumentError, match=r'normalised\(by=\.\.\.\) must be "filter", "tensor" or "element", got '):
        eg.Landscape(tanh_mlp, CE, ragged).normalised(by)


def test_batch_loss(tanh_mlp: nn.Module, ragged: Any) -> None:
    def total(model: nn.Module, batch: Any) -> tuple[Tensor, int]:
        return F.cross_entropy(model(batch[0]), batch[1], reduction="sum"), len(batch[1])

    land, other = (
        eg.Landscape(tanh_mlp, data=ragged, **how).normalised() for how in ({"batch_loss": total}, {"loss": CE})
    )
    close(dense_matrix(eg.hessian(land)), dense_matrix(eg.hessian(other)))
    e = eg.scalar_curvature(land, method="stochastic", rtol=0.1)
    assert abs(e.value - eg.scalar_curvature(other, method="exact").value) <= 3 * e.half_width()

"""Directions, against their definitions and against what other libraries get wrong (peers' failures D8, D14, D15)."""

import math

import pytest
import torch
from landscapes import convolutional, same, state_of
from torch import Tensor, nn

import egregium as eg
from egregium import slices
from egregium.errors import ArgumentError
from egregium.operators import dense_matrix
from egregium.slices.directions import PAIRS

DOUBLE = torch.float64
CLAIM = 1e-6


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
@pytest.mark.parametrize("kind", ["gaussian", "eigenvectors", "sharpest", "gradient"])
def test_orthogonal_where_they_claim_to_be(kind: str, dtype: torch.dtype) -> None:
    """D8: "orthogonal" random directions elsewhere had a cosine above 0.99."""
    found = PAIRS[kind](convolutional(dtype), 3)
    V = found.vectors.double()
    cosine = float(V[:, 0] @ V[:, 1] / (V[:, 0].norm() * V[:, 1].norm()))
    assert found.orthogonal
    assert abs(cosine) < CLAIM
    assert found.cosine() == pytest.approx(abs(cosine), abs=1e-12)


def test_random_directions_are_gaussian() -> None:
    """D14: uniform on [0, 1) elsewhere, so that two of them have a cosine of 0.75.

    The mean of n = 4,000 normal entries is within 5 / sqrt(n) of 0, and the share of negative ones within that of 1/2.
    """
    land = eg.Landscape.from_function(lambda x: x @ x, torch.ones(4000, dtype=DOUBLE))
    found = slices.gaussian(land, 2, seed=1)
    for d in found.vectors.T:
        entries = d / d.std()
        assert abs(float(entries.mean())) < 5 / math.sqrt(4000)
        assert abs(float((entries < 0).double().mean()) - 0.5) < 5 / math.sqrt(4000)
        assert float((entries**4).mean()) == pytest.approx(3, abs=5 * math.sqrt(96 / 4000))  # var of z^4 is 96
    assert found.lengths == pytest.approx((math.sqrt(4000),) * 2)
    raw = slices.filter_normalised(
        eg.Landscape(nn.Linear(60, 60), nn.MSELoss(), (torch.ones(1, 60), torch.ones(1, 60))), 2
    )
    assert raw.cosine() < 5 / math.sqrt(3600)


def filters(land: eg.Landscape, v: Tensor) -> dict[str, Tensor]:
    """The lengths of the filters of each parameter tensor."""
    return {k: p.flatten(1).norm(dim=1) for k, p in land.unflatten(v).items() if p.ndim > 1}


def test_each_filter_is_normalised_once() -> None:
    land = convolutional()
    d = slices.filter_normalised(land, 1, seed=2).vectors[:, 0].contiguous()
    for name, lengths in filters(land, land.theta).items():
        torch.testing.assert_close(filters(land, d)[name], lengths)
    parts = land.unflatten(d)
    assert all(not p.any() for p in parts.values() if p.ndim == 1)  # biases and norms, as Li et al. say


def test_filters_of_transposed_convolutions_and_wide_norms() -> None:
    """One filter makes one output channel: the second dimension there; and norms do not move, whatever their shape."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.ConvTranspose2d(3, 5, 2), nn.LayerNorm([5, 4, 4]))
    land = eg.Landscape(model, nn.MSELoss(), (torch.ones(1, 3, 3, 3), torch.ones(1, 5, 4, 4)))
    d = land.unflatten(slices.filter_normalised(land, 1).vectors[:, 0].contiguous())
    lengths = [w.transpose(0, 1).flatten(1).norm(dim=1) for w in (d["0.weight"], model[0].weight.detach())]
    torch.testing.assert_close(*lengths)
    assert not d["1.weight"].any()


def test_biases_are_scaled_once_where_asked() -> None:
    """D14: normalised twice elsewhere."""
    land = convolutional()
    d = slices.filter_normalised(land, 1, one_dimensional="scaled").vectors[:, 0].contiguous()
    theta = land.unflatten(land.theta)
    for name, p in land.unflatten(d).items():
        if p.ndim == 1:
            assert float(p.norm()) == pytest.approx(float(theta[name].norm()))


def test_filter_normalised_pictures_do_not_depend_on_the_scale_of_filters() -> None:
    """Doubling a ReLU layer and halving the next leaves the function, and the loss along the direction."""
    torch.manual_seed(0)
    x, y = torch.randn(9, 3, dtype=DOUBLE), torch.randint(0, 2, (9,))
    model = nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU(), nn.Linear(5, 2, bias=False)).to(DOUBLE)
    seen = []
    for factor in (1.0, 2.0):
        with torch.no_grad():
            model[0].weight.mul_(factor)
            model[2].weight.div_(factor)
        land = eg.Landscape(model, nn.CrossEntropyLoss(), (x, y))
        seen.append(slices.line(land, slices.filter_normalised(land, 1)).sheets["loss"].values)
    torch.testing.assert_close(seen[0], seen[1])


@pytest.mark.parametrize("kind", PAIRS)
def test_batchnorm_is_no_obstacle_and_stays_as_it_is(kind: str) -> None:
    """D15: Hessian directions fail with BatchNorm elsewhere, random ones perturb its running statistics."""
    land = convolutional()
    before = state_of(land.model)
    found = PAIRS[kind](land, 0)
    slices.plane(land, found, points=3, span=0.1)
    assert found.vectors.shape == (land.n, 2)  # of parameters alone: no buffer is in it
    assert same(before, state_of(land.model))


def test_eigenvectors_are_the_dense_ones() -> None:
    land = convolutional()
    values, vectors = torch.linalg.eigh(dense_matrix(eg.hessian(land)))
    found = slices.eigenvectors(land, 1, 1, tol=1e-8).vectors
    for d, true in zip(found.T, (vectors[:, -1], vectors[:, 0]), strict=True):
        assert abs(float(d @ true)) == pytest.approx(1, abs=1e-6)
    assert f"{float(values[-1]):.3g}"[:4] in slices.eigenvectors(land, 1, 0).names[0]


def test_gradient_and_difference() -> None:
    land = convolutional()
    g, other = land.gradient(), land.theta + 1
    torch.testing.assert_close(slices.gradient(land).vectors[:, 0], g / g.norm())
    torch.testing.assert_close(slices.difference(land, other).vectors[:, 0], torch.ones(land.n, dtype=DOUBLE))


def test_joined_and_orthogonalised() -> None:
    land = convolutional()
    both = slices.joined(slices.gradient(land), slices.difference(land, land.theta + 1), orthogonalised=True)
    assert both.cosine() < 1e-12
    assert both.lengths == pytest.approx((1.0, math.sqrt(land.n)))
    assert both.names == ("gradient", "towards the other point")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda land: slices.gaussian(land, 0), "k must be an integer of at least 1"),
        (lambda land: slices.gaussian(land, 10_000), "k must be at most n"),
        (lambda land: slices.gaussian(land, seed=-1), "seed"),
        (lambda land: slices.filter_normalised(land, one_dimensional="twice"), "one_dimensional"),
        (lambda land: slices.difference(land, land.theta), "are the same"),
        (lambda land: slices.eigenvectors(land, 0, 0), "at least one"),
        (lambda land: slices.principal(land, -1, 1), "largest must be"),
        (lambda land: slices.difference(land, torch.ones(3)), "other must be"),
        (lambda land: slices.orthogonal(torch.ones(4, 2)), "linearly dependent"),
        (lambda land: slices.plane(land, torch.ones(land.n, 2), span=1.0), None),
        (lambda land: slices.plane(land, torch.ones(land.n, 3)), "shape"),
        (lambda land: slices.plane(land, "random"), "egregium.slices.filter_normalised"),
        (lambda land: slices.line(land, torch.zeros(land.n)), "zero"),
        (lambda land: slices.line(land, torch.full((land.n,), math.nan)), "finite"),
    ],
)
def test_bad_directions_are_sentences(call: object, words: str | None) -> None:
    land = convolutional()
    if words is None:
        assert call(land).cosine == pytest.approx(1.0)  # a plane of parallel directions says that it is none
        return
    with pytest.raises(ArgumentError, match=words):
        call(land)


def test_filter_normalisation_of_what_has_no_filters() -> None:
    land = eg.Landscape.from_function(lambda x: x @ x, torch.ones(3))
    with pytest.raises(ArgumentError, match="nothing to move"):
        slices.filter_normalised(land)
    flat = eg.Landscape.from_function(lambda x: x.sum() * 0 + (x * 0).sum(), torch.ones(3))
    with pytest.raises(ArgumentError, match="no direction of steepest ascent"):
        slices.gradient(flat)

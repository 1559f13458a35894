"""Products with second derivatives against dense Hessians and Jacobians of torch.func."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import grad, hessian, jacrev

from egregium.autodiff import ggn_products, gradient, hessian_products

DOUBLE = torch.float64
Parameters = Sequence[Tensor]


@dataclass(frozen=True)
class Case:
    """loss(outputs(parameters)), a scalar, with the shapes of the parameters."""

    shapes: tuple[tuple[int, ...], ...]
    outputs: Callable[[Parameters], list[Tensor]]
    loss: Callable[[Sequence[Tensor]], Tensor]

    def value(self, p: Parameters) -> Tensor:
        return self.loss(self.outputs(p))

    def flat(self, theta: Tensor) -> list[Tensor]:
        sizes = [torch.Size(s).numel() for s in self.shapes]
        return [part.view(s) for part, s in zip(theta.split(sizes), self.shapes, strict=True)]

    def point(self) -> Tensor:
        return torch.randn(sum(torch.Size(s).numel() for s in self.shapes), dtype=DOUBLE)


GENERATOR = torch.Generator().manual_seed(1)
X, IMAGES = (torch.randn(s, dtype=DOUBLE, generator=GENERATOR) for s in ((6, 3), (4, 1, 5, 5)))
Y = torch.tensor([0, 2, 1, 1, 0, 2])


def network(p: Parameters) -> list[Tensor]:
    return [torch.tanh(X @ p[0].T + p[1]) @ p[2].T]


def convolution(p: Parameters) -> list[Tensor]:
    return [F.conv2d(IMAGES, p[0], p[1]).sigmoid().mean((2, 3))]


def normalised(p: Parameters) -> list[Tensor]:
    z = X @ p[0].T
    centred = z - z.mean(1, keepdim=True)  # written out: torch.func's Hessian of F.layer_norm is wrong in torch 2.13
    return [centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt() * p[1]]


def cross_entropy(z: Sequence[Tensor]) -> Tensor:
    return F.cross_entropy(z[0], Y, reduction="sum")


def square(z: Sequence[Tensor]) -> Tensor:
    return sum((part**2).sum() for part in z)


CASES = {
    "network, cross-entropy": Case(((4, 3), (4,), (3, 4)), network, cross_entropy),
    "convolution, squares": Case(((2, 1, 3, 3), (2,)), convolution, square),
    "layer norm, cross-entropy": Case(((3, 3), (3,)), normalised, cross_entropy),
    "two outputs that share parameters": Case(((2, 2), (2,)), lambda p: [p[0] @ p[1], p[1].exp()], square),
    "one output a function of the other": Case(
        ((3,),), lambda p: [z := p[0].sin(), z**2], lambda z: z[0] @ z[1] + (z[1] ** 2).sum()
    ),
    "an unused parameter": Case(((3,), (2, 2), (1,)), lambda p: [p[0].sin(), p[2] ** 3], square),
    "an unused output": Case(((3,),), lambda p: [p[0].sin(), p[0].exp()], lambda z: square(z[:1])),
    "one parameter affine": Case(((3,), (2,)), lambda p: [p[0].exp(), p[1]], lambda z: square(z[:1]) + z[1].sum()),
    "bilinear": Case(((3,), (3,)), lambda p: [p[0], p[1]], lambda z: z[0] @ z[1]),
    "affine": Case(((3,), (2,)), lambda p: [2 * p[0], p[1] + 1], lambda z: z[0].sum() - 3 * z[1].sum()),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def leaves(case: Case, theta: Tensor) -> list[Tensor]:
    return [p.detach().clone().requires_grad_() for p in case.flat(theta)]


def flat(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat([part.reshape(-1) for part in parts])


def identity(case: Case, n: int) -> list[list[Tensor]]:
    return [case.flat(row) for row in torch.eye(n, dtype=DOUBLE)]


def gauss_newton(case: Case, theta: Tensor) -> Tensor:
    """J^T L J, dense."""
    z = case.outputs(case.flat(theta))
    sizes = [part.numel() for part in z]

    def loss(flat_outputs: Tensor) -> Tensor:
        return case.loss([p.view(like.shape) for p, like in zip(flat_outputs.split(sizes), z, strict=True)])

    J = jacrev(lambda t: flat(case.outputs(case.flat(t))))(theta)
    return J.T @ hessian(loss)(flat(z)) @ J


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12 * max(1.0, float(expected.abs().max())))


@every_case
def test_gradient(case: Case) -> None:
    theta = case.point()
    p = leaves(case, theta)
    close(flat(gradient(case.value(p), p)), grad(lambda t: case.value(case.flat(t)))(theta))


@every_case
def test_hessian_products(case: Case) -> None:
    theta = case.point()
    p = leaves(case, theta)
    rows = [flat(h) for h in hessian_products(case.value(p), p, identity(case, len(theta)))]
    close(torch.stack(rows), hessian(lambda t: case.value(case.flat(t)))(theta))


@every_case
def test_ggn_products(case: Case) -> None:
    theta = case.point()
    p = leaves(case, theta)
    rows = [flat(h) for h in ggn_products(case.outputs(p), case.loss, p, identity(case, len(theta)))]
    close(torch.stack(rows), gauss_newton(case, theta))


@every_case
def test_the_products_have_the_parameters_shapes(case: Case) -> None:
    theta = case.point()
    p = leaves(case, theta)
    v = case.flat(torch.ones_like(theta))
    for products in (hessian_products(case.value(p), p, [v]), ggn_products(case.outputs(p), case.loss, p, [v])):
        assert [tuple(h.shape) for h in next(products)] == list(case.shapes)


def test_torchs_layer_norm_against_its_formula() -> None:
    """The products of F.layer_norm, which torch.func gets wrong, are those of the formula."""
    case = CASES["layer norm, cross-entropy"]
    theta = case.point()
    p, q = leaves(case, theta), leaves(case, theta)
    fused = F.cross_entropy(F.layer_norm(X @ p[0].T, (3,), p[1]), Y, reduction="sum")
    eye = identity(case, len(theta))
    for a, b in zip(hessian_products(fused, p, eye), hessian_products(case.value(q), q, eye), strict=True):
        close(flat(a), flat(b))


@pytest.mark.parametrize("name", ["network, cross-entropy", "convolution, squares", "an unused parameter"])
def test_v_H_v_is_differentiable(name: str) -> None:
    """The gradient of v^T H v in theta, as a penalty on curvature needs it."""
    case = CASES[name]
    theta, v = case.point(), torch.randn(len(case.point()), dtype=DOUBLE)
    p = leaves(case, theta)
    product = next(hessian_products(case.value(p), p, [case.flat(v)], create_graph=True))
    found = torch.autograd.grad(v @ flat(product), p, materialize_grads=True)
    close(flat(found), grad(lambda t: v @ hessian(lambda s: case.value(case.flat(s)))(t) @ v)(theta))


@pytest.mark.parametrize(
    "name", ["network, cross-entropy", "convolution, squares", "one output a function of the other"]
)
def test_v_G_v_is_differentiable(name: str) -> None:
    case = CASES[name]
    theta, v = case.point(), torch.randn(len(case.point()), dtype=DOUBLE)
    p = leaves(case, theta)
    product = next(ggn_products(case.outputs(p), case.loss, p, [case.flat(v)], create_graph=True))
    found = torch.autograd.grad(v @ flat(product), p, materialize_grads=True)
    close(flat(found), grad(lambda t: v @ gauss_newton(case, t) @ v)(theta))


@every_case
def test_without_create_graph_products_hold_no_graph(case: Case) -> None:
    theta = case.point()
    p = leaves(case, theta)
    v = case.flat(torch.ones_like(theta))
    for products in (hessian_products(case.value(p), p, [v]), ggn_products(case.outputs(p), case.loss, p, [v])):
        assert not any(h.requires_grad for h in next(products))


def test_a_value_without_graph_has_derivatives_zero() -> None:
    p = [torch.ones(3, requires_grad=True)]
    value = torch.tensor(1.0)
    assert torch.equal(gradient(value, p)[0], torch.zeros(3))
    assert torch.equal(next(hessian_products(value, p, [[torch.ones(3)]]))[0], torch.zeros(3))
    assert torch.equal(next(ggn_products([], lambda z: value, p, [[torch.ones(3)]]))[0], torch.zeros(3))


def test_products_come_one_at_a_time() -> None:
    """Vectors are drawn when they are needed: memory does not grow with their number."""
    drawn: list[int] = []

    def vectors() -> object:
        for i in range(5):
            drawn.append(i)
            yield [torch.ones(2, dtype=DOUBLE)]

    p = [torch.ones(2, dtype=DOUBLE, requires_grad=True)]
    products = hessian_products((p[0] ** 3).sum(), p, vectors())  # type: ignore[arg-type]
    next(products)
    assert drawn == [0]
    next(products)
    assert drawn == [0, 1]


def test_grad_is_left_alone() -> None:
    p = [torch.ones(2, dtype=DOUBLE, requires_grad=True)]
    list(hessian_products((p[0] ** 3).sum(), p, [[torch.ones(2, dtype=DOUBLE)]]))
    list(ggn_products([p[0] ** 3], square, p, [[torch.ones(2, dtype=DOUBLE)]]))
    assert p[0].grad is None

"""The scalar curvature from its definition: metric -> Christoffel -> Riemann -> Ricci -> R, by autodiff of the metric.

The conventions are those of the paper (arXiv 2307.04719) and of geomstats:

    Gamma^i_kl = 1/2 G^im (d_k G_ml + d_l G_mk - d_m G_kl)
    R^i_klm    = d_l Gamma^i_km - d_m Gamma^i_kl + Gamma^i_pl Gamma^p_km - Gamma^i_pm Gamma^p_kl
    Ric_km     = R^i_kim,    R = G^km Ric_km

Nothing here knows the closed form that egregium uses: only the metric G = I + g g^T of the graph goes in.
"""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, hessian, jacfwd

import egregium as eg

DOUBLE = torch.float64
Function = Callable[[Tensor], Tensor]


def metric(f: Function, x: Tensor) -> Tensor:
    g = grad(f)(x)
    return torch.eye(len(x), dtype=x.dtype) + torch.outer(g, g)


def christoffel(f: Function, x: Tensor) -> Tensor:
    """Gamma[i, k, l]."""
    d = jacfwd(lambda y: metric(f, y))(x)  # d[m, l, k] = d_k G_ml
    lowered = (d.permute(0, 2, 1) + d - d.permute(2, 0, 1)) / 2
    return torch.einsum("im,mkl->ikl", torch.linalg.inv(metric(f, x)), lowered)


def riemann(f: Function, x: Tensor) -> Tensor:
    """R[i, k, l, m] with the first index up."""
    gamma = christoffel(f, x)
    d = jacfwd(lambda y: christoffel(f, y))(x)  # d[i, k, m, l] = d_l Gamma^i_km
    product = torch.einsum("ipl,pkm->iklm", gamma, gamma)
    return d.permute(0, 1, 3, 2) - d + product - product.permute(0, 1, 3, 2)


def ricci(f: Function, x: Tensor) -> Tensor:
    return torch.einsum("ikim->km", riemann(f, x))


def scalar(f: Function, x: Tensor) -> float:
    return float(torch.einsum("km,km->", torch.linalg.inv(metric(f, x)), ricci(f, x)))


# --- smooth functions of n variables


def waves(n: int, made: torch.Generator) -> Function:
    A, b, c = (torch.randn(s, dtype=DOUBLE, generator=made) for s in ((4, n), (4,), (4,)))
    return lambda x: (c * (A @ x + b).sin()).sum()


def cubic(n: int, made: torch.Generator) -> Function:
    a, B, C = (torch.randn(s, dtype=DOUBLE, generator=made) for s in ((n,), (n, n), (n, n, n)))
    return lambda x: a @ x + x @ B @ x + x @ (C @ x) @ x / 3


def soft_maximum(n: int, made: torch.Generator) -> Function:
    A, b = (torch.randn(s, dtype=DOUBLE, generator=made) for s in ((5, n), (5,)))
    return lambda x: torch.logsumexp(2 * (A @ x + b), 0)


def product(n: int, made: torch.Generator) -> Function:
    a = torch.randn(n, dtype=DOUBLE, generator=made)
    return lambda x: (1 + a * x.tanh()).prod() + x[0] * x[1]


FUNCTIONS = {"waves": waves, "cubic": cubic, "soft maximum": soft_maximum, "product": product}
RANDOM = [(kind, n, seed) for kind in FUNCTIONS for n in (3, 4, 5) for seed in range(3)]
random_functions = pytest.mark.parametrize(("kind", "n", "seed"), RANDOM)


def drawn(kind: str, n: int, seed: int) -> tuple[Function, Tensor]:
    made = torch.Generator().manual_seed(1000 * seed + n)
    return FUNCTIONS[kind](n, made), torch.randn(n, dtype=DOUBLE, generator=made) / 2


@random_functions
def test_scalar_curvature_is_that_of_the_tensors(kind: str, n: int, seed: int) -> None:
    f, x = drawn(kind, n, seed)
    found = eg.scalar_curvature(eg.Landscape.from_function(f, x), method="exact").value
    assert found == pytest.approx(scalar(f, x), rel=1e-10)


@random_functions
def test_the_terms_of_a_measurement_add_up_to_it(kind: str, n: int, seed: int) -> None:
    f, x = drawn(kind, n, seed)
    m = eg.measure(eg.Landscape.from_function(f, x), method="exact")
    values = [term.value for term in m.terms.values()]
    assert math.fsum(values) == pytest.approx(scalar(f, x), rel=1e-9, abs=1e-11 * sum(map(abs, values)))


@random_functions
def test_the_table_of_the_manifold(kind: str, n: int, seed: int) -> None:
    """Christoffel symbols, Riemann and Ricci tensor in closed form, and mean curvature tr S~ = tr(G^-1 h)."""
    f, x = drawn(kind, n, seed)
    g, H = grad(f)(x), hessian(f)(x)
    beta = float(1 / (1 + g @ g))
    G = metric(f, x)
    close(christoffel(f, x), beta * torch.einsum("i,kl->ikl", g, H))
    lowered = torch.einsum("pi,iklm->pklm", G, riemann(f, x))
    close(lowered, beta * (torch.einsum("il,km->iklm", H, H) - torch.einsum("im,kl->iklm", H, H)))
    h = H * beta**0.5
    S = torch.linalg.inv(G) @ h
    close(ricci(f, x), S.trace() * h - h @ S)
    land = eg.Landscape.from_function(f, x)
    assert eg.trace(eg.shape_operator(land)).value == pytest.approx(float(S.trace()), rel=1e-10)


@random_functions
def test_of_scaled_functions(kind: str, n: int, seed: int) -> None:
    f, x = drawn(kind, n, seed)
    found = eg.scalar_curvature(eg.Landscape.from_function(f, x), scale=0.3).value
    assert found == pytest.approx(scalar(lambda y: 0.3 * f(y), x), rel=1e-10)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10 * float(expected.abs().max()))


# --- and of a network, through model, loss and ragged batches


LOSSES: dict[str, tuple[nn.Module, Callable[[Tensor, Tensor], Tensor]]] = {
    "squares": (nn.MSELoss(), lambda z, y: (z - y) ** 2),
    "logits": (nn.BCEWithLogitsLoss(), lambda z, y: (1 + z.exp()).log() - y * z),
    "Poisson": (nn.PoissonNLLLoss(), lambda z, y: z.exp() - y * z),
}


@pytest.mark.parametrize(("loss", "formula"), LOSSES.values(), ids=LOSSES.keys())
def test_of_a_network_with_four_parameters(loss: nn.Module, formula: Callable[[Tensor, Tensor], Tensor]) -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.Tanh(), nn.Linear(1, 1)).to(DOUBLE)
    x = torch.randn(11, 1, dtype=DOUBLE)
    y = torch.sigmoid(x + torch.randn(11, 1, dtype=DOUBLE))
    names = list(dict(model.named_parameters()))

    def f(theta: Tensor) -> Tensor:
        named = {name: part.view(p.shape) for name, part, p in zip(names, theta, model.parameters(), strict=True)}
        return formula(functional_call(model, named, (x,)), y).mean()

    land = eg.Landscape(model, loss, [(x[:5], y[:5]), (x[5:10], y[5:10]), (x[10:], y[10:])])
    assert eg.scalar_curvature(land).value == pytest.approx(scalar(f, land.theta), rel=1e-10)


def test_the_gauss_newton_curvature_is_that_of_the_linearised_network() -> None:
    """operator="ggn": H and g of the loss of z + J (theta - theta_0), so R of that function's graph at theta_0."""
    model = nn.Sequential(nn.Linear(1, 1), nn.Tanh(), nn.Linear(1, 2)).to(DOUBLE)
    x, y = torch.randn(7, 1, dtype=DOUBLE), torch.tensor([0, 1, 1, 0, 1, 0, 0])
    land = eg.Landscape(model, nn.CrossEntropyLoss(), [(x[:5], y[:5]), (x[5:], y[5:])])
    sizes = [p.numel() for p in model.parameters()]
    start = land.theta

    def output(theta: Tensor) -> Tensor:
        parts = zip(model.named_parameters(), theta.split(sizes), strict=True)
        return functional_call(model, {name: part.view(p.shape) for (name, p), part in parts}, (x,))

    z, J = output(start).detach(), jacfwd(output)(start).detach()
    linearised = lambda theta: F.cross_entropy(z + J @ (theta - start), y)
    found = eg.scalar_curvature(land, operator="ggn").value
    assert found == pytest.approx(scalar(linearised, start), rel=1e-10)

"""The public numbers: exact against sampled, options, budgets, and foreign operators."""

import math

import pytest
import torch
from torch import nn

import egregium as eg
from egregium.errors import ArgumentError, BudgetError


def digits_like(hidden: int = 8, seed: int = 0) -> eg.Landscape:
    """A small tanh network on random data: 4 batches of unequal size, n = 155 for 8 hidden units."""
    g = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(12, hidden), nn.Tanh(), nn.Linear(hidden, 5)).double()
    data = [
        (torch.randn(k, 12, generator=g, dtype=torch.float64), torch.randint(0, 5, (k,), generator=g))
        for k in (7, 16, 3, 14)
    ]
    return eg.Landscape(model, nn.CrossEntropyLoss(), data)


@pytest.fixture(scope="module")
def land() -> eg.Landscape:
    return digits_like()


@pytest.fixture(scope="module")
def dense(land: eg.Landscape) -> torch.Tensor:
    return eg.hessian(land) @ torch.eye(land.n, dtype=torch.float64)


def closed_form(H: torch.Tensor, g: torch.Tensor) -> float:
    """R in terms of t, F, p, q: a route of its own beside the Gauss form."""
    beta = 1 / (1 + g @ g)
    t, F, p, q = H.trace(), (H**2).sum(), g @ H @ g, (H @ g) @ (H @ g)
    return float(beta * (t**2 - F) + 2 * beta**2 * (q - t * p))


@pytest.mark.parametrize("scale", [1.0, 0.1, 30.0])
def test_exact_is_the_closed_form(land: eg.Landscape, dense: torch.Tensor, scale: float) -> None:
    e = eg.scalar_curvature(land, method="exact", scale=scale)
    assert e.value == pytest.approx(closed_form(scale * dense, scale * land.gradient()), rel=1e-10)
    assert (e.stderr, e.converged, e.cost.hvps) == (0, True, land.n)


@pytest.mark.parametrize("seed", range(4))
def test_stochastic_meets_the_exact_number(land: eg.Landscape, seed: int) -> None:
    exact = eg.scalar_curvature(land, method="exact").value
    e = eg.scalar_curvature(land, method="stochastic", rtol=0.05, seed=seed)
    assert e.converged
    assert e.half_width() <= 0.05 * abs(e.value)
    assert abs(e.value - exact) <= 2 * e.half_width()
    assert e.samples.shape[1] == 2
    assert str(e).endswith("(95 %)")


def test_ggn_is_another_number(land: eg.Landscape) -> None:
    G = eg.ggn(land) @ torch.eye(land.n, dtype=torch.float64)
    e = eg.scalar_curvature(land, method="exact", operator="ggn")
    assert e.value == pytest.approx(closed_form(G, land.gradient()), rel=1e-10)
    assert e.cost.ggn_products == land.n


def test_trace_and_square(land: eg.Landscape, dense: torch.Tensor) -> None:
    assert eg.trace(land, method="exact").value == pytest.approx(dense.trace().item(), rel=1e-10)
    assert eg.squared_frobenius(land, method="exact").value == pytest.approx((dense**2).sum().item(), rel=1e-10)
    t = eg.trace(land, method="stochastic", rtol=0.02)
    assert abs(t.value - dense.trace()) <= 2 * t.half_width()


def test_foreign_operators_are_welcome(dense: torch.Tensor) -> None:
    class Foreign:
        shape, dtype, device = dense.shape, dense.dtype, dense.device

        def __matmul__(self, v: torch.Tensor) -> torch.Tensor:
            return dense @ v

    assert eg.trace(Foreign(), method="exact").value == pytest.approx(dense.trace().item())
    assert eg.squared_frobenius(Foreign(), rtol=0.1).value == pytest.approx((dense**2).sum().item(), rel=0.2)
    assert eg.eigenpairs(Foreign(), 2).values[0] == pytest.approx(torch.linalg.eigvalsh(dense)[-1].item(), rel=1e-6)
    assert eg.spectral_density(Foreign()).nodes.max() <= torch.linalg.eigvalsh(dense)[-1] + 1e-9
    with pytest.raises(ArgumentError, match=r"has no .*shape"):
        eg.trace(object())


def test_seeds_and_blocks(land: eg.Landscape) -> None:
    options = {"method": "stochastic", "rtol": 0.1}
    first = eg.scalar_curvature(land, seed=1, **options)
    torch.manual_seed(123)
    again = eg.scalar_curvature(land, seed=1, **options)
    assert first.value == again.value
    assert torch.equal(first.samples, again.samples)
    assert eg.scalar_curvature(land, seed=1, block=5, **options).value == pytest.approx(first.value, rel=1e-10)
    assert eg.scalar_curvature(land, seed=2, **options).value != first.value


def test_any_split_gives_the_same_curvature(land: eg.Landscape) -> None:
    batches = list(land._objective.data)  # type: ignore[attr-defined]
    x, y = (torch.cat(part) for part in zip(*batches, strict=True))
    whole = eg.Landscape(land.model, nn.CrossEntropyLoss(), (x, y))
    for method in ("exact", "stochastic"):
        values = [eg.scalar_curvature(part, method=method, rtol=0.2).value for part in (land, whole)]
        assert values[0] == pytest.approx(values[1], rel=1e-10)


def test_the_budget_holds_and_is_said(land: eg.Landscape) -> None:
    e = eg.scalar_curvature(land, method="stochastic", rtol=1e-6, budget=150)
    assert e.cost.gradients <= 150
    assert not e.converged
    assert "budget" in e.notes[0]
    assert e.interval()[0] < e.value < e.interval()[1]


@pytest.mark.parametrize("budget", [0.5, 1, 8.6])
def test_a_budget_without_room_for_an_error_bar(land: eg.Landscape, budget: float) -> None:
    with pytest.raises(BudgetError, match=r"Raise budget= by at least \d"):
        eg.scalar_curvature(land, method="stochastic", budget=budget)
    assert 8.6 < 2 / 3 + 1 + 7 < 8.7  # two values that are compared, the gradient, three probes
    assert math.isfinite(eg.scalar_curvature(land, method="stochastic", budget=8.7).stderr)


def test_exact_says_what_it_needs() -> None:
    with pytest.raises(BudgetError, match=r"needs about \d"):
        eg.scalar_curvature(digits_like(), method="exact", budget=20)
    flat = eg.Landscape.from_function(lambda x: (x**2).sum(), torch.zeros(20_001))
    with pytest.raises(ArgumentError, match="refuses above 20,000"):
        eg.scalar_curvature(flat, method="exact")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "best"}, "method= must be"),
        ({"operator": "fisher"}, "operator= must be"),
        ({"scale": 0.0}, "scale must be"),
        ({"scale": -1.0}, "scale must be"),
        ({"seed": -1}, "seed must be"),
        ({"seed": 0.5}, "seed must be"),
        ({"block": 0}, "block must be"),
        ({"rtol": 0.0}, "rtol must be"),
    ],
)
def test_arguments_out_of_range(land: eg.Landscape, options: dict[str, object], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        eg.scalar_curvature(land, **options)  # type: ignore[arg-type]


def test_zero_curvature_ends_by_atol() -> None:
    """An affine function: R = 0, sampled; rtol alone could never be met were it not exact."""
    land = eg.Landscape.from_function(lambda x: x.sum(), torch.ones(300, dtype=torch.float64))
    e = eg.scalar_curvature(land, method="stochastic", atol=1e-3)
    assert (e.value, e.converged) == (0.0, True)
    ridge = eg.Landscape.from_function(lambda x: x.sum() ** 2, torch.zeros(300, dtype=torch.float64))
    e = eg.scalar_curvature(ridge, method="stochastic", atol=1e-3)
    assert abs(e.value) < 1e-3
    assert e.converged


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [30, 1_000])
def test_a_difference_below_rounding_says_so(n: int, dtype: torch.dtype) -> None:
    """R of a matrix of rank one is 0: whatever rounding leaves of (tr H)^2 - |H|^2 is inside the interval."""
    v = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=dtype)
    land = eg.Landscape.from_function(lambda x: 50 * (v @ x) ** 2, torch.zeros(n, dtype=dtype))
    for method in ("auto", "stochastic"):
        e = eg.scalar_curvature(land, method=method)
        assert e.interval()[0] <= 0 <= e.interval()[1]
        assert not e.converged
        assert "Rounding" in e.notes[0]
        assert "(exact)" not in str(e)


def test_few_probes_that_agree_are_no_proof() -> None:
    A = torch.zeros(200, 200, dtype=torch.float64)
    A[0, 1] = A[1, 0] = 1
    for seed in range(20):
        e = eg.trace(A, budget=3, seed=seed)
        assert not e.converged
        assert "(exact)" not in str(e)
        assert any("Only 3 probes" in note for note in e.notes)


@pytest.mark.parametrize("n", [5, 100])
def test_a_second_derivative_that_does_not_exist(n: int) -> None:
    land = eg.Landscape.from_function(lambda x: (x.abs() ** 1.5).sum(), torch.zeros(n, dtype=torch.float64))
    for call in (eg.scalar_curvature, eg.measure, eg.eigenpairs, eg.spectral_density, eg.trace):
        with pytest.raises(eg.EgregiumError, match="not finite"):
            call(land)


def test_overflow_is_said() -> None:
    land = eg.Landscape.from_function(lambda x: (x**2).sum(), torch.zeros(3, dtype=torch.float64))
    with pytest.raises(eg.EgregiumError, match="overflows"):
        eg.scalar_curvature(land, scale=1e200)


def test_a_model_is_no_landscape() -> None:
    for call in (eg.scalar_curvature, eg.measure):
        with pytest.raises(ArgumentError, match="needs a Landscape, got Linear"):
            call(nn.Linear(2, 2))
    with pytest.raises(ArgumentError, match=r"pass an instance: CrossEntropyLoss\(\)"):
        eg.Landscape(nn.Linear(2, 2), nn.CrossEntropyLoss, [])
    assert repr(digits_like()) == "Landscape(Sequential, n=149, torch.float64, cpu)"

"""Everything at one point: each number against the dense Hessian, and against each other."""

import pytest
import torch
from torch import nn

import egregium as eg


def landscape(gain: float = 1.0, n_hidden: int = 10) -> eg.Landscape:
    g = torch.Generator().manual_seed(3)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(9, n_hidden), nn.Tanh(), nn.Linear(n_hidden, 4)).double()
    x = gain * torch.randn(60, 9, generator=g, dtype=torch.float64)
    return eg.Landscape(model, nn.CrossEntropyLoss(), (x, torch.randint(0, 4, (60,), generator=g)))


@pytest.fixture(scope="module", params=[1.0, 8.0], ids=["small gradient", "large gradient"])
def land(request: pytest.FixtureRequest) -> eg.Landscape:
    return landscape(request.param)


@pytest.fixture(scope="module")
def truth(land: eg.Landscape) -> dict[str, float]:
    H, g = eg.hessian(land) @ torch.eye(land.n, dtype=torch.float64), land.gradient()
    beta, t, F = 1 / (1 + g @ g), H.trace(), (H**2).sum()
    S = eg.shape_operator(land) @ torch.eye(land.n, dtype=torch.float64)
    return {
        "trace": float(t),
        "squared_frobenius": float(F),
        "frobenius_norm": float(F.sqrt()),
        "effective_rank": float(t**2 / F),
        "mean_curvature": float(S.trace() / land.n),
        "scalar_curvature": float(S.trace() ** 2 - (S**2).sum()),
        "term trace": float(beta * t**2),
        "term frobenius": float(-beta * F),
        "term gradient": float(2 * beta**2 * (H @ g) @ (H @ g)),
        "term gradient_trace": float(-2 * beta**2 * t * (g @ H @ g)),
        "largest": float(torch.linalg.eigvalsh(H)[-1]),
        "smallest": float(torch.linalg.eigvalsh(H)[0]),
    }


def numbers(m: eg.Measurement) -> dict[str, eg.Estimate]:
    names = ("trace", "squared_frobenius", "frobenius_norm", "effective_rank", "mean_curvature", "scalar_curvature")
    return {name: getattr(m, name) for name in names} | {f"term {k}": v for k, v in m.terms.items()}


def test_exact_numbers(land: eg.Landscape, truth: dict[str, float]) -> None:
    m = eg.measure(land, method="exact")
    for name, estimate in numbers(m).items():
        assert estimate.value == pytest.approx(truth[name], rel=1e-9), name
        assert estimate.stderr == 0
    assert m.loss == pytest.approx(land.value(), rel=1e-12)
    assert m.gradient_norm == pytest.approx(land.gradient().norm().item(), rel=1e-12)


def test_sampled_numbers_are_within_their_intervals(land: eg.Landscape, truth: dict[str, float]) -> None:
    """15 seeds: each number within its 99.9 % interval every time but one, and not always on one side."""
    misses: dict[str, list[bool]] = {}
    for seed in range(15):
        m = eg.measure(land, method="stochastic", rtol=0.1, seed=seed, extremes=False)
        for name, estimate in numbers(m).items():
            low, high = estimate.interval(0.999)
            wide = 1e-9 * abs(truth[name])
            misses.setdefault(name, []).append(not low - wide <= truth[name] <= high + wide)
    assert {name: sum(missed) for name, missed in misses.items() if sum(missed) > 1} == {}


def test_the_terms_add_up(land: eg.Landscape) -> None:
    for method in ("exact", "stochastic"):
        m = eg.measure(land, method=method, rtol=0.2, extremes=False)
        assert sum(term.value for term in m.terms.values()) == pytest.approx(m.scalar_curvature.value, rel=1e-10)


def test_extremes_and_density(land: eg.Landscape, truth: dict[str, float]) -> None:
    m = eg.measure(land, rtol=0.2, density=True)
    assert m.largest is not None
    assert m.smallest is not None
    assert m.density is not None
    assert m.largest.values[0] == pytest.approx(truth["largest"], rel=1e-3)
    assert m.smallest.values[0] == pytest.approx(truth["smallest"], abs=1e-3 * truth["largest"])
    assert m.cost.hvps >= m.scalar_curvature.cost.hvps + m.largest.cost.hvps + m.density.cost.hvps


def test_it_is_the_number_of_scalar_curvature(land: eg.Landscape) -> None:
    options = {"method": "stochastic", "rtol": 0.1, "seed": 5, "scale": 0.3}
    assert eg.measure(land, **options).scalar_curvature.value == eg.scalar_curvature(land, **options).value


def test_stopping_keeps_what_is_known() -> None:
    """Stopped at its twelfth word: R with an interval, a note, and no eigenvalues."""
    words = iter(range(1000))
    m = eg.measure(landscape(), method="stochastic", rtol=1e-5, progress=lambda report: next(words) < 12)
    assert "Stopped" in m.scalar_curvature.notes[0]
    assert m.scalar_curvature.stderr > 0
    assert not m.scalar_curvature.converged
    assert m.largest is None


def test_a_flat_surface() -> None:
    m = eg.measure(eg.Landscape.from_function(lambda x: x.sum(), torch.zeros(3, dtype=torch.float64)))
    assert m.scalar_curvature.value == 0
    assert m.effective_rank.value == 0


def test_it_stays_at_its_point_and_reads_anew() -> None:
    land = landscape()
    before = eg.measure(land, method="exact", extremes=False).scalar_curvature.value
    with torch.no_grad():
        for p in land.model.parameters():  # type: ignore[union-attr]
            p.mul_(1.5)
    assert eg.measure(land, method="exact", extremes=False).scalar_curvature.value != before

"""What is certain of eigenvalues that a run has not seen: the Christoffel number bounds their share of its vector."""

import math

import pytest
import torch

from egregium.estimators.lanczos import lanczos
from egregium.estimators.outermost import largest_share
from egregium.operators import Dense


def start(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shares(values: torch.Tensor, v: torch.Tensor, x: float) -> list[float]:
    """The bound at x after each step of a run from v on diag(values), until it has found x to seven digits."""
    states = list(lanczos(Dense(torch.diag(values)), v, values.numel()))
    before = (s for s in states if s.beyond[-1] > 0 and float(s.ritz()[0].max()) < x - 1e-7)
    return [largest_share(s.diagonal.tolist(), s.beyond.tolist(), x) for s in before]


@pytest.mark.parametrize("outlier", [1.05, 1.3, 3.0])
def test_no_eigenvalue_has_more_than_its_share(outlier: float) -> None:
    """Against the share itself, (u.v)^2, at each step of 100 runs, until the outlier is found."""
    values = torch.cat([torch.linspace(-1, 1, 99, dtype=torch.float64), torch.tensor([outlier], dtype=torch.float64)])
    for seed in range(100):
        v = start(100, seed)
        own = float(v[-1] ** 2 / (v @ v))
        assert min(shares(values, v, outlier)) >= own * (1 - 1e-6)


def test_the_whole_run_knows_the_share() -> None:
    """With all but one of the steps of 6 distinct eigenvalues, the bound is the share itself (Gauss weights)."""
    values, v = torch.tensor([0.0, 1, 2, 3, 4, 5], dtype=torch.float64), start(6, 0)
    assert shares(values, v, 5.0)[-1] == pytest.approx(float(v[-1] ** 2 / (v @ v)), rel=1e-8)


def test_chebyshev_polynomials() -> None:
    """The bound of the arcsine law: p_0 = 1, p_i = sqrt(2) T_i, so sum p_i(x)^2 = 1 + 2 sum cosh(i t)^2, x = cosh t."""
    betas = [math.sqrt(0.5), *[0.5] * 9]
    truth = 1 / (1 + 2 * sum(math.cosh(i * math.acosh(1.2)) ** 2 for i in range(1, 11)))
    assert largest_share([0.0] * 10, betas, 1.2) == pytest.approx(truth, rel=1e-12)


def test_an_invariant_space_leaves_no_share_to_others() -> None:
    assert largest_share([2.0, 2.0], [1.0, 0.0], 4.0) == 0.0  # eigenvalues 1 and 3
    assert largest_share([2.0, 2.0], [1.0, 0.0], 3.0) == pytest.approx(0.5)
    assert largest_share([0.0] * 400, [1e-3] * 400, 10.0) == 0.0  # overflows

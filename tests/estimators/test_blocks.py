"""Blocks side by side: each as it would be alone, independent probes, honest intervals, one budget."""

import pytest
import torch
from scipy.stats import binom

from egregium.errors import BudgetError
from egregium.estimators import Goal, gauss_statistic, sampled_moments, square_statistic, trace_statistic
from egregium.estimators.blocks import block_moments, seed_of
from egregium.operators import Dense, Principal
from egregium.results import Cost

DOUBLE = torch.float64
PLACES = [slice(0, 150), slice(150, 160), slice(160, 280)]


def of_spectrum(values: torch.Tensor, seed: int) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    Q = torch.linalg.qr(torch.randn(len(values), len(values), generator=g, dtype=DOUBLE))[0]
    return Q @ torch.diag(values) @ Q.T


BLOCKS = [
    of_spectrum(torch.arange(1, 151, dtype=DOUBLE) ** -1.0, 0),
    of_spectrum(torch.linspace(-1, 2, 10, dtype=DOUBLE), 1),
    of_spectrum(torch.linspace(0.5, 1, 120, dtype=DOUBLE), 2),
]
MATRIX = Dense(torch.block_diag(*BLOCKS))


def price(m: int) -> Cost:
    return Cost(products=m)


def test_each_block_is_what_it_would_be_alone() -> None:
    goal = Goal(0.05)
    runs, cost = block_moments(MATRIX, PLACES, gauss_statistic, goal, price, seed=7)
    assert cost.products == sum(run.products for run in runs)
    for b in (0, 2):
        alone, spent, ended = sampled_moments(
            Principal(MATRIX, PLACES[b]), gauss_statistic, goal, seed=seed_of(7, b), may_turn_exact=True
        )
        assert (runs[b].ended, runs[b].products) == (ended, spent.products)
        torch.testing.assert_close(runs[b].moments.traces, alone.traces, rtol=1e-11, atol=0)
        torch.testing.assert_close(runs[b].moments.squares, alone.squares, rtol=1e-10, atol=0)
    exact = runs[1].moments
    assert (exact.exact, runs[1].products) == (True, 10)
    assert exact.traces.item() == pytest.approx(BLOCKS[1].trace().item(), rel=1e-12)
    assert exact.squares.item() == pytest.approx(BLOCKS[1].square().sum().item(), rel=1e-12)


def test_equal_blocks_have_probes_of_their_own() -> None:
    twice = Dense(torch.block_diag(BLOCKS[0], BLOCKS[0]))
    runs, _ = block_moments(twice, [slice(0, 150), slice(150, 300)], trace_statistic, Goal(0.3), price)
    a, b = (run.moments.traces for run in runs)
    assert not torch.equal(a, b)
    assert seed_of(5, 0) == 5
    assert len({seed_of(5, b) for b in range(1000)}) == 1000


@pytest.mark.parametrize("rtol", [0.3, 0.03])
def test_intervals_of_blocks_cover(rtol: float) -> None:
    """100 seeds; fewer hits than the bound have probability below 0.001 where each interval covers 95 %."""
    seeds, hits = 100, torch.zeros(2, 3)
    for seed in range(seeds):
        runs, _ = block_moments(MATRIX, PLACES, gauss_statistic, Goal(rtol), price, seed=seed)
        for i, b in enumerate((0, 2)):
            t, F = BLOCKS[b].trace(), BLOCKS[b].square().sum()
            for j, (statistic, truth) in enumerate(
                ((gauss_statistic, t**2 - F), (trace_statistic, t), (square_statistic, F))
            ):
                low, high = runs[b].moments.estimate(statistic).interval()
                hits[i, j] += low <= float(truth) <= high
    assert hits.min() >= binom.ppf(1e-3, seeds, 0.95)


def test_one_budget_for_all() -> None:
    runs, cost = block_moments(MATRIX, PLACES, gauss_statistic, Goal(1e-5, budget=200), price)
    assert cost.products <= 200
    assert [run.ended for run in runs] == ["budget", "", "budget"]
    assert all(run.moments.estimate(gauss_statistic).half_width() > 0 for run in (runs[0], runs[2]))
    with pytest.raises(BudgetError, match="3 probes, the fewest with an error bar"):
        block_moments(MATRIX, PLACES, gauss_statistic, Goal(budget=14), price)
    with pytest.raises(BudgetError, match="All columns of the small blocks"):
        block_moments(MATRIX, PLACES[1:2], gauss_statistic, Goal(budget=9), price)
    least, cost = block_moments(MATRIX, PLACES, gauss_statistic, Goal(budget=16), price)
    assert cost.products == 16
    assert [run.moments.traces.numel() for run in least] == [3, 1, 3]


@pytest.mark.parametrize("budget", range(100, 480, 12))
def test_a_budget_that_ends_in_the_middle_loses_nothing(budget: int) -> None:
    """In the middle of deepening the samples of the depth before stand; all columns are not begun if not paid for."""
    runs, cost = block_moments(MATRIX, PLACES, gauss_statistic, Goal(1e-5, budget=budget), price)
    assert cost.products <= budget
    for run in (runs[0], runs[2]):
        assert run.moments.exact == (run.ended == "")
        assert run.moments.exact or run.moments.traces.numel() >= 8
    if budget < 220:  # 10 + 2 * 48 + 150 at least
        assert not runs[0].moments.exact


def test_columns_that_the_budget_does_not_pay_are_not_begun() -> None:
    pilot, more = (
        block_moments(MATRIX, PLACES[:1], gauss_statistic, Goal(1e-5, budget=budget), price)[0][0].moments
        for budget in (50, 190)
    )
    assert more.estimate(gauss_statistic).half_width() < 0.8 * pilot.estimate(gauss_statistic).half_width()


def test_the_caller_ends_it() -> None:
    seen = []

    def progress(report: object) -> bool:
        seen.append(report)
        return len(seen) < 4

    runs, _ = block_moments(MATRIX, PLACES, gauss_statistic, Goal(1e-5), price, progress=progress)
    assert runs[0].ended == "stopped"
    assert runs[0].moments.traces.numel() == 16

"""C9 on a landscape of the user's own: the batches' shares and the sum over pairs, by probes that are shared."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
import torch
from torch import nn

from egregium.claims import CLAIMS, Run, batches_target, reproduced, shared_probes, width
from egregium.claims.networks import train
from egregium.claims.pairs import parts_of
from egregium.claims.shared_probes import Probed, batches_of, sketched, traces_of
from egregium.errors import ArgumentError, OutOfMemoryError, UnsuitableError
from egregium.landscape import Landscape
from egregium.results import ClaimResult


@lru_cache(maxsize=1)
def _trained() -> nn.Module:
    model = width._network(16, torch.Generator().manual_seed(0))
    train(model, *width._digits(400), 60, width.DECAY)
    return model


def _land(sizes: tuple[int, ...] = (150, 150, 100), dtype: torch.dtype = torch.float64, **how: Any) -> Landscape:
    x, y = (torch.split(part[: sum(sizes)], sizes) for part in width._digits(400))
    data = [(part.to(dtype), classes) for part, classes in zip(x, y, strict=True)]
    return Landscape(_trained(), nn.CrossEntropyLoss(**how), data, dtype=dtype)


def _untrained(activation: Callable[[], nn.Module]) -> Landscape:
    x, y = width._digits(400)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 32), activation(), nn.Linear(32, 10))
    return Landscape(model, nn.CrossEntropyLoss(), [(x[:300].float(), y[:300]), (x[300:].float(), y[300:])])


def _run(land: Landscape) -> ClaimResult:
    return reproduced(CLAIMS["C9"], Run(), land)


@pytest.mark.parametrize(
    "land",
    [_land, lambda: _land(dtype=torch.float32), lambda: _untrained(nn.Tanh), lambda: _untrained(nn.ReLU)],
    ids=["float64", "float32", "untrained", "untrained ReLU"],
)
def test_it_holds_on_ragged_batches(land: Callable[[], Landscape]) -> None:
    result = _run(land())
    assert [check.verdict for check in result.checks] == ["holds", "holds"]
    assert result.checks[0].resolves > 0
    assert result.notes


def test_batches_of_one_size_hold_too() -> None:
    assert _run(_land((100, 100, 100))).verdict == "holds"


def test_wrong_shares_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    per_batch = shared_probes.gradients_per_batch

    def alike(*given: Any) -> Any:
        found = per_batch(*given)
        return type(found)(torch.ones_like(found.sizes), found.values)

    monkeypatch.setattr(shared_probes, "gradients_per_batch", alike)
    assert _run(_land()).checks[0].verdict == "fails"


def test_pairs_without_the_cross_terms_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    of_pairs = Probed.pairs
    monkeypatch.setattr(Probed, "pairs", lambda self: torch.diag(of_pairs(self).diagonal()))
    assert _run(_land()).checks[1].verdict == "fails"


def test_too_few_probes_are_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches_target, "SEEN", 1e-6)
    assert _run(_land()).checks[1].verdict == "undecided"


def test_a_whole_basis_leaves_nothing_to_the_probes() -> None:
    land = _small()
    batches, parts = batches_of(land), parts_of(land)
    sketch = sketched(batches, land.n, seed=0)
    torch.testing.assert_close(sketch.inner, parts.inner, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(sketch.samples(batches, 0, 2, 0)[1], parts.inner, rtol=1e-9, atol=1e-12)


def test_samples_are_unbiased_whatever_the_sketch() -> None:
    land = _small()
    batches, parts = batches_of(land), parts_of(land)
    samples = sketched(batches, 2, seed=0).samples(batches, 0, 1500, 0)
    error = samples.std(0) / len(samples) ** 0.5
    assert bool(((samples.mean(0) - parts.inner).abs() < 4 * error).all())
    probed = Probed(traces_of(batches, 0.01, 0), samples)
    torch.testing.assert_close(probed.pairs(), parts.pairs, rtol=0, atol=4 * float(error.max()))


def _small() -> Landscape:
    """n = 12."""
    draw = torch.Generator().manual_seed(0)
    x, y = (torch.randn(9, k, generator=draw, dtype=torch.float64) for k in (2, 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1, bias=False)).double()
    return Landscape(model, nn.MSELoss(), [(x[:2], y[:2]), (x[2:5], y[2:5]), (x[5:], y[5:])])


def test_a_single_batch_is_refused() -> None:
    with pytest.raises(ArgumentError, match="has one batch"):
        _run(_land((100,)))
    with pytest.raises(ArgumentError, match="has one batch"):
        _run(Landscape.from_function(lambda x: x @ x, torch.ones(3)))


def test_a_sum_is_refused() -> None:
    with pytest.raises(ArgumentError, match="their sum"):
        _run(_land(reduction="sum"))


def test_a_batch_without_terms_is_refused() -> None:
    x, y = width._digits(100)
    nothing, model = torch.full_like(y[:50], -100), _trained()
    with pytest.raises(ArgumentError, match="no loss terms"):
        _run(Landscape(model, nn.CrossEntropyLoss(), [(x[:50], nothing), (x[50:], y[50:])]))


def test_too_many_numbers_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_probes, "MOST", 1000)
    with pytest.raises(OutOfMemoryError, match="fewer, larger batches"):
        _run(_land())


def test_a_hessian_that_is_zero_is_refused() -> None:
    x, y = torch.randn(40, 3), torch.full((40, 1), 100.0)
    land = Landscape(nn.Linear(3, 1), nn.L1Loss(), [(x[:20], y[:20]), (x[20:], y[20:])])
    with pytest.raises(UnsuitableError, match="its Hessian is 0 here"):
        reproduced(CLAIMS["C9"], Run(), land, "mine")

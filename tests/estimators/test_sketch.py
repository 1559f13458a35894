"""The deflating sketch: unbiased, exact on its head, nothing lost when it deepens."""

import pytest
import torch
from known_spectra import matrix, scalar

from egregium.errors import ArgumentError
from egregium.estimators.sketch import begun, deepened, effective_rank, empty_sketch, orthonormal_, widened
from egregium.operators import Dense
from egregium.stats import pair_mean

KINDS = ["network", "decay", "flat", "traceless", "huge"]


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_unbiased_given_the_sketch(kind: str) -> None:
    """One sketch, 4,000 probes: the means of both samples within 4.5 standard errors of the truth."""
    A = matrix(kind)
    sketch = widened(Dense(A), begun(Dense(A), 8, 1, 16), 4_000)
    for samples, truth in ((sketch.traces, A.trace()), (sketch.squares, (A**2).sum())):
        error = samples.std() / 4_000**0.5
        assert abs(samples.mean() - truth) < 4.5 * error + 1e-9 * truth.abs()


@pytest.mark.parametrize("kind", ["network", "traceless"])
def test_curvature_is_unbiased_over_sketches(kind: str) -> None:
    """The pair mean of 3 probes and their mean square, over 1,500 sketches; the squared mean would be biased."""
    A, op = matrix(kind, 60), Dense(matrix(kind, 60))
    runs = (widened(op, begun(op, 4, seed, 16), 3) for seed in range(1_500))
    values = torch.stack([pair_mean(s.traces) - s.squares.mean() for s in runs])
    assert abs(values.mean() - scalar(A)) < 4 * values.std() / 1_500**0.5


def test_the_basis_is_orthonormal_at_every_depth() -> None:
    op = Dense(matrix("network").float())
    sketch = widened(op, begun(op, 16, 0, 16), 12)
    for depth in (28, 40):
        sketch = widened(op, deepened(op, sketch), 12)
        assert sketch.depth == depth
        basis = torch.cat(sketch.basis)
        image = op @ basis.T
        assert (basis @ basis.T - torch.eye(depth)).abs().max() < 1e-5
        assert torch.allclose(sketch.core, (basis @ image).double(), atol=1e-4)
        assert sketch.image_square == pytest.approx(float(image.double().square().sum()), rel=1e-5)


@pytest.mark.parametrize(("kind", "n"), [("network", 200), ("flat", 400), ("rank 3", 200)])
def test_effective_rank_of_products(kind: str, n: int) -> None:
    """(tr A^2)^2 / tr A^4 from 64 products, within a third; infinite for none, and for a matrix of zeros."""
    A = matrix(kind, n)
    squared = A @ A
    rank = float(squared.trace() ** 2 / squared.square().sum())
    found = effective_rank(widened(Dense(A), empty_sketch(0), 64).remainders)
    assert found == pytest.approx(rank, rel=1 / 3)
    assert effective_rank(()) == effective_rank(widened(Dense(0 * A), empty_sketch(0), 4).remainders) == float("inf")


def test_deepening_counts_every_product_once() -> None:
    op = Dense(matrix("network"))
    sketch = widened(op, begun(op, 16, 0, 16), 12)
    assert sketch.cost.products == 16 + 16 + 12
    assert widened(op, deepened(op, sketch), 12).cost.products == 16 + 16 + 12 + 12 + 12


def test_deflation_lowers_the_deviation() -> None:
    op = Dense(matrix("network"))
    plain = widened(op, empty_sketch(0), 200)
    deflated = widened(op, begun(op, 16, 0, 16), 200)
    assert deflated.traces.std() < plain.traces.std() / 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_low_rank_is_exhausted(dtype: torch.dtype) -> None:
    """A matrix of rank 3 is all head: every probe gives the exact numbers, to rounding."""
    A = matrix("rank 3").to(dtype)
    sketch = widened(Dense(A), begun(Dense(A), 16, 0, 16), 5)
    assert sketch.depth == 3
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    assert torch.allclose(sketch.traces, torch.full((5,), 6.0, dtype=torch.float64), rtol=tolerance)
    assert torch.allclose(sketch.squares, torch.full((5,), 14.0, dtype=torch.float64), rtol=tolerance)


def test_a_sketch_of_everything_and_of_nothing() -> None:
    A = matrix("decay", 10)
    sketches = (begun(Dense(A), 16, seed, 16) for seed in range(50))
    full = next(sketch for sketch in sketches if sketch.depth == 10)  # signs may be singular
    sketch = widened(Dense(A), full, 4)
    assert torch.allclose(sketch.traces, A.trace().expand(4))
    zero = widened(Dense(0 * A), begun(Dense(0 * A), 16, 0, 16), 4)
    assert zero.depth == 0
    assert zero.traces.tolist() == [0] * 4


def test_blocks_change_rounding_only() -> None:
    op = Dense(matrix("network"))
    once = widened(op, begun(op, 8, 0, 16), 12)
    twice = widened(op, widened(op, begun(op, 8, 0, 16), 5), 7)
    assert torch.allclose(once.traces, twice.traces, rtol=1e-12)
    assert torch.allclose(once.squares, twice.squares, rtol=1e-12)


def test_orthonormal_drops_what_is_dependent() -> None:
    v = torch.randn(4, 30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    basis = orthonormal_(v[:2].clone(), [], 1e-8)
    rows = torch.cat([torch.ones(2, 2, dtype=torch.float64) @ v[:2], v[2:]])
    new = orthonormal_(rows, [basis], 1e-8)
    assert new.shape == (2, 30)
    assert (basis @ new.T).abs().max() < 1e-12
    assert new.data_ptr() == rows.data_ptr()  # in place


@pytest.mark.parametrize("block", [1, 3, 5, 16])
def test_the_sketch_does_not_depend_on_the_block(block: int) -> None:
    """In float64 the span, and so every sample, is the same however the products are streamed."""
    op = Dense(matrix("network"))
    whole = widened(op, deepened(op, widened(op, begun(op, 16, 0, 16), 16)), 16)
    streamed = begun(op, 16, 0, block)
    for _ in range(2):
        for first in range(0, 16, block):
            streamed = widened(op, streamed, min(block, 16 - first))
        if _ == 0:
            streamed = deepened(op, streamed)
    assert torch.allclose(whole.traces, streamed.traces, rtol=1e-9)
    assert torch.allclose(whole.squares, streamed.squares, rtol=1e-9)
    assert whole.depth == streamed.depth == 32


def test_no_more_products_are_held_than_allowed() -> None:
    op = Dense(matrix("network"))
    sketch = begun(op, 4, 0, 16)
    for k in (5, 5, 5):
        sketch = widened(op, sketch, k, kept=7)
    assert (sketch.probes, sketch.kept) == (15, 7)
    assert deepened(op, sketch).depth == 11
    assert widened(op, begun(op, 4, 0, 16), 5, kept=0).kept == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_not_symmetric_is_refused(dtype: torch.dtype) -> None:
    A = matrix("network").to(dtype)
    slightly = A + 0.05 * torch.randn(A.shape, generator=torch.Generator().manual_seed(0), dtype=dtype).triu(1)
    with pytest.raises(ArgumentError, match="not symmetric"):
        begun(Dense(slightly), 16, 0, 16)

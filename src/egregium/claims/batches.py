"""C9: R of a mean loss from its mini-batches, and what a single mini-batch shows of it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from egregium.claims.batch_size import by_size, samples_of_network
from egregium.claims.batches_target import on_target
from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.pairs import parts_of
from egregium.geometry.reference import tensors
from egregium.landscape import Landscape
from egregium.measurement import batch_curvatures
from egregium.results import Chart, Check

DOUBLE = torch.float64
#: Of sums of products, relative to the sizes of what is added up.
ROUNDING = 1e-10
#: Sizes of the batches of the quadratics; and of the network's, as shares of the samples.
COUNTS, SHARES = (1.0, 2.0, 5.0), (0.08, 0.17, 0.3, 0.45)

#: f_b(theta) = (theta - centre)^T A (theta - centre) / 2, counted so often.
Quadratic = tuple[Tensor, Tensor, Tensor]


def _run(run: Run) -> Outcome:
    draw = torch.Generator().manual_seed(run.seed)
    checks = [*_flat_batches(), *_different_centres(draw)]
    charts = list[Chart]()
    for i, steps in enumerate((0, run.pick(60, 200))):
        run.advance(f"a network, {steps} steps", 0.05 + 0.45 * i)
        samples = samples_of_network(steps, run, draw)
        order = torch.randperm(len(samples.y), generator=draw)
        sizes = [round(share * len(order)) for share in SHARES[:-1]]
        ragged = torch.split(order, [*sizes, len(order) - sum(sizes)])
        checks += _decomposed(samples.name, samples.land(ragged), torch.tensor([float(len(b)) for b in ragged]))
        run.advance(f"{samples.name}: random batches", 0.3 + 0.45 * i)
        found, more = by_size(samples, run, draw)
        checks += found
        charts += more
    return Outcome(tuple(checks), tuple(charts))


class _Point(nn.Module):
    """A model that is its parameters."""

    def __init__(self, theta: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(theta)

    def forward(self) -> Tensor:
        return self.theta


def _quadratics(batches: Sequence[Quadratic], theta: Tensor) -> Landscape:
    def loss(model: nn.Module, batch: Quadratic) -> tuple[Tensor, float]:
        A, centre, count = batch
        x = model() - centre
        return count * (x @ A @ x) / 2, float(count)

    return Landscape(_Point(theta), batch_loss=loss, data=list(batches))


def _flat_batches() -> list[Check]:
    """u^2 on one batch and v^2 on the other: each is flat, and their mean is not, R = (1 + 1)^2 - 2."""
    one, zero = torch.ones((), dtype=DOUBLE), torch.zeros(2, dtype=DOUBLE)
    batches = [(torch.diag(torch.tensor(d, dtype=DOUBLE)), zero, one) for d in ((2.0, 0.0), (0.0, 2.0))]
    land, name = _quadratics(batches, zero), "u² on one batch, v² on the other"
    found, why = batch_curvatures(land, method="exact"), "rounding in float64"
    flattest = float(found.values.abs().max())
    pairs = parts_of(land).curvature_by_pairs(torch.full((2,), 0.5, dtype=DOUBLE))
    return [
        Check("R of the mean loss, known", name, found.whole.value, 2.0, ROUNDING, why),
        Check("R as the sum over pairs of batches", name, pairs, 2.0, ROUNDING, why, resolves=1.0),
        Check("|R| of every batch", name, flattest, 0.0, ROUNDING, why),
    ]


def _different_centres(draw: torch.Generator) -> list[Check]:
    """Quadratics in three variables that do not agree on their minimum: at that of the mean, and away from it."""
    batches = list[Quadratic]()
    for count in COUNTS:
        B, centre = (torch.randn(3, k, generator=draw, dtype=DOUBLE) for k in (3, 1))
        batches.append((B + B.T, centre[:, 0], torch.tensor(count, dtype=DOUBLE)))
    weights = torch.tensor(COUNTS, dtype=DOUBLE) / sum(COUNTS)
    A = sum(w * A for w, (A, _, _) in zip(weights, batches, strict=True))
    pull = sum(w * A @ centre for w, (A, centre, _) in zip(weights, batches, strict=True))
    assert isinstance(A, Tensor)
    assert isinstance(pull, Tensor)
    critical = torch.linalg.solve(A, pull)

    def f(theta: Tensor) -> Tensor:
        terms = [w * ((theta - c) @ H @ (theta - c)) / 2 for w, (H, c, _) in zip(weights, batches, strict=True)]
        return torch.stack(terms).sum()

    checks = list[Check]()
    for name, theta in (("their mean's critical point", critical), ("away from it", critical + 0.5)):
        subject = f"three quadratics with different centres, {name}"
        land, size = _quadratics(batches, theta), float(A.trace() ** 2 + A.square().sum())
        pairs = parts_of(land).curvature_by_pairs(weights)
        defined, what = tensors(f, theta).scalar_curvature, "sum over pairs of batches = R by tensors"
        checks.append(Check(what, subject, pairs, defined, 10 * ROUNDING * max(size, 1.0), "rounding in float64"))
        checks += _decomposed(subject, land, torch.tensor(COUNTS))
    return checks


def _decomposed(subject: str, land: Landscape, counts: Tensor) -> list[Check]:
    """The sum over pairs against R, each batch's own R against its closed form; and what is neither."""
    weights, equal = counts.double() / counts.sum(), torch.full((len(counts),), 1 / len(counts), dtype=DOUBLE)
    parts, single = parts_of(land), batch_curvatures(land, method="exact")
    R, tolerance, why = single.whole.value, ROUNDING * parts.size, "rounding in float64"
    by_pairs, by_equal = parts.curvature_by_pairs(weights), parts.curvature_by_pairs(equal)
    own = parts.curvatures(torch.eye(len(counts), dtype=DOUBLE))
    worst, first = int((single.values - own).abs().argmax()), float(single.values[0])
    added, of_first = float(weights @ single.values), float(parts.pairs[0, 0])
    exact = subject, float(single.values[worst]), float(own[worst]), tolerance, why
    return [
        Check(
            "R of the mean loss = sum over pairs of batches, weighted by their sizes",
            subject,
            by_pairs,
            R,
            tolerance,
            why,
            resolves=abs(by_equal - R) / 2,
        ),
        Check("R of a batch = closed form with its own gradient", *exact, resolves=abs(of_first - first) / 2),
        _refuted("batches of different sizes weighted equally: R", subject, by_equal, R, tolerance),
        _refuted("mean of the batches' own R: R", subject, added, R, tolerance),
        _refuted("T(H_b, H_b) of a batch: its own R", subject, of_first, first, tolerance),
    ]


def _refuted(what: str, subject: str, found: float, expected: float, tolerance: float) -> Check:
    return Check(what, subject, found, expected, tolerance, "rounding in float64", "differs from", outside=True)


CLAIM = Claim(
    id="C9",
    title="Mini-batches: R is a sum over pairs of them, not over batches",
    statement=(
        "With T(A, B) = tr A tr B − tr(AB) and a mean loss f = Σ w_b f_b, R = β Σ_bc w_b w_c T(H_b, H_c) + 2β² Σ_bc "
        "w_b w_c [gᵀH_b H_c g − tr(H_b) gᵀH_c g], g and β of f. So batches that are flat can have a curved mean. Over "
        "batches of m of N samples E T(H_b, H_b) = T(H, H) + (N − m)/(m (N − 1)) [mean of T(H_i, H_i) − T(H, H)]."
    ),
    source="arXiv 2307.04719, mini-batches; the second moment is that of sampling without replacement",
    condition=(
        "f is the mean of its loss terms, and w_b is a batch's share of them. T(H_b, H_b) is the scalar curvature of "
        "f_b at its critical points, which those of the mean are not in general; the expectation is over batches drawn "
        "uniformly without replacement."
    ),
    simulated=(
        "Quadratics that disagree on their minimum, as batches of unequal sizes; a tanh network on digits, at "
        "initialisation and trained: dense Hessians of all samples, ragged batches, and thousands of random batches of "
        "each size."
    ),
    run=_run,
    on_target=on_target,
    simulated_on_target=(
        "Hessian products of each of the target's batches with shared probes; R of the mean loss by other probes."
    ),
)

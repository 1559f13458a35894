"""C9 over batches that are drawn at random: the mean of T(H_b, H_b) by their size, and how R spreads over them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from egregium.claims.claim import Run
from egregium.claims.networks import dense_network, pooled_digits, train
from egregium.claims.pairs import Parts, expected_pair, parts_of
from egregium.landscape import Landscape
from egregium.results import Chart, Check, Series
from egregium.stats import mean_half_width

DOUBLE = torch.float64
#: Level of every interval.
CONFIDENCE = 0.9999
#: Of sums of thousands of products, relative to what is added up.
ROUNDING = 1e-10
#: Weight decay in training, not in f: single samples keep some curvature.
DECAY = 1e-3
#: Batches of a size whose R is found, of those that are drawn; points of its distribution that are shown.
LOOKED_AT, POINTS = 500, 41


@dataclass(frozen=True, eq=False)
class Samples:
    """A network on N samples at one point, and each sample's gradient and dense Hessian."""

    name: str
    model: nn.Module
    x: Tensor
    y: Tensor

    def land(self, batches: Sequence[Tensor]) -> Landscape:
        """With these samples as batches."""
        return Landscape(self.model, nn.CrossEntropyLoss(), [(self.x[b], self.y[b]) for b in batches])

    def parts(self) -> Parts:
        """Of single samples."""
        return parts_of(self.land(torch.split(torch.arange(len(self.y)), 1)))


@dataclass(frozen=True, eq=False)
class Drawn:
    """Batches of one size.

    Attributes:
        T: T(H_b, H_b) of each, less its part that is linear in H_b - H: of mean 0, and most of the spread.
        R: of some of them. expected: the mean of T in theory.
    """

    size: int
    T: Tensor
    R: Tensor
    expected: float


def samples_of_network(steps: int, run: Run, draw: torch.Generator) -> Samples:
    """tanh, 16-6-10 (full: 16-10-10), on digits of 4 x 4 mean pixels."""
    x, y = pooled_digits(run.pick(64, 128), pool=2)
    model = dense_network((16, run.pick(6, 10), 10), seed=int(torch.randint(2**31, (), generator=draw)))
    if steps:
        train(model, x, y, steps, DECAY)
    return Samples(f"tanh network on {len(x)} digits, {steps} steps", model, x, y)


def by_size(samples: Samples, run: Run, draw: torch.Generator) -> tuple[list[Check], list[Chart]]:
    """Checks and charts over random batches of four sizes."""
    parts, N = samples.parts(), len(samples.y)
    drawn = [_drawn(parts, m, run.pick(20_000, 100_000), draw) for m in (2, N // 16, N // 4, N // 2)]
    checks = [_of_mean(samples.name, d, parts) for d in drawn]
    checks.append(_measured(samples, parts, [torch.randperm(N, generator=draw)[: d.size] for d in drawn]))
    R = float(parts.curvatures(torch.full((1, N), 1 / N, dtype=DOUBLE))[0])
    single = float(parts.curvatures(torch.eye(N, dtype=DOUBLE)).mean())
    why, what = "rounding in float64", "mean of all single samples' own R: R"
    checks.append(Check(what, samples.name, single, R, ROUNDING * parts.size, why, "differs from", outside=True))
    return checks, [_chart_of_means(samples.name, drawn, parts, R), _chart_of_spread(samples.name, drawn, R)]


def _drawn(parts: Parts, size: int, draws: int, draw: torch.Generator) -> Drawn:
    N, pairs = len(parts.gradients), parts.pairs
    chosen = torch.rand(draws, N, generator=draw).argsort(1)[:, :size]
    weights = torch.zeros(draws, N, dtype=DOUBLE).scatter_(1, chosen, 1 / size)
    linear = 2 * (weights - 1 / N) @ pairs.mean(1)
    T = ((weights @ pairs) * weights).sum(1) - linear
    return Drawn(size, T, parts.curvatures(weights[:LOOKED_AT]), expected_pair(pairs, size))


def _of_mean(subject: str, drawn: Drawn, parts: Parts) -> Check:
    """The mean of T over batches: small ones must tell it from T(H, H), large ones from drawing with repetition."""
    m, N, whole = drawn.size, len(parts.gradients), float(parts.pairs.mean())
    repeated = whole + (float(parts.pairs.diagonal().mean()) - whole) / m
    rival = repeated if 2 * m >= N else whole
    return Check(
        f"mean of T(H_b, H_b) over batches of {m}",
        subject,
        float(drawn.T.mean()),
        drawn.expected,
        _half_width(drawn.T),
        f"Student's interval over batches at {100 * CONFIDENCE:g} %, without what is linear in H_b − H, of mean 0",
        resolves=abs(drawn.expected - rival) / 2,
    )


def _measured(samples: Samples, parts: Parts, batches: Sequence[Tensor]) -> Check:
    """T of batches by their own Hessians against its sum over pairs of samples, where they differ most."""
    own = parts_of(samples.land(batches)).pairs.diagonal()
    by_pairs = torch.stack([parts.pairs[b][:, b].mean() for b in batches])
    worst = int((own - by_pairs).abs().argmax())
    what = "T(H_b, H_b) of a batch = mean over pairs of its samples"
    return Check(
        what, samples.name, float(own[worst]), float(by_pairs[worst]), ROUNDING * parts.size, "rounding in float64"
    )


def _half_width(x: Tensor) -> float:
    return mean_half_width(x, CONFIDENCE)


def _chart_of_means(name: str, drawn: Sequence[Drawn], parts: Parts, R: float) -> Chart:
    sizes, N = tuple(float(d.size) for d in drawn), len(parts.gradients)
    all_sizes = [m for m in (2**k for k in range(N.bit_length())) if m < N] + [N]
    T, own = (tuple(float(x.mean()) for x in values) for values in ([d.T for d in drawn], [d.R for d in drawn]))
    return Chart(
        f"Small batches have another curvature on average: {name}",
        f"One point. Means over {len(drawn[0].T):,} random batches of each size "
        f"({len(drawn[0].R):,} for R), with intervals at {100 * CONFIDENCE:g} %; the lines are exact.",
        "samples in a batch",
        "curvature",
        (
            Series("T(H_b, H_b) in theory", tuple(map(float, all_sizes)), _theory(parts, all_sizes), mark="line"),
            Series("R of all samples", (1.0, float(N)), (R, R), mark="line"),
            Series("T(H_b, H_b)", sizes, T, tuple(_half_width(d.T) for d in drawn)),
            Series("R of the batch", sizes, own, tuple(_half_width(d.R) for d in drawn)),
        ),
        x_scale="log",
    )


def _theory(parts: Parts, sizes: Sequence[int]) -> tuple[float, ...]:
    return tuple(expected_pair(parts.pairs, m) for m in sizes)


def _chart_of_spread(name: str, drawn: Sequence[Drawn], R: float) -> Chart:
    shares = torch.linspace(0, 1, POINTS, dtype=DOUBLE)
    spread = (
        Series(f"batches of {d.size}", tuple(d.R.quantile(shares).tolist()), tuple(shares.tolist())) for d in drawn
    )
    return Chart(
        f"R from batch to batch: {name}",
        f"One point: of {len(drawn[0].R):,} random batches, the share whose R is below.",
        "R of the batch",
        "share of batches",
        (Series("R of all samples", (R, R), (0.0, 1.0), mark="line"), *spread),
    )

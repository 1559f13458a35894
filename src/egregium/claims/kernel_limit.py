"""C8 on linear models: 1/r against the width, beside the closed form of the kernel that they tend to."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from egregium.claims.claim import Run
from egregium.claims.curves import CONFIDENCE
from egregium.claims.features import (
    Moments,
    fourier_features,
    fourier_moments,
    least_squares,
    relu_features,
    relu_moments,
)
from egregium.measurement import scalar_curvature
from egregium.results import Chart, Check, Series
from egregium.stats import mean_half_width

DOUBLE = torch.float64
#: Of numbers of order 1 that add up thousands of products.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Regime:
    """A linear model on random features of data that may grow with the width.

    Attributes:
        name: for the reader. widths: to look at.
        features: width, generator -> (N, width). moments: width -> theirs, in closed form.
        reaches: whether R -> (tr H)^2 here.
    """

    name: str
    widths: tuple[int, ...]
    features: Callable[[int, torch.Generator], Tensor]
    moments: Callable[[int], Moments]
    reaches: bool = False


def regimes(run: Run, x: Tensor) -> list[Regime]:
    """Fixed data, data that grow, and data whose dimension grows too."""
    of_relu = relu_moments(x)
    widths = run.pick((8, 32, 128, 512), (8, 32, 128, 512, 2048))
    return [
        Regime(f"random ReLU features of {len(x)} digits", widths, partial(relu_features, x), lambda _: of_relu),
        _gaussian("as many samples as features, in 4 dimensions", widths, lambda _: 4),
        _gaussian(
            "as many samples as features, dimension growing too", widths, lambda w: round(2 * math.log2(w)), True
        ),
    ]


def _gaussian(name: str, widths: tuple[int, ...], dimension: Callable[[int], int], reaches: bool = False) -> Regime:
    return Regime(
        f"random Fourier features, {name}",
        widths,
        lambda w, draw: fourier_features(w, dimension(w), w, draw),
        lambda w: fourier_moments(w, dimension(w)),
        reaches,
    )


def against_kernel(regime: Regime, draws: int, draw: torch.Generator) -> tuple[list[Check], list[Series]]:
    """At each width the mean over draws against its closed form; at the widest what becomes of R."""
    at_widest = regime.moments(regime.widths[-1])
    level = 1 - (1 - CONFIDENCE) / len(regime.widths)  # of each, so that all hold together (Bonferroni)
    found, halves, expected, checks = list[float](), list[float](), list[float](), list[Check]()
    for w in regime.widths:
        moments = regime.moments(w)
        F, t2 = _gram_moments(regime, w, min(draws, max(draws * 64 // w, 24)), draw)
        expected.append(moments.inverse_rank(w))
        off = F - expected[-1] * t2  # of mean 0: a ratio of means without its bias
        found.append(float(F.mean() / t2.mean()))
        halves.append(mean_half_width(off, level) / float(t2.mean()))
        rival = moments.inverse_rank() if w == regime.widths[0] else 0.0
        checks.append(
            Check(
                f"1/r at width {w} = |K|_F²/(tr K)² of the kernel, and its 1/w",
                regime.name,
                found[-1],
                expected[-1],
                halves[-1],
                f"Student's interval over draws, at {100 * CONFIDENCE:g} % for all widths together",
                resolves=abs(expected[-1] - rival) / 2,
            )
        )
    checks += _of_curvature(regime, found[-1], halves[-1], at_widest.inverse_rank(regime.widths[-1]), draw)
    x = tuple(map(float, regime.widths))
    exact = Series(f"{regime.name}: closed form", x, tuple(expected), mark="line")
    return checks, [Series(regime.name, x, tuple(found), tuple(halves)), exact]


def _gram_moments(regime: Regime, width: int, draws: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """(|K|_F^2, (tr K)^2) of each draw's Gram matrix of means, over N^2."""
    pairs = list[tuple[float, float]]()
    for _ in range(draws):
        phi = regime.features(width, draw)
        K = phi @ phi.T / (width * len(phi))
        pairs.append((float(K.square().sum()), float(K.trace()) ** 2))
    F, t2 = torch.tensor(pairs, dtype=DOUBLE).T
    return F, t2


def _of_curvature(regime: Regime, found: float, half: float, expected: float, draw: torch.Generator) -> list[Check]:
    """R of one of these landscapes, and whether R/(tr H)^2, on average, reaches 1."""
    w = regime.widths[-1]
    phi = regime.features(w, draw)
    R = scalar_curvature(least_squares(phi, draw), method="dual").value
    H = 2 * phi @ phi.T / (w * len(phi))
    known = float(H.trace() ** 2 - H.square().sum())
    checks = [Check("R = (tr H)² (1 − 1/r)", regime.name, R, known, ROUNDING * abs(known), "rounding in float64")]
    why = f"Student's interval over draws, at {100 * CONFIDENCE:g} % for all widths together"
    if regime.reaches:
        what, least = f"R/(tr H)² → 1: at width {w} within 4/width", 1 - 4 / w
        checks.append(Check(what, regime.name, 1 - found, least, half, why, "at least", resolves=2 / w))
    else:
        what = f"R/(tr H)² at width {w}: R → (tr H)² as the width grows"
        shown = (what, regime.name, 1 - found, 1.0, half, why)
        checks.append(Check(*shown, "differs from", resolves=expected / 2, outside=True))
    return checks


def chart_of(series: Sequence[Series]) -> Chart:
    """All regimes, measured and in closed form."""
    return Chart(
        "Least squares on random features: only data of growing dimension take 1/r to 0",
        "Points are means over random features (and samples, where they are random), with intervals; lines are the "
        "closed form from the infinitely wide model's kernel and its 1/w correction.",
        "number of features w",
        "1/r = |H|_F² / (tr H)²",
        tuple(series),
        x_scale="log",
        y_scale="log",
    )

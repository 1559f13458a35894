"""C8: over-parameterisation. |H|_F^2/|H|_*^2 falls with the width, and levels off where the data stay as they are."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.curves import CONFIDENCE, Curve
from egregium.claims.kernel_limit import against_kernel, chart_of, regimes
from egregium.claims.networks import dense_network, train
from egregium.curvature import hessian
from egregium.datasets import digits
from egregium.landscape import Landscape
from egregium.measurement import scalar_curvature, squared_frobenius, trace
from egregium.operators import dense_matrix
from egregium.results import Chart, Check, Series

DOUBLE = torch.float64
#: Digits where their number is fixed; units above which a network is wide; units for each sample where data grow.
SAMPLES, WIDE, UNITS = 64, 128, 16
#: (lam / 2) |theta|^2 in training, so that there is a minimum.
DECAY = 1e-3
NUMBERS = (scalar_curvature, trace, squared_frobenius)
#: Of numbers of order 1 that add up thousands of products.
ROUNDING = 1e-9


def _run(run: Run) -> Outcome:
    draw = torch.Generator().manual_seed(run.seed)
    checks, lines = list[Check](), list[Series]()
    for regime in regimes(run, _digits(SAMPLES)[0]):
        run.advance(regime.name, 0.0)
        found, series = against_kernel(regime, run.pick(256, 1024), draw)
        checks += found
        lines += series
    run.advance("networks at initialisation", 0.2)
    fixed, growing = _initialised(run, draw)
    checks += [fixed.fall(WIDE, 0.5), fixed.level(WIDE), fixed.short_of_limit()]
    checks += [
        growing.fall(WIDE, 1.0),
        growing.level(4 * WIDE),
        growing.short_of_limit(),
    ]  # at WIDE the samples are few
    checks += _indefinite(draw)
    run.advance("trained networks", 0.6)
    trained, of_ggn, widest = _trained(run, draw)
    checks += [trained.fall(WIDE, 1.0), trained.level(WIDE), *_at_minimum(widest, trained.widths[-1])]
    charts = _chart_of_networks([fixed, growing, trained, of_ggn]), chart_of(lines)
    return Outcome(tuple(checks), charts, (_note(trained, of_ggn),))


def _digits(samples: int, draw: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """The first ones, or some at random."""
    data = digits()[0]
    chosen = torch.arange(len(data)) if draw is None else torch.randperm(len(data), generator=draw)
    return data.inputs[chosen[:samples]].double(), data.targets[chosen[:samples]]


def _network(width: int, draw: torch.Generator) -> nn.Module:
    """tanh, 64-width-10, at torch's own initialisation."""
    return dense_network((64, width, 10), seed=int(torch.randint(2**31, (), generator=draw)))


def _landscape(model: nn.Module, data: tuple[Tensor, Tensor], decay: float = 0.0) -> Landscape:
    return Landscape(model, nn.CrossEntropyLoss(), data, weight_decay=decay)


def _inverse_rank_of_ggn(land: Landscape) -> float:
    """|G|_F^2 / (tr G)^2, exact at any n; G is positive semi-definite, so tr G is its nuclear norm."""
    square, t = (number(land, operator="ggn", method="dual").value for number in (squared_frobenius, trace))
    return square / t**2


def _inverse_rank(land: Landscape) -> float:
    """|H|_F^2 / (tr H)^2, to 1 %."""
    return squared_frobenius(land).value / trace(land).value ** 2


def _initialised(run: Run, draw: torch.Generator) -> tuple[Curve, Curve]:
    """1/r of G for untrained networks: with fixed data, and with random samples as many as the width allows."""
    widths = run.pick((8, 32, 128, 512, 2048), (8, 32, 128, 512, 2048, 8192))

    def at(width: int, data: Callable[[], tuple[Tensor, Tensor]]) -> Tensor:
        count = run.pick((32, 16, 8), (48, 24, 8))[(width > widths[0]) + (width > 4 * WIDE)]
        nets = (_landscape(_network(width, draw), data()) for _ in range(count))
        return torch.tensor([_inverse_rank_of_ggn(land) for land in nets], dtype=DOUBLE)

    fixed = tuple(at(w, partial(_digits, SAMPLES)) for w in widths)
    run.advance("networks at initialisation, data growing", 0.4)
    growing = tuple(at(w, partial(_digits, max(w // UNITS, 1), draw)) for w in widths)
    return (
        Curve(f"tanh networks at initialisation, {SAMPLES} digits", widths, fixed),
        Curve(f"tanh networks at initialisation, a digit for {UNITS} units", widths, growing),
    )


def _indefinite(draw: torch.Generator) -> list[Check]:
    """H itself at initialisation, where it is indefinite: its trace is not its nuclear norm."""
    land = _landscape(_network(8, draw), _digits(SAMPLES))
    eigenvalues = torch.linalg.eigvalsh(dense_matrix(hessian(land)))
    nuclear, t = float(eigenvalues.abs().sum()), float(eigenvalues.sum())
    why = "rounding in float64"
    name = f"tanh network of width 8 at initialisation, {land.n} parameters, dense H"
    return [Check("|H|_* ≠ tr H", name, nuclear, t, ROUNDING * nuclear, why, "differs from", outside=True)]


def _trained(run: Run, draw: torch.Generator) -> tuple[Curve, Curve, nn.Module]:
    """1/r of H and of G alone, without the penalty, at minima of the loss with it; and one of the widest networks."""
    widths, steps = run.pick((8, 32, 128, 512), (8, 32, 128, 512, 2048)), run.pick(60, 200)
    values, model, data = list[tuple[Tensor, Tensor]](), nn.Module(), _digits(SAMPLES)
    for i, w in enumerate(widths):
        run.advance(f"trained networks of width {w}", 0.6 + 0.4 * i / len(widths))
        found = list[tuple[float, float]]()
        for _ in range(run.pick(16, 24) if not i else run.pick(5, 8)):
            model = _network(w, draw)
            train(model, *data, steps, DECAY)
            land = _landscape(model, data)
            found.append((_inverse_rank(land), _inverse_rank_of_ggn(land)))
        of_H, of_G = torch.tensor(found, dtype=DOUBLE).T
        values.append((of_H, of_G))
    name, (of_hessian, of_ggn) = f"trained tanh networks, {SAMPLES} digits", zip(*values, strict=True)
    return Curve(name, widths, of_hessian), Curve(f"{name}, G alone", widths, of_ggn), model


def _at_minimum(model: nn.Module, width: int) -> list[Check]:
    """R/(tr H)^2 of a trained network; and 1/r with the penalty in f: all n eigenvalues rise by lam, and so does r."""
    data, lam = _digits(SAMPLES), DECAY
    land, penalised = _landscape(model, data), _landscape(model, data, lam)
    R, t, F = (number(land, rtol=0.005, confidence=CONFIDENCE) for number in NUMBERS)
    rank = F.value / t.value**2
    subject, level = f"trained tanh network of width {width}, {SAMPLES} digits", f"at {100 * CONFIDENCE:g} %"
    short = Check(
        "R/(tr H)²: R → (tr H)² as the width grows",
        subject,
        R.value / t.value**2,
        1.0,
        R.half_width() / t.value**2 + 2 * t.half_width() / t.value,
        f"intervals of two estimates {level}",
        "differs from",
        resolves=rank / 2,
        outside=True,
    )
    _, T, S = (number(penalised, rtol=0.005, confidence=CONFIDENCE) for number in NUMBERS)
    whole = (t.value + lam * land.n) ** 2
    expected, found = (F.value + 2 * lam * t.value + lam**2 * land.n) / whole, S.value / T.value**2
    relative = sum(2 * e.half_width() / e.value for e in (t, T)) * found
    with_penalty = Check(
        "with λ|θ|²/2 in f, 1/r = (|H|_F² + 2λ tr H + λ²n)/(tr H + λn)²",
        f"{subject}, weight decay in f",
        found,
        expected,
        (F.half_width() + S.half_width()) / whole + relative + ROUNDING,
        f"intervals of four estimates {level}",
        resolves=(rank - expected) / 2,
    )
    return [short, with_penalty]


def _note(trained: Curve, of_ggn: Curve) -> str:
    narrow, widest = trained.widths[0], trained.widths[-1]
    return (
        f"H = G + D, and D is not small at these minima: from width {narrow} to {widest} 1/r of H goes from "
        f"{trained.mean(narrow):.3g} to {trained.mean(widest):.3g}, that of G alone from {of_ggn.mean(narrow):.3g} to "
        f"{of_ggn.mean(widest):.3g}. Of untrained networks 1/r is that of G: their H is indefinite."
    )


def _chart_of_networks(curves: Sequence[Curve]) -> Chart:
    return Chart(
        "Wider networks: 1/r falls, then levels off",
        "Tanh networks 64-w-10 on digits. Each point is a mean over networks that differ in their initialisation "
        f"(and samples, where these grow), with its interval at {100 * CONFIDENCE:g} %. At a minimum "
        "R = (tr H)² (1 − 1/r).",
        "width w",
        "1/r = |H|_F² / (tr H)²",
        tuple(curve.series() for curve in curves),
        x_scale="log",
        y_scale="log",
    )


CLAIM = Claim(
    id="C8",
    title="Over-parameterisation: R tends to (tr H)² as far as the data let the rank grow",
    statement=(
        "With the width of a network 1/r = |H|_F²/|H|_*² falls, and with it R = (tr H)² (1 − 1/r) tends to (tr H)². "
        "At fixed data it falls and then levels off: the spectrum of the Gauss-Newton matrix G tends to that of the "
        "kernel matrix, whose r is finite. R → (tr H)² needs r → ∞."
    ),
    source="arXiv 2307.04719, over-parameterised networks; kernel limit: Jacot, Gabriel, Hongler, arXiv 1806.07572",
    condition=(
        "H ≥ 0 and a critical point, so that |H|_* = tr H and R = (tr H)² (1 − 1/r): minima, or G in the place of H. "
        "For the limit 0 of 1/r, data whose number and dimension grow with the width, or weight decay in f; more data "
        "of the same distribution are not enough."
    ),
    simulated=(
        "Least squares on random ReLU features of digits and on random Fourier features of Gaussian data, beside the "
        "closed form of their kernels; G of untrained tanh networks on digits, exactly, by inner products of samples; "
        "H of networks trained with weight decay. Widths over two to three decades, several networks at each."
    ),
    run=_run,
    refusal="it is about networks of different widths, and a landscape has one.",
)

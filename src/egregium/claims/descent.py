"""Stochastic gradient descent from a minimum, and how far the covariance of its gradients is from the Hessian."""

import torch
from torch import Tensor

from egregium.claims.claim import Outcome, Run
from egregium.claims.diffusion import ANHARMONIC, LEVEL, Law, chance, quadratic_gains
from egregium.claims.walkers import Walkers
from egregium.results import Chart, Check, Series
from egregium.results.claims import Relation

#: Learning rate times lambda_max; samples of a mini-batch; steps at which walkers are looked at.
RATE, BATCH = 0.05, 8
LOOKS = (1, 2, 4, 8, 16, 32, 64, 128)
#: What is taken for proportional, in a cosine or a ratio of 1.
PROPORTIONAL = 0.01
#: Variance of the gradient, over the largest, below which there is only rounding.
SEEN = 1e-12


def cosine(C: Tensor, H: Tensor) -> float:
    """<C, H>_F / (|C|_F |H|_F): 1 where C is a multiple of H."""
    return float((C * H).sum() / (C.norm() * H.norm()))


def stepped(walkers: Walkers, rate: float, count: int, draw: torch.Generator) -> Tensor:
    """(len(LOOKS), count, n): SGD walkers from the landscape's point, mini-batches drawn with replacement."""
    x, found = walkers.land.theta.expand(count, -1), []
    for k in range(1, LOOKS[-1] + 1):
        chosen = torch.randint(len(walkers.y), (count, BATCH), generator=draw)
        x = x - rate * walkers.gradients(x, chosen)
        if k in LOOKS:
            found.append(x)
    return torch.stack(found)


def descent(walkers: Walkers, H: Tensor, run: Run) -> Outcome:
    """SGD against (t / 2) tr(H Sigma) with Sigma measured, and against Sigma = (eta / b) H."""
    lam, U = torch.linalg.eigh(H)
    C = walkers.noise_covariance()
    rate = RATE / float(lam.max())
    law = Law(lam, rate / BATCH * ((U.T @ C) * U.T).sum(1))
    draw = torch.Generator().manual_seed(run.seed + 2)
    found = stepped(walkers, rate, run.pick(3000, 20_000), draw)
    gains = torch.stack([walkers.losses(x) for x in found]) - walkers.land.value()
    beyond = ANHARMONIC * (gains - quadratic_gains(found, walkers.land.theta, H)).mean(1).abs()
    checks = (*_gains(gains, beyond, law, rate), *_alignment(C, H, walkers.land.n))
    charts = (_chart_of_gains(gains, law, rate, H), _chart_of_directions(lam, law.variances * BATCH / rate, C, H))
    return Outcome(checks, charts, _notes(C, H))


def _gains(gains: Tensor, beyond: Tensor, law: Law, rate: float) -> list[Check]:
    """At two steps and at the last; what is left out there is of order eta lambda_max."""
    early, late = LOOKS[1] * rate, LOOKS[-1] * rate
    as_if_H = Law(law.eigenvalues, rate / BATCH * law.eigenvalues)
    assumed = as_if_H.short(early)
    step = RATE * float(gains[-1].mean())
    why = f"{100 * LEVEL:g} % over {gains.shape[1]} walkers; next order; f not quadratic"
    first, last = chance(gains[1]) + float(beyond[1]), chance(gains[-1]) + float(beyond[-1])

    def check(what: str, k: int, expected: float, tolerance: float, rival: float) -> Check:
        subject = f"SGD on the tanh network, {LOOKS[k]} steps, t λ_max = {LOOKS[k] * RATE:g}"
        outside = "≠" in what
        relation: Relation = "differs from" if outside else "equals"
        resolves = abs(expected - rival) / 2
        return Check(what, subject, float(gains[k].mean()), expected, tolerance, why, relation, resolves, outside)

    return [
        check(
            "gain = (t / 2) tr(H Σ), Σ = (η / b) C measured",
            1,
            law.short(early),
            first + law.next_order(early),
            assumed,
        ),
        check("gain = (1 / 4) tr Σ (1 − exp(−2 H t))", -1, law.exact(late), last + step, law.short(late)),
        check(
            "gain ≠ (η t / 2 b) |H|²_F, as if C were H",
            1,
            assumed,
            first + as_if_H.next_order(early),
            law.short(early),
        ),
    ]


def _alignment(C: Tensor, H: Tensor, n: int) -> list[Check]:
    """That C is a multiple of H is an assumption: by the angle, and by tr(H C) where traces are made to agree."""
    subject, why = f"gradients of the tanh network's samples, n = {n}", "a hundredth is taken for proportional"
    scale = C.trace() / H.trace()
    ratio = float((C * H).sum() / (scale * H.square().sum()))
    return [
        Check(what, subject, found, 1.0, PROPORTIONAL, why, "differs from", outside=True)
        for what, found in (
            ("cosine ⟨C, H⟩ / (|C|_F |H|_F) ≠ 1: C is no multiple of H", cosine(C, H)),
            ("tr(H C) / (c |H|²_F) ≠ 1, c = tr C / tr H", ratio),
        )
    ]


def _notes(C: Tensor, H: Tensor) -> tuple[str, ...]:
    inner, F = float((C * H).sum()), float(H.square().sum())
    trace_scale = float(C.trace() / H.trace())
    return (
        f"Gradient noise of SGD on the network: ⟨C, H⟩ / (|C|_F |H|_F) = {cosine(C, H):.3f}. The multiple c H nearest "
        f"to C has c = {inner / F:.3g}, that of equal trace c = {trace_scale:.3g}: tr(H C) is {inner / F:.3g} times "
        f"|H|²_F, and {inner / (trace_scale * F):.3g} times what a multiple of equal trace would give.",
    )


def _chart_of_gains(gains: Tensor, law: Law, rate: float, H: Tensor) -> Chart:
    times = tuple(k * rate for k in LOOKS)
    assumed = rate / BATCH / 2 * float(H.square().sum())
    wide = tuple(chance(row, 0.95) for row in gains)
    return Chart(
        "SGD leaves the minimum as its own noise says, not as if that were the Hessian",
        f"η λ_max = {RATE:g}, mini-batches of b = {BATCH} samples, {gains.shape[1]:,} walkers; C: covariance of the "
        "gradients of single samples; bars at 95 %.",
        "time t = η k",
        "mean gain of f",
        (
            Series("(t / 2) tr(H Σ), Σ = (η / b) C", times, tuple(law.short(t) for t in times), mark="line"),
            Series("exact for a quadratic, the same Σ", times, tuple(law.exact(t) for t in times), mark="line"),
            Series("as if C were H", times, tuple(assumed * t for t in times), mark="line"),
            Series("simulated", times, tuple(gains.mean(1).tolist()), wide),
        ),
        "log",
        "log",
    )


def _chart_of_directions(lam: Tensor, variances: Tensor, C: Tensor, H: Tensor) -> Chart:
    keep = (lam > 0) & (variances > SEEN * variances.max())
    x, y = tuple(lam[keep].tolist()), tuple(variances[keep].tolist())
    scale = float((C * H).sum() / H.square().sum())
    ends = (min(x), max(x))
    return Chart(
        "Gradient noise along the Hessian's eigenvectors",
        "One point an eigenvector u of H, at the minimum, over all samples. If the noise followed H, all points would "
        "lie on one line of slope 1. Directions that the data do not reach are left out.",
        "eigenvalue λ",
        "variance of the gradient along it, uᵀ C u",
        (
            Series(f"{scale:.2g} λ, the nearest multiple", ends, tuple(scale * e for e in ends), mark="line"),
            Series("λ", ends, ends, mark="line"),
            Series("", x, y),
        ),
        "log",
        "log",
    )

"""C7: noise that follows the Hessian leaves a minimum as |H|_F^2 says at first, and as tr H says in the long run."""

from dataclasses import replace

import torch

from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.descent import descent
from egregium.claims.diffusion import STEP, Escape, Law, Minimum, doubling, escaped
from egregium.claims.networks import pooled_digit_landscape
from egregium.claims.surfaces import DOUBLE, quadratic
from egregium.claims.target_descent import on_target
from egregium.claims.walkers import walkers_of
from egregium.measurement import squared_frobenius, trace
from egregium.results import Chart, Check, Series

#: Two of one trace, and two of about one Frobenius norm.
SPECTRA = {
    "one sharp direction (tr H 8, |H|²_F 22)": (4.5, *[0.5] * 7),
    "three sharp directions (tr H 8, |H|²_F 12.8)": (*[2.0] * 3, *[0.4] * 5),
    "one sharp, flat else (tr H 5.25, |H|²_F 12.7)": (3.5, *[0.25] * 7),
}
#: t lambda_max where the short-time law is compared.
SHORT = 0.05
#: Noise on quadratics, where any will do, and on the network, whose loss must be nearly quadratic among the walkers.
SIGMA, SIGMA_OF_NETWORK = 1.0, 1e-4
#: Weight decay of the network: without it there is no minimum.
DECAY = 0.01

AT_FIRST = "gain = (σ t / 2) |H|²_F at first"
ON_THE_WAY = "gain = (σ / 4) tr H (1 − exp(−2 H t))"
IN_THE_END = "gain = (σ / 4) tr H in the long run"
NO_LONGER = "gain ≠ (σ t / 2) |H|²_F once t λ_max is not small"


def short_time_gain(sigma: float, t: float, squared_norm: float) -> float:
    """(sigma t / 2) |H|_F^2."""
    return sigma * t / 2 * squared_norm


def long_run_gain(sigma: float, trace_of_H: float) -> float:
    """(sigma / 4) tr H."""
    return sigma / 4 * trace_of_H


def _run(run: Run) -> Outcome:
    checks = list[Check]()
    quadratics = list[Escape]()
    for name, spectrum in SPECTRA.items():
        run.advance(f"a quadratic with {name}", 0.06 * len(quadratics))
        minimum = _quadratic(name, spectrum)
        lam = minimum.eigenvalues
        times = doubling(SHORT / float(lam.max()), 3 / float(lam.min()))
        quadratics.append(_followed(minimum, SIGMA, times, run.pick(10_000, 100_000), run))
        checks += _laws(quadratics[-1], SIGMA, to_the_end=True)
    checks += [*_unrelated_noise(run), *_elsewhere(run)]
    run.advance("a trained network", 0.25)
    land = pooled_digit_landscape(2, 8, steps=400, decay=DECAY, seed=run.seed)
    walkers = walkers_of(land, DECAY)
    minimum = Minimum(f"tanh network on digits, n = {land.n}", land, walkers.losses, walkers.gradients)
    times = doubling(SHORT / float(minimum.eigenvalues.max()), run.pick(8, 100) / float(minimum.eigenvalues.max()))
    escape = _followed(minimum, SIGMA_OF_NETWORK, times, run.pick(600, 1000), run)
    checks += [_at_a_minimum(minimum), *_laws(escape, SIGMA_OF_NETWORK, to_the_end=run.preset == "full")]
    run.advance("stochastic gradient descent", 0.8)
    noisy = descent(walkers, minimum.H, run)
    charts = (_chart_of_quadratics(quadratics), _chart_of_network(escape), *noisy.charts)
    return Outcome((*checks, *noisy.checks), charts, noisy.notes)


def _quadratic(name: str, spectrum: tuple[float, ...]) -> Minimum:
    d = torch.tensor(spectrum, dtype=DOUBLE)
    return Minimum(f"quadratic, {name}", quadratic(d, name).land, lambda x: x.square() @ d / 2, lambda x: x * d)


def _followed(minimum: Minimum, sigma: float, times: list[float], walkers: int, run: Run) -> Escape:
    """With Sigma = sigma H."""
    law = Law(minimum.eigenvalues, sigma * minimum.eigenvalues)
    return escaped(minimum, law, sigma**0.5 * minimum.root, times, walkers, run.seed)


def _laws(escape: Escape, sigma: float, to_the_end: bool) -> list[Check]:
    """At the first time, near 1 / lambda_max, and at the last."""
    land, law, times = escape.minimum.land, escape.law, escape.times
    F = squared_frobenius(land, method="exact").value
    total = trace(land, method="exact").value
    middle = min(range(len(times)), key=lambda k: abs(times[k] * float(law.eigenvalues.max()) - 1))
    early, late = (short_time_gain(sigma, times[k], F) for k in (0, -1))
    same_everywhere = short_time_gain(sigma, times[0], total**2 / land.n)  # noise of equal trace in all directions
    checks = [
        escape.check(AT_FIRST, 0, early, law.next_order(times[0]), same_everywhere),
        escape.check(ON_THE_WAY, middle, law.exact(times[middle]), 0.0, short_time_gain(sigma, times[middle], F)),
        escape.check(ON_THE_WAY, -1, law.exact(times[-1]), 0.0, late),
        replace(escape.check(NO_LONGER, -1, late, 0.0, law.exact(times[-1])), relation="differs from", outside=True),
    ]
    if to_the_end:
        left = law.left(times[-1])
        checks.append(escape.check(IN_THE_END, -1, long_run_gain(sigma, total), left, long_run_gain(sigma, F**0.5)))
    return checks


def _at_a_minimum(minimum: Minimum) -> Check:
    """Without which there is no law; what is left of the gradient is in the tolerances."""
    least = float(torch.linalg.eigvalsh(minimum.H)[0])
    why = f"rounding; |g| = {float(minimum.land.gradient().norm()):.1e}"
    return Check("λ_min ≥ 0: the walkers start at a minimum", minimum.name, least, 0.0, 1e-9, why, "at least")


def _unrelated_noise(run: Run) -> list[Check]:
    """Sigma that does not commute with H: (t / 2) tr(H Sigma) at first, tr Sigma / 4 in the end."""
    spectrum = next(iter(SPECTRA.values()))
    minimum = _quadratic("noise unrelated to H", spectrum)
    n, draw = len(spectrum), torch.Generator().manual_seed(run.seed + 1)
    root = torch.randn(n, n, dtype=DOUBLE, generator=draw)
    law = Law(torch.tensor(spectrum, dtype=DOUBLE), (root.T @ root).diagonal())
    times = doubling(SHORT / max(spectrum), 3 / min(spectrum))
    escape = escaped(minimum, law, root, times, run.pick(10_000, 100_000), run.seed)
    short, level, left = law.short(times[0]), law.long_run, law.left(times[-1])
    return [
        escape.check("gain = (t / 2) tr(H Σ) at first", 0, short, law.next_order(times[0]), 0.0),
        escape.check("gain = tr Σ / 4 in the long run", -1, level, left, law.short(1 / max(spectrum))),
    ]


def _elsewhere(run: Run) -> list[Check]:
    """Started where the gradient is not 0: descent comes first."""
    d = torch.tensor(next(iter(SPECTRA.values())), dtype=DOUBLE)
    away = torch.linspace(0.5, 1.5, len(d), dtype=DOUBLE)
    minimum = _quadratic("started away from the minimum", tuple(d.tolist()))
    minimum = replace(minimum, land=minimum.land.at(away))
    law, t = Law(d, SIGMA * d), SHORT / float(d.max())
    escape = escaped(minimum, law, SIGMA**0.5 * minimum.root, [t], run.pick(10_000, 100_000), run.seed)
    g = minimum.land.gradient()
    descent_by, next_order = t * float(g @ g), t**2 * float(g @ minimum.H @ g) + law.next_order(t)
    escape = replace(escape, beyond=torch.tensor([STEP**2 / 2 * (descent_by + law.short(t))]))
    whole = escape.check("gain = (t / 2) tr(H Σ) − t |g|²", 0, law.short(t) - descent_by, next_order, law.short(t))
    alone = escape.check("gain ≠ (t / 2) tr(H Σ)", 0, law.short(t), law.next_order(t), law.short(t) - descent_by)
    return [whole, replace(alone, relation="differs from", outside=True)]


def _chart_of_quadratics(escapes: list[Escape]) -> Chart:
    series = list[Series]()
    for escape in escapes:
        series += [escape.line("", escape.law.exact), escape.points(escape.minimum.name.removeprefix("quadratic, "))]
    walkers = escapes[0].gains.shape[1]
    return Chart(
        "At first the Frobenius norm decides how fast walkers leave, in the long run the trace",
        f"Quadratics of eight variables, Σ = H, {walkers:,} walkers; lines: (1/4) tr H (1 − exp(−2Ht)). "
        "Two have one trace and end together, two about one |H|_F and begin together; bars at 95 %.",
        "time t",
        "mean gain of f",
        tuple(series),
        "log",
        "log",
    )


def _chart_of_network(escape: Escape) -> Chart:
    law, land = escape.law, escape.minimum.land
    walkers = escape.gains.shape[1]
    return Chart(
        "A trained network's minimum is left as its quadratic form says",
        f"Tanh network on digits, n = {land.n}, weight decay {DECAY:g}, Σ = σ H, σ = {SIGMA_OF_NETWORK:g}; {walkers:,} "
        "walkers on the true loss; bars at 95 %.",
        "time t",
        "mean gain of f",
        (
            escape.line("short-time law (σ t / 2) |H|²_F", law.short),
            escape.line("exact for a quadratic", law.exact),
            escape.line("long run (σ / 4) tr H", lambda t: law.long_run),
            escape.points("simulated"),
        ),
        "log",
        "log",
    )


CLAIM = Claim(
    id="C7",
    title="How noise leaves a minimum: the Frobenius norm at first, the trace in the long run",
    statement=(
        "dθ = −∇f dt + Σ^(1/2) dW from a minimum gains E f − f = (t / 2) tr(H Σ) + O(t²). With Σ = σ H that is "
        "(σ t / 2) |H|²_F while t λ_max ≪ 1, and on a quadratic (σ / 4) tr H (1 − exp(−2 H t)) at any time: "
        "in the long run the trace decides, not the Frobenius norm. Of SGD, Σ = η × gradient covariance and t = η k."
    ),
    source="arXiv 2307.04719, on escaping minima; Zhu et al., arXiv 1803.00195",
    condition=(
        "Started at the minimum (elsewhere less t |g|²); t λ_max ≪ 1 for |H|²_F; the loss nearly quadratic where the "
        "walkers are. That the noise of SGD follows H is an assumption, measured here."
    ),
    simulated=(
        "The diffusion by Heun's method, many walkers at once, on three quadratics and on the loss of a tanh network "
        "on digits with weight decay, at its minimum, with Σ = σ H; then SGD from there, samples drawn with "
        "replacement, against the covariance of the gradients of all samples."
    ),
    run=_run,
    on_target=on_target,
    simulated_on_target="SGD over the target's batches from its point, many walkers, beside descent without noise.",
)

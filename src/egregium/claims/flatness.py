"""C4: the trace is no reliable measure of flatness; R, trace and norms of H side by side."""

from itertools import combinations, permutations

import torch
from torch import Tensor

from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.flatness_target import on_target
from egregium.claims.levels import MEASURES, Levels, levels
from egregium.claims.minima import DECAY, digit_minimum
from egregium.claims.networks import digit_landscape
from egregium.claims.one_trace import ROUNDING, family, family_chart, family_checks, saddle_checks
from egregium.claims.surfaces import DOUBLE
from egregium.curvature import hessian
from egregium.landscape import Landscape
from egregium.measurement import eigenpairs, trace
from egregium.results import Chart, Check, Series

#: Lengths of steps from a minimum among which the trace is looked at for a change of sign.
LENGTHS = (0.0, 2.0, 5.0, 8.0, 12.0, 18.0, 25.0, 35.0)
#: Halvings of the interval in which it has one.
HALVINGS = 40


def _run(run: Run) -> Outcome:
    generator = torch.Generator().manual_seed(run.seed)
    checks = saddle_checks(generator)
    even_to_uneven = family(generator)
    checks += family_checks(even_to_uneven)
    run.advance("a network along its training", 0.2)
    hidden, samples = run.pick(((4,), 200), ((8,), 300))
    stops = run.pick((0, 1, 3, 4, 6, 8, 12, 16, 24, 40, 80, 150), (*range(20), *range(20, 60, 4), 80, 100, 150, 250))
    path = {k: levels(digit_landscape(hidden, samples, seed=run.seed, steps=k, decay=DECAY)) for k in stops}
    ordered, notes = _orders(path)
    run.advance("a network with tr H = 0", 0.7)
    zero, more = _network_without_trace(digit_minimum(hidden, samples, run.seed))
    charts = (family_chart(even_to_uneven), _training_chart(path), _trace_chart(list(path.values())))
    return Outcome((*checks, *ordered, *zero), charts, (*notes, *more))


def _orders(path: dict[int, Levels]) -> tuple[list[Check], list[str]]:
    """Whether R and the trace order points of a training alike; the pair that is the clearest exception, if any."""
    first, last = (path[k] for k in (min(path), max(path)))
    what = "R / (tr H)² at initialisation is not that of the trained network"
    before, after = (at.R / at.trace**2 for at in (first, last))
    checks = [Check(what, "tanh network on digits", before, after, ROUNDING, "rounding", "differs from")]
    pairs = [(a, b) for a, b in permutations(path, 2) if _margin(path[a], path[b]) > ROUNDING]
    notes = list[str]()
    if pairs:
        a, b = max(pairs, key=lambda pair: _margin(path[pair[0]], path[pair[1]]))
        low, high = path[a], path[b]
        notes.append(
            f"The clearest pair: after {a} steps tr H = {low.trace:.4g} and R = {low.R:.4g}, after {b} steps "
            f"{high.trace:.4g} and {high.R:.4g}."
        )
    total = len(path) * (len(path) - 1) // 2
    counted = ", ".join(f"{_discordant(list(path.values()), key)} other than {name}" for key, name in MEASURES.items())
    return checks, [f"Of {total} pairs of points along the training, R orders {counted}.", *notes]


def _margin(a: Levels, b: Levels) -> float:
    """How clearly a has less trace and more R than b: the smaller relative difference; negative where it has not."""
    return min((b.trace - a.trace) / abs(b.trace), (a.R - b.R) / abs(a.R))


def _discordant(points: list[Levels], key: str) -> int:
    """Pairs that R and another measure order differently."""
    return sum((getattr(a, key) - getattr(b, key)) * (a.R - b.R) < 0 for a, b in combinations(points, 2))


def _network_without_trace(land: Landscape) -> tuple[list[Check], list[str]]:
    """A point where tr H = 0 on the line through a minimum along its sharpest direction, where there is one.

    It is not critical; with t = 0 the closed form leaves R = -beta |H|_F^2 + 2 beta^2 |H g|^2.
    """
    top = eigenpairs(land, 1).vectors[:, 0]
    here = next((found for sign in (1.0, -1.0) if (found := _zero(land, sign * top)) is not None), None)
    if here is None:
        return [], ["The trace of the network has no change of sign on the line that was looked at."]
    at, g = levels(here), here.gradient()
    beta, q = 1 / (1 + at.gradient_norm**2), float((hessian(here) @ g).square().sum())
    name, near = f"tanh network on digits, n = {land.n}, a point with tr H = 0", ROUNDING * at.size
    expected = -beta * at.frobenius**2 + 2 * beta**2 * q
    return [
        Check("tr H / |H|_* = 0: flat by its trace", name, at.trace / at.nuclear, 0.0, ROUNDING, "bisection"),
        Check("R = −β |H|²_F + 2β² |H g|² where tr H = 0", name, at.R, expected, near, "rounding and bisection"),
        Check("R is not 0", name, at.R, 0.0, near, "rounding and bisection", "differs from"),
    ], []


def _zero(land: Landscape, direction: Tensor) -> Landscape | None:
    """Where the trace changes its sign along a ray, by bisection; None where it does not at the steps looked at."""

    def there(length: float) -> Landscape:
        return land.at(land.theta + length * direction)

    signs = [trace(there(length)).value > 0 for length in LENGTHS]
    change = next((i for i in range(1, len(signs)) if signs[i] != signs[i - 1]), None)
    if change is None:
        return None
    low, high = LENGTHS[change - 1], LENGTHS[change]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if (trace(there(middle)).value > 0) == signs[change - 1]:
            low = middle
        else:
            high = middle
    return there(low)


def _training_chart(path: dict[int, Levels]) -> Chart:
    points = sorted(path.values(), key=lambda at: at.loss)
    x = tuple(at.loss for at in points)
    last = path[max(path)]
    ends = [getattr(last, key) for key in MEASURES]
    return Chart(
        "Measures of flatness along a training",
        "A tanh network on digits, from right to left; nothing was sampled. Each measure in units of what it is for "
        "the trained network, R by its root, which has the units of the others.",
        "loss",
        "measure / that of the trained network",
        (
            Series("√|R|, with the sign of R", x, tuple(_root(at.R) / abs(_root(last.R)) for at in points)),
            *(
                Series(name, x, tuple(getattr(at, key) / abs(end) for at in points))
                for (key, name), end in zip(MEASURES.items(), ends, strict=True)
            ),
        ),
        x_scale="log",
    )


def _root(R: float) -> float:
    """The root of |R| with the sign of R."""
    return float(torch.tensor(R, dtype=DOUBLE).abs().sqrt().copysign(torch.tensor(R, dtype=DOUBLE)))


def _trace_chart(points: list[Levels]) -> Chart:
    t = [at.trace for at in points]
    x = tuple(torch.linspace(min(*t, 0.0), max(t), 61, dtype=DOUBLE).tolist())
    return Chart(
        "R against the trace along a training",
        "A tanh network on digits; nothing was sampled. The line is (tr H)², which no R can pass at a critical point. "
        "Where points do not rise together, R and the trace order them differently.",
        "tr H",
        "R",
        (
            Series("(tr H)²", x, tuple(a**2 for a in x), mark="line"),
            Series("R", tuple(t), tuple(at.R for at in points)),
        ),
    )


CLAIM = Claim(
    id="C4",
    title="The trace is no reliable measure of flatness",
    statement=(
        "Surfaces of one trace tr H have any R up to (1 − 1/n) (tr H)²: at a critical point with tr H = 0, flat by its "
        "trace, R = −|H|²_F < 0 unless H = 0. R and the trace may order points of a training differently."
    ),
    source="arXiv 2307.04719, trace, norms of the Hessian and scalar curvature as measures of flatness",
    condition=(
        "R = (tr H)² − |H|²_F at critical points. Where all eigenvalues are of one sign and many share the trace, R is "
        "close to (tr H)² and both say nearly the same. R itself is 0 where one direction has all the curvature."
    ),
    simulated=(
        "Saddles with tr H = 0; a family of quadratics of one trace and eigenvalues from even to very uneven; a tanh "
        "network on digits along its training, with R, trace, spectral, Frobenius and nuclear norm side by side; and a "
        "point of that network where the trace changes its sign."
    ),
    run=_run,
    on_target=on_target,
    simulated_on_target="R, the trace, the norms and the negative eigenvalues at the target's point, by random probes.",
)

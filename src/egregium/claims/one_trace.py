"""Surfaces of one and the same trace: saddles without any, and a family from even eigenvalues to very uneven ones."""

import torch

from egregium.claims.levels import Levels, levels, side_by_side
from egregium.claims.surfaces import DOUBLE, Surface, quadratic_form, saddle
from egregium.results import Chart, Check, Series

#: Rounding, relative to (tr H)^2 + |H|_F^2, or to |H|_* for the trace.
ROUNDING = 1e-9
#: Trace and size of the family, and how uneven its eigenvalues are.
TRACE, SIZE, SPREADS = 4.0, 8, (0.0, 0.5, 0.8, 1.0, 1.2, 1.5, 2.0)


def saddle_checks(generator: torch.Generator) -> list[Check]:
    """Critical points without a trace, and what R is there."""
    surfaces = [saddle()]
    for n in (3, 10, 40):
        B = torch.randn(n, n, dtype=DOUBLE, generator=generator)
        A = (B + B.T) / 2
        A -= A.trace() / n * torch.eye(n, dtype=DOUBLE)
        surfaces.append(quadratic_form(A, f"random saddle with tr H = 0, n = {n}"))
    return [check for surface in surfaces for check in _flat_by_trace(surface)]


def _flat_by_trace(surface: Surface) -> list[Check]:
    at, name = levels(surface.land), surface.name
    F, of_trace, of_R = at.frobenius**2, ROUNDING * at.nuclear, ROUNDING * at.size
    what = "R = −|H|²_F at a critical point with tr H = 0"
    return [
        Check("tr H = 0: flat by its trace", name, at.trace, 0.0, of_trace, "rounding"),
        Check(what, name, at.R, -F, of_R, "rounding", resolves=F / 2),
    ]


def family(generator: torch.Generator) -> list[tuple[float, Levels]]:
    """The members by their unevenness, each turned at random."""
    return [(s, levels(_uneven(s, generator).land)) for s in SPREADS]


def _law(s: float) -> float:
    """R / (tr H)^2 of the member of unevenness s."""
    return (1 - s**2) * (1 - 1 / SIZE)


def _uneven(s: float, generator: torch.Generator) -> Surface:
    """A quadratic of given trace, turned at random: one eigenvalue more by s T (1 - 1/n), the others less by s T / n.

    All equal at s = 0, all in one direction at s = 1, the others negative beyond. |H|_F^2 = T^2 [s^2 + (1 - s^2) / n].
    """
    d = torch.full((SIZE,), TRACE / SIZE * (1 - s), dtype=DOUBLE)
    d[0] += TRACE * s
    Q = torch.linalg.qr(torch.randn(SIZE, SIZE, dtype=DOUBLE, generator=generator)).Q
    return quadratic_form(Q * d @ Q.T, f"unevenness {s:g}")


def family_checks(members: list[tuple[float, Levels]]) -> list[Check]:
    """The trace is the same along the family; R goes through every value up to (1 - 1/n) of its square."""
    checks = list[Check]()
    for s, at in members:
        name, known = f"quadratic of trace {TRACE:g}, n = {SIZE}, unevenness {s:g}", _law(s) * TRACE**2
        rounding = ROUNDING * at.size
        checks += [
            Check(f"tr H = {TRACE:g}", name, at.trace, TRACE, ROUNDING * at.nuclear, "rounding"),
            Check("R = (1 − s²)(1 − 1/n) (tr H)², s the unevenness", name, at.R, known, rounding, "rounding"),
        ]
    (_, even), (_, last) = members[0], members[-1]
    name = f"evenness against unevenness {SPREADS[-1]:g}, both of trace {TRACE:g}"
    what = "R tells apart what the trace does not"
    return [*checks, Check(what, name, even.R, last.R, ROUNDING * last.size, "rounding", "differs from")]


def family_chart(members: list[tuple[float, Levels]]) -> Chart:
    """R and the other measures against the unevenness."""
    x = tuple(s for s, _ in members)
    line = tuple(torch.linspace(0, SPREADS[-1], 81, dtype=DOUBLE).tolist())
    law = tuple(_law(s) for s in line)
    measured = tuple(at.R / TRACE**2 for _, at in members)
    return Chart(
        f"One trace, every R: quadratics with tr H = {TRACE:g}, n = {SIZE}",
        "All eigenvalues are equal at 0, one has the whole trace at 1, the others are negative beyond. Nothing was "
        "sampled. Each measure in units of the trace, R in units of its square.",
        "unevenness of the eigenvalues",
        "measure / tr H",
        (
            Series("R / (tr H)²", x, measured),
            Series("(1 − s²)(1 − 1/n)", line, law, mark="line"),
            *side_by_side(x, [at for _, at in members], [TRACE] * len(members)),
        ),
    )

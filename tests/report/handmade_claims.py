"""Statements made by hand, one of each verdict, with charts, notes and comparisons outside their conditions."""

from dataclasses import replace

from handmade import MACHINE

from egregium.results import Chart, Check, ClaimResult, Series

WHY = "rounding in float64"
HOLDING = Check("R from products = R known in closed form", "saddle u² − v²", -8.0, -8.0 + 2e-15, 8e-9, WHY)
OUTSIDE = Check(
    "E f(θ + ε) − f(θ) = σ² tr H / 2",
    "|x|⁴, σ = 2",
    48.1,
    0.0,
    0.9,
    "3.3 standard errors",
    "differs from",
    outside=True,
)
FAILING = Check("|R| ≤ (tr H)²", "sphere of radius 2", 1.5, 1.2, 1e-9, WHY, "at most")
UNDECIDED = Check("escape times", "network on digits", 41.0, 40.2, 3.0, "99.9 % of 200 runs", resolves=1.0)


def chart() -> Chart:
    x = (0.1, 0.2, 0.4, 0.8)
    return Chart(
        "What a perturbation costs",
        "Model and data are fixed; 400 perturbations were sampled at each place.",
        "standard deviation σ of the perturbation",
        "E f(θ + ε) − f(θ)",
        (
            Series("σ² tr H / 2", x, tuple(3 * s**2 for s in x), mark="line"),
            Series("simulated", x, tuple(3 * s**2 + 0.3 * s**4 for s in x), tuple(0.2 * s for s in x)),
        ),
        "log",
        "log",
    )


def claim(number: int, *checks: Check, title: str = "") -> ClaimResult:
    return ClaimResult(
        id=f"C{number}",
        title=title or f"A statement about R, number {number}",
        statement="R = β [(tr H)² − tr H²] + 2β² [gᵀH²g − tr(H) gᵀHg], β = 1/(1 + |g|²), is what it says, number "
        f"{number}.",
        source="arXiv 2307.04719, section 3",
        condition="f has three continuous derivatives, and θ is a critical point.",
        simulated="400 Gaussian perturbations of a trained tanh network on digits, and of three surfaces.",
        checks=checks,
        charts=(chart(),),
        preset="quick",
        seed=7,
        target="",
        command="egregium reproduce --seed 7",
        created="2026-11-24T09:00:00+00:00",
        seconds=0.1234 * 10**number,
        environment=MACHINE,
        notes=("The gradient of the network is 10⁻⁴, not 0.",) if number == 2 else (),
    )


def all_kinds(target: str = "") -> dict[str, ClaimResult]:
    """By the name of its document: C1 holds, C2 fails, C3 is undecided, C10 holds and says where it ends."""
    kinds = (claim(1, HOLDING), claim(2, HOLDING, FAILING), claim(3, HOLDING, UNDECIDED), claim(10, HOLDING, OUTSIDE))
    return {one.id: replace(one, target=target, seconds=min(one.seconds, 2000.0)) for one in kinds}

"""C1: the closed form of R equals its definition by tensors."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.networks import dense_network, pooled_digits, train
from egregium.claims.surfaces import mixed, paraboloid, saddle, sphere
from egregium.geometry.reference import tensors
from egregium.landscape import Landscape
from egregium.measurement import scalar_curvature
from egregium.results import Chart, Check, Series

#: Rounding of either side, relative to R or to 1: fourth derivatives of f, and products of n^4 numbers.
ROUNDING = 1e-9


def _run(run: Run) -> Outcome:
    surfaces = [(s.name, s.f, s.theta, s.scalar_curvature) for s in (saddle(), sphere(), paraboloid(), mixed())]
    checks, names = list[Check](), list[str]()
    for name, f, theta, known in surfaces:
        checks += _compared(name, f, theta, known)
        names.append(name)
    run.advance("a trained network", 0.3)
    for steps in (0, run.pick(30, 200)):
        f, theta = _network(steps, run)
        checks += _compared(f"tanh network on digits, {steps} steps", f, theta)
    return Outcome(tuple(checks), (_chart(checks),))


def _compared(name: str, f: Callable[[Tensor], Tensor], theta: Tensor, known: float | None = None) -> list[Check]:
    """The closed form from products against the tensors, and both against what is known."""
    closed = scalar_curvature(Landscape.from_function(f, theta), method="exact").value
    defined = tensors(f, theta).scalar_curvature
    tolerance = ROUNDING * max(abs(defined), 1.0)
    why = "rounding in float64"
    checks = [Check("R from products = R from the metric's derivatives", name, closed, defined, tolerance, why)]
    if known is not None:
        checks.append(Check("R from products = R known in closed form", name, closed, known, tolerance, why))
    return checks


def _network(steps: int, run: Run) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """The loss of a network 4-2-2 as a function of its 16 parameters: digits below 5 or not, from 2 x 2 mean pixels."""
    x, y = pooled_digits(run.pick(200, 1000), pool=4, classes=2)
    model = dense_network((4, 2, 2), seed=run.seed)
    if steps:
        train(model, x, y, steps)
    names, shapes = zip(*((name, p.shape) for name, p in model.named_parameters()), strict=True)

    def loss(theta: Tensor) -> Tensor:
        parts = torch.split(theta, [shape.numel() for shape in shapes])
        placed = {name: part.reshape(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        output = torch.func.functional_call(model, placed, (x,))
        return nn.functional.cross_entropy(output, y)

    return loss, torch.nn.utils.parameters_to_vector(model.parameters()).detach()


def _chart(checks: list[Check]) -> Chart:
    seen = [check for check in checks if check.what.endswith("derivatives")]
    expected = tuple(check.expected for check in seen)
    ends = (min(expected), max(expected))
    return Chart(
        "R by its closed form against R by its definition",
        "Surfaces in closed form and a network of 16 parameters; nothing was sampled. The line is equality.",
        "R from metric, Christoffel symbols, Riemann and Ricci tensor",
        "R from products with H",
        (
            Series("equal", ends, ends, mark="line"),
            Series("", expected, tuple(check.found for check in seen)),
        ),
    )


CLAIM = Claim(
    id="C1",
    title="The closed form of R is the scalar curvature",
    statement=(
        "R = β [(tr H)² − tr H²] + 2β² [gᵀH²g − tr(H) gᵀHg], β = 1/(1 + |g|²), equals the definition "
        "metric → Christoffel symbols → Riemann → Ricci → R of the graph's metric G = I + g gᵀ."
    ),
    source="arXiv 2307.04719, scalar curvature of the graph; do Carmo, Riemannian Geometry, chapter 4",
    condition="f has three continuous derivatives.",
    simulated=(
        "Both sides at one point of four surfaces and of a tanh network of 16 parameters on digits, at initialisation "
        "and trained: products with H on one side, derivatives of the metric by automatic differentiation on the other."
    ),
    run=_run,
    refusal="the tensors have n⁴ numbers, and are found for plain functions of at most 32 parameters.",
)

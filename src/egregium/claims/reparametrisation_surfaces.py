"""Other coordinates of surfaces in closed form and of networks of 23 parameters, by tensors of their metric."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from egregium.claims.coordinates import point_of
from egregium.claims.digit_classifiers import digit_classifier
from egregium.claims.relu_unit import FAR, MINIMUM, Unit
from egregium.claims.rescaled_network import (
    MOVED,
    ROUNDING,
    WHY,
    WHY_MOVED,
    Rescaled,
    curvature_checks,
    function_checks,
    graph_curvature,
)
from egregium.claims.rescaling import pairs_of, rescaling
from egregium.claims.surfaces import DOUBLE, mixed, paraboloid, saddle, sphere
from egregium.geometry.reference import tensors
from egregium.landscape import Landscape
from egregium.results import Check

#: A loss of a vector.
Function = Callable[[Tensor], Tensor]
PULLED_BACK = "R in the metric A⁻² + g gᵀ, by its derivatives = R of the original"
OTHER = "R of the graph over v = A θ is another"


def surface_checks(generator: torch.Generator) -> list[Check]:
    """f(A^-1 v) at v = A theta, for A drawn between 1.5 and 3: all of R's terms become smaller or the gradient does."""
    checks = []
    for surface in (saddle(), sphere(), paraboloid(), mixed()):
        A = 1.5 * (1 + torch.rand(surface.theta.numel(), generator=generator, dtype=DOUBLE))
        checks += _reparametrised(surface.name, surface.f, surface.theta, A, surface.scalar_curvature)
    return checks


def _reparametrised(name: str, f: Function, theta: Tensor, A: Tensor, R: float) -> list[Check]:
    g: Function = lambda v: f(v / A)
    tolerance = ROUNDING * max(abs(R), 1.0)
    pulled_back = tensors(g, A * theta, torch.diag(A**-2)).scalar_curvature
    over = graph_curvature(Landscape.from_function(g, A * theta))
    return [
        Check(PULLED_BACK, name, pulled_back, R, tolerance, WHY, resolves=MOVED * max(abs(R), 1.0)),
        Check(OTHER, name, over, R, MOVED * abs(R), WHY_MOVED, "differs from"),
    ]


def unit_checks(factors: Sequence[float]) -> list[Check]:
    """R of a ReLU unit, which rescaling leaves as a function: in closed form, in the metric pulled back, its sign."""
    path = unit_path(factors)
    before = FAR.scalar_curvature(1.0)
    checks = [*function_checks(FAR.name, path), *curvature_checks(FAR.name, path, [])]
    for at in path:
        surface, where = FAR.scaled(at.a), f"at α = {at.a:.3g}"
        known, found = surface.scalar_curvature, graph_curvature(at.land)
        pulled_back = tensors(surface.f, surface.theta, torch.diag(at.A**-2)).scalar_curvature
        tolerance = ROUNDING * max(abs(known), 1.0)
        checks += [
            Check(f"R of the graph {where} = R in closed form", FAR.name, found, known, tolerance, WHY),
            Check(f"{PULLED_BACK}, {where}", FAR.name, pulled_back, before, ROUNDING, WHY, resolves=MOVED),
        ]
    return checks + _sign_of_unit(factors)


def unit_path(factors: Sequence[float]) -> list[Rescaled]:
    """The unit with a large residual at each factor; the first is to be 1."""
    lands = [(a, FAR.scaled(a).land) for a in factors]
    return [Rescaled(a, FAR.rescaling(a), land, point_of(land)) for a, land in lands]


def _sign_of_unit(factors: Sequence[float]) -> list[Check]:
    """It changes, though the signs of H's eigenvalues do not; at a minimum it cannot."""
    few = (1.0, min(factors), max(factors))
    beside = {a: graph_curvature(FAR.scaled(a).land) for a in few}
    return [
        *sign_checks(FAR.name, beside, ROUNDING),
        *(_eigenvalues_below_zero(FAR, a) for a in few),
        Check(
            "where H ≥ 0 the sign of R cannot change: the least R of all α",
            MINIMUM.name,
            min(graph_curvature(MINIMUM.scaled(a).land) for a in factors),
            0.0,
            ROUNDING,
            WHY,
            "at least",
            outside=True,
        ),
    ]


def _eigenvalues_below_zero(unit: Unit, a: float) -> Check:
    values = torch.linalg.eigvalsh(point_of(unit.scaled(a).land).hessian)
    what = f"eigenvalues of H below 0 at α = {a:.3g}: one, as Sylvester's law of inertia has it"
    return Check(what, unit.name, float((values < -ROUNDING).sum()), 1.0, 0.0, "a whole number")


def sign_checks(subject: str, R: dict[float, float], rounding: float) -> list[Check]:
    """R is above 0 at one factor and below 0 at another, both beyond rounding."""
    low, high = min(R, key=lambda a: R[a]), max(R, key=lambda a: R[a])
    why = f"beyond rounding, {rounding:.1g}"
    return [
        Check(f"R < 0 at α = {low:.3g}", subject, R[low], -rounding, 0.0, why, "at most"),
        Check(f"R > 0 at α = {high:.3g}", subject, R[high], rounding, 0.0, why, "at least"),
    ]


def small_network_checks(seed: int, generator: torch.Generator) -> list[Check]:
    """A trained tanh network of a loss f in coordinates v = A theta, and a ReLU network with its layers rescaled."""
    land = digit_classifier("tanh", (3,), pool=4, classes=2, seed=seed)
    A = 1.5 * (1 + torch.rand(land.n, generator=generator, dtype=DOUBLE))
    name = "tanh network of 23 parameters on digits"
    checks = _reparametrised(name, loss_of(land), land.theta, A, graph_curvature(land))
    land = digit_classifier("relu", (3,), pool=4, classes=2, seed=seed)
    (pair,) = pairs_of(land)
    A, R = rescaling(land, pair, 3.0), graph_curvature(land)
    pulled_back = tensors(loss_of(land), A * land.theta, torch.diag(A**-2)).scalar_curvature
    size = max(abs(R), 1.0)
    name = "ReLU network of 23 parameters on digits, α = 3"
    checks.append(Check(PULLED_BACK, name, pulled_back, R, ROUNDING * size, WHY, resolves=MOVED * size))
    return checks


def loss_of(land: Landscape) -> Function:
    """The loss of a network with its cross-entropy over a single batch as a function that torch.func differentiates."""
    model, ((x, y),) = land.model, land.data
    assert model is not None

    def loss(theta: Tensor) -> Tensor:
        output = torch.func.functional_call(model, land.unflatten(theta), (x,))
        return nn.functional.cross_entropy(output, y)

    return loss

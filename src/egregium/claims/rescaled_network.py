"""What rescaling a ReLU network's layers changes and what it leaves, by dense arrays in float64."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from egregium.claims.coordinates import Point, curvature, point_of
from egregium.claims.rescaling import Pair, change, rescaling
from egregium.landscape import Landscape
from egregium.landscape.normalisation import By
from egregium.measurement import scalar_curvature
from egregium.results import Check
from egregium.study.sharpness import ADAPTIVE, WORST, worst_rise

#: Rounding, relative to the size of what is compared: n eps 64^2 at n = 1,210, for A^-2 has entries from 1/64 to 64.
ROUNDING = 1e-9
WHY = "rounding in float64, n ε stretched by A⁻² up to 64²"
#: A smaller part of a number is not called a move; whatever is said not to move is known far better.
MOVED = 0.01
WHY_MOVED = "what is not called a move"


@dataclass(frozen=True, eq=False)
class Rescaled:
    """A network whose layers were rescaled by `a`: at A theta, g and H there as they are found anew."""

    a: float
    A: Tensor
    land: Landscape
    point: Point

    def sharpness(self) -> dict[str, float]:
        """By how much f rises at worst: within a ball around the point, and around it in units of |theta|."""
        return {
            "SAM-style sharpness": worst_rise(self.land, WORST),
            "ASAM-style sharpness": worst_rise(self.land, ADAPTIVE, self.land.theta.abs()),
        }


def graph_curvature(land: Landscape, by: By | None = None) -> float:
    """R of the graph by all products with the shape operator, over theta or over normalised coordinates."""
    return scalar_curvature(land if by is None else land.normalised(by), method="exact").value


def rescaled(land: Landscape, pair: Pair, factors: Sequence[float]) -> list[Rescaled]:
    """The network at each factor; the first is to be 1."""
    places = [(a, rescaling(land, pair, a)) for a in factors]
    moved = [(a, A, land.at(A * land.theta)) for a, A in places]
    return [Rescaled(a, A, there, point_of(there)) for a, A, there in moved]


def function_checks(subject: str, path: Sequence[Rescaled]) -> list[Check]:
    """The function is the same; gradient and Hessian are A^-1 g and A^-1 H A^-1. The worst of all factors."""
    start, moved = path[0], path[1:]
    changes = [change(start.land, at.land) for at in moved]
    derivatives = [at.point.apart(start.point.transformed(at.A)) for at in moved]
    unmoved = [at.point.apart(start.point) for at in moved]

    def worst(what: str, of: Sequence[float], seen: float) -> Check:
        return Check(what, subject, max(of), 0.0, ROUNDING, WHY, resolves=seen)

    outputs = [one.outputs for one in changes if one.outputs is not None]
    return [
        worst("relative change of f", [one.loss for one in changes], MOVED),
        *([worst("relative change of the outputs", outputs, MOVED)] if outputs else []),
        worst("|g′ − A⁻¹ g| / |A⁻¹ g|", [g for g, _ in derivatives], min(g for g, _ in unmoved) / 2),
        worst("|H′ − A⁻¹ H A⁻¹|_F / |A⁻¹ H A⁻¹|_F", [H for _, H in derivatives], min(H for _, H in unmoved) / 2),
    ]


def curvature_checks(subject: str, path: Sequence[Rescaled], few: Sequence[Rescaled]) -> list[Check]:
    """R of the graph is that of A^-1 g and A^-1 H A^-1; with the metric A^-2 + g g^T it is R of the original."""
    start, before = path[0], curvature(path[0].point)
    checks = []
    for at in few:
        predicted = curvature(start.point.transformed(at.A))
        what = f"R of the graph at α = {at.a:.3g} = R by A⁻¹ g and A⁻¹ H A⁻¹"
        tolerance = ROUNDING * predicted.size
        seen = abs(predicted.value - before.value) / 2
        found = graph_curvature(at.land)
        checks.append(Check(what, subject, found, predicted.value, tolerance, WHY, resolves=seen))
    found, a = _worst([(curvature(at.point, at.A).value, at.a) for at in path[1:]], before.value)
    what = f"R in the metric A⁻² + g gᵀ = R of the original (worst: α = {a:.3g})"
    size = before.size
    checks.append(Check(what, subject, found, before.value, ROUNDING * size, WHY, resolves=MOVED * size))
    return checks


def measure_checks(subject: str, path: Sequence[Rescaled]) -> list[Check]:
    """Which measures move: the most that each is changed by any factor, relative to its value before."""
    found = [at.point.measures() | at.sharpness() for at in path]
    checks = []
    for name, before in found[0].items():
        values = [(one[name], at.a) for one, at in zip(found, path, strict=True)]
        if name.startswith("ASAM"):
            value, a = _worst(values[1:], before)
            what = f"{name} does not move (worst: α = {a:.3g})"
            checks.append(_unmoved(what, subject, value, before))
        else:
            most = max(abs(value / before - 1) for value, _ in values)
            what = f"{name} moves: its largest relative change"
            checks.append(Check(what, subject, most, 0.0, MOVED, WHY_MOVED, "differs from"))
    return checks


def normalised_curvatures(path: Sequence[Rescaled]) -> dict[By, list[float]]:
    """R of the same landscapes in normalised coordinates, one for each factor."""
    return {by: [graph_curvature(at.land, by) for at in path] for by in get_args(By)}


def normalised_checks(subject: str, path: Sequence[Rescaled], found: Mapping[By, Sequence[float]]) -> list[Check]:
    """None of them moves."""
    checks = []
    for by, values in found.items():
        value, a = _worst([(R, at.a) for R, at in zip(values, path, strict=True)][1:], values[0])
        what = f"normalised R (by {by}) does not move (worst: α = {a:.3g})"
        checks.append(_unmoved(what, subject, value, values[0]))
    return checks


def neuron_checks(subject: str, land: Landscape, pair: Pair, generator: torch.Generator) -> list[Check]:
    """Each neuron by a factor of its own: only normalising each number leaves R. Factors from 1/4 to 4."""
    outputs = land.shapes[pair.weight][0]
    a = 4 ** (2 * torch.rand(outputs, generator=generator, dtype=torch.float64) - 1)
    there = land.at(rescaling(land, pair, a) * land.theta)
    largest = change(land, there).largest
    what = "neurons by factors of their own: relative change of f and outputs"
    checks = [Check(what, subject, largest, 0.0, ROUNDING, WHY, resolves=MOVED)]
    for by in get_args(By):
        before, after = graph_curvature(land, by), graph_curvature(there, by)
        what = f"neurons by factors of their own: normalised R (by {by})"
        if by == "element":
            checks.append(_unmoved(f"{what} does not move", subject, after, before))
        else:
            tolerance = MOVED * abs(before)
            said = Check(f"{what} moves", subject, after, before, tolerance, WHY_MOVED, "differs from", outside=True)
            checks.append(said)
    return checks


def _unmoved(what: str, subject: str, value: float, before: float) -> Check:
    size = abs(before)
    return Check(what, subject, value, before, ROUNDING * size, WHY, resolves=MOVED * size)


def _worst(values: Sequence[tuple[float, float]], expected: float) -> tuple[float, float]:
    """The value that is farthest from what is expected, and its factor."""
    farthest: Callable[[tuple[float, float]], float] = lambda pair: abs(pair[0] - expected)
    return max(values, key=farthest)

"""Everything at one point: curvatures, and a plane through it with R and geodesics."""

import math
import time
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import shape_operator
from egregium.errors import ArgumentError, BudgetError, EgregiumError
from egregium.estimators import Progress, ProgressCallback, stopped
from egregium.estimators.probes import checked_seed
from egregium.geometry.arguments import landscape, positive, whole
from egregium.geometry.extrinsic import principal_curvatures, shape_trace
from egregium.geometry.geodesics import geodesic
from egregium.geometry.intrinsic import ricci, sectional_curvatures
from egregium.geometry.tangent import TangentSpace, tangent_space
from egregium.landscape import Landscape
from egregium.measurement import scalar_curvature, spectral_density
from egregium.results import Cost, Plane, Portrait, PrincipalCurvatures, environment

#: Places of the loss along an axis, geodesics, steps of RK4 and points of each, random planes.
FINE, RAYS, STEPS, PLANES = 25, 8, 12, 100
ORDINALS = ("", "second ", "third ")
#: Cosine below which two principal directions are two.
ACROSS = 0.5
#: Relative half-width of R at places beside the point, in units of the one asked for there, at most.
COARSER, COARSEST = 2.0, 0.2


def portrait(
    land: Landscape,
    *,
    k: int = 3,
    grid: int = 7,
    radius: float | None = None,
    rtol: float = 0.05,
    scale: float = 1.0,
    seed: int = 0,
    confidence: float = 0.95,
    budget: float | None = None,
    memory: Any = None,
    progress: ProgressCallback | None = None,
) -> Portrait:
    """The geometry of the graph at the landscape's point: the numbers, and a plane through it.

    The plane is that of the two principal directions whose curvatures are largest in size. On it the loss at 25 x 25
    places, R at `grid` x `grid`, and eight geodesics that start in it.

    Args:
        k: principal curvatures at each end.
        grid: places of R along an axis, odd, so that the point is one; 0 for no plane.
        radius: half the side of the plane, on the graph; None: where the loss has moved by 1/2 along the first
            direction, to second order: 1 / sqrt(curvature).
        rtol: of R; at the places of the grid twice that.
        budget: most gradients for the plane; places of R that it does not reach stay NaN, and a note says so.
        memory, progress: as in `egregium.scalar_curvature`.

    Networks with kinks take many more gradients for R away from the point than at it. Cost: R, about 100 products for
    the principal curvatures, 128 for their density, 200 for sectional curvatures; for the plane 210 gradients for the
    loss, 1,150 for the geodesics, and R `grid`^2 times. Raises ArgumentError for n < 2 or arguments that do not fit,
    and the errors of `scalar_curvature`.

    >>> f = lambda x: -torch.sqrt(4 - x @ x)
    >>> found = portrait(Landscape.from_function(f, torch.zeros(3, dtype=torch.float64)), k=1, grid=0)
    >>> print(found.scalar_curvature, "|", found.mean_curvature)
    1.5 (exact) | 0.5 (exact)
    """
    started = time.perf_counter()
    _refuse(land, k, grid, radius, budget)
    T, seed = tangent_space(land, scale=scale), checked_seed(seed)
    how: dict[str, Any] = {"seed": seed, "confidence": confidence}
    R = scalar_curvature(T.land, rtol=rtol, memory=memory, progress=progress, **how)
    principal = principal_curvatures(T.land, k, seed=seed, memory=memory)
    mean = shape_trace(T, rtol=rtol, **how).affine(1 / T.n)
    sectional = sectional_curvatures(T.land, PLANES, **how)
    along = None
    if T.frame.gradient_norm > 0:
        u = T.gradient / T.norm(T.gradient)
        along = ricci(T.land, u, u, rtol=rtol, **how)
    S = shape_operator(T.land, frame=T.frame)
    density = spectral_density(S, seed=seed, confidence=confidence, memory=memory)
    cost = (
        R.cost
        + principal.cost
        + mean.cost
        + sectional.cost
        + density.cost
        + (along.cost if along is not None else Cost())
    )
    plane = None
    if grid:
        most = math.inf if budget is None else budget
        survey = Survey(T, principal, grid, radius, min(COARSER * rtol, COARSEST), how, most, memory, progress)
        plane = survey.plane(R.value, R.half_width())
        cost = cost + survey.cost
    none = principal.largest_directions[:, :0]
    return Portrait(
        n=T.n,
        loss=T.frame.loss,
        gradient_norm=T.frame.gradient_norm,
        volume_element=T.W,
        scalar_curvature=R,
        mean_curvature=mean,
        principal=replace(principal, largest_directions=none, smallest_directions=none),
        sectional=sectional,
        ricci_along_gradient=along,
        plane=plane,
        scale=float(scale),
        cost=replace(cost, seconds=time.perf_counter() - started),
        environment=environment(T.land.device, T.land.dtype, seed),
        setting=land.setting,
        density=density,
    )


def _refuse(land: Landscape, k: int, grid: int, radius: float | None, budget: float | None) -> None:
    if landscape(land).n < 2:
        raise ArgumentError(f"A portrait needs at least two parameters, got {land.n}.")
    if whole(k, 1, "k") > land.n:
        raise ArgumentError(f"k must be at most n = {land.n:,}, the number of principal curvatures, got {k:,}.")
    if whole(grid, 0, "grid") != 0 and (grid < 3 or grid % 2 == 0):
        raise ArgumentError(f"grid must be odd and at least 3, or 0 for no plane, got {grid!r}.")
    for name, value in (("radius", radius), ("budget, in gradients,", budget)):
        if value is not None:
            positive(value, name)


@dataclass(eq=False)
class Survey:
    """What is looked at on the plane, and what it cost."""

    T: TangentSpace
    principal: PrincipalCurvatures
    grid: int
    radius: float | None
    rtol: float
    how: dict[str, Any]
    budget: float
    memory: Any
    progress: ProgressCallback | None
    cost: Cost = Cost()
    each: float = 0.0
    ended: str = ""

    def plane(self, R: float, half_width: float) -> Plane:
        """The plane, as far as the budget and the caller let it come."""
        names, curvatures, E = self.axes()
        radius = self.radius or 1 / math.sqrt(max(abs(curvatures[0]), 1e-12))
        steps = _steps(radius, FINE)
        losses = torch.tensor([[_or_nan(self._at(E, a, b)) for a in steps] for b in steps], dtype=torch.float64)
        self.cost = self.cost + Cost(gradients=FINE**2 / 3)
        rays, heights, apart, notes = self._rays(E, radius)
        values, widths = self._curvatures(E, radius, R, half_width)
        if self.ended:
            notes = (*notes, self.ended)
        confidence = self.how["confidence"]
        return Plane(names, curvatures, radius, losses, values, widths, confidence, rays, heights, apart, notes)

    def axes(self) -> tuple[tuple[str, str], tuple[float, float], Float[Tensor, "n 2"]]:
        """The two principal directions whose curvatures are largest in size."""
        ends = (
            ("largest", self.principal.largest.values, self.principal.largest_directions),
            ("smallest", self.principal.smallest.values, self.principal.smallest_directions),
        )
        found = [
            (float(v), f"{ORDINALS[i] if i < len(ORDINALS) else f'{i + 1}th '}{name}", X[:, i])
            for name, values, X in ends
            for i, v in enumerate(values)
        ]
        found.sort(key=lambda one: -abs(one[0]))
        first = found[0]
        others = (one for one in found[1:] if abs(self.T.inner(one[2], first[2])) < ACROSS)
        second = next(others, None) or (first[0], f"also {first[1]}", self._across(first[2]))
        E = self.T.orthonormal(torch.stack([first[2], second[2]], 1))
        return (first[1], second[1]), (first[0], second[0]), E

    def _across(self, x: Tensor) -> Tensor:
        """Some direction that is not x: where all curvatures are equal, both ends may have found the same one."""
        place = int(x.abs().argmin())
        return torch.eye(1, self.T.n, dtype=x.dtype, device=x.device)[0].roll(place)

    def _at(self, E: Tensor, a: float, b: float) -> Landscape:
        return self.T.land.at(self.T.land.theta + a * E[:, 0] + b * E[:, 1])

    def _curvatures(self, E: Tensor, radius: float, R: float, width: float) -> tuple[Tensor, Tensor]:
        """R and half its interval's width over the plane, the nearest places first; NaN where there is none."""
        values, widths = (torch.full((self.grid,) * 2, torch.nan, dtype=torch.float64) for _ in range(2))
        middle, count, steps = self.grid // 2, self.grid**2, _steps(radius, self.grid)
        values[middle, middle], widths[middle, middle] = R, width
        places = sorted(
            product(range(self.grid), repeat=2), key=lambda ij: max(abs(ij[0] - middle), abs(ij[1] - middle))
        )
        for done, (i, j) in enumerate(places[1:], 1):
            each = f", about {self.each * count:,.0f} gradients" if self.each else ""
            left = self.budget - self.cost.gradients
            how = self.how | {"rtol": self.rtol, "memory": self.memory, "budget": None if math.isinf(left) else left}
            try:
                if stopped(
                    self.progress, Progress(f"R at {count} places of a plane{each}", done / count, None, self.cost)
                ):
                    self.ended = "Stopped"
                    break
                if left <= self.each:
                    raise BudgetError("The next place would take more than is left.")
                e = scalar_curvature(self._at(E, steps[j], steps[i]), **how)
            except BudgetError:
                self.ended = "The budget ended"
                break
            except EgregiumError:  # outside the domain of f
                continue
            values[i, j], widths[i, j] = e.value, e.half_width()
            self.cost, self.each = self.cost + e.cost, e.cost.gradients
        if self.ended:
            self.ended += f": R is known at {int(values.isfinite().sum())} of {count} places of the plane."
        return values, widths

    def _rays(self, E: Tensor, radius: float) -> tuple[Tensor, Tensor, Tensor, tuple[str, ...]]:
        points = STEPS + 1
        flat = torch.full((RAYS, points, 2), torch.nan, dtype=torch.float64)
        heights, apart = (torch.full((RAYS, points), torch.nan, dtype=torch.float64) for _ in range(2))
        notes: dict[str, None] = {}
        G = self.T.metric
        for r in range(RAYS):
            angle = 2 * math.pi * r / RAYS
            v = radius * (math.cos(angle) * E[:, 0] + math.sin(angle) * E[:, 1])
            found = geodesic(self.T.land, v, points=points, steps=STEPS)
            self.cost = self.cost + found.cost + Cost(gradients=points / 3)
            moved = found.points - self.T.land.theta
            on_plane = moved @ (G @ E)
            count = len(moved)
            flat[r, :count] = on_plane.double().cpu()
            apart[r, :count] = (moved - on_plane @ E.T).norm(dim=1).double().cpu()
            heights[r, :count] = torch.tensor([_or_nan(self.T.land.at(point)) for point in found.points])
            notes |= dict.fromkeys(found.notes)
        return flat, heights, apart, tuple(notes)


def _steps(radius: float, count: int) -> list[float]:
    """Equally spaced coordinates along an axis of the plane."""
    return [float(a) for a in torch.linspace(-radius, radius, count, dtype=torch.float64)]


def _or_nan(land: Landscape) -> float:
    """f, or NaN where it is not finite."""
    try:
        return land.value()
    except EgregiumError:
        return math.nan

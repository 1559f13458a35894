"""Parallel transport along any path."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import jvp

from egregium.curvature import tangent_frame
from egregium.errors import ArgumentError
from egregium.geometry.arguments import rows_of, vector
from egregium.geometry.geodesics import geodesic
from egregium.geometry.kinks import kink_note
from egregium.geometry.motion import BUDGET, Equations, Solver, State, christoffel, integrated
from egregium.landscape import Landscape
from egregium.operators.inner import gram
from egregium.results import Cost, Geodesic, Transport

#: A path s -> theta(s), s in [0, 1], made of torch operations.
Curve = Callable[[Tensor], Tensor]


def transport(
    land: Landscape,
    vectors: Float[Tensor, "n k"],
    path: Tensor | Curve | Geodesic,
    *,
    scale: float = 1.0,
    tolerance: float | None = None,
    steps: int | None = None,
    budget: float = BUDGET,
) -> Transport:
    """`vectors` (n,) or (n, k) transported parallel along `path`: v' = -beta (theta'^T H v) g.

    Args:
        path: (m, n) points, joined by straight lines in theta; or a function s -> theta(s) on [0, 1] in torch
            operations, whose derivative is taken; or a `Geodesic`, which is run again. It starts where it says,
            whatever the landscape's own point is.
        tolerance, steps, budget: as in `geodesic`; steps are for each piece of the path.

    Keeps lengths and angles in the metric, of which `drift` says how much was lost. One product at a right-hand side,
    for any number of vectors. Where the path leaves the domain of f, or the budget ends: `converged=False`, what was
    reached, and a note. Raises ArgumentError for arguments that do not fit.

    >>> plane = Landscape.from_function(lambda x: x.sum(), torch.zeros(2, dtype=torch.float64))
    >>> there = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    >>> transport(plane, torch.tensor([1.0, 0.0], dtype=torch.float64), there).vectors.T
    tensor([[1., 0.]], dtype=torch.float64)
    """
    started = time.perf_counter()
    solver, land = Solver(tolerance, steps, budget), land.scaled(scale)
    rows = rows_of(land, vectors, "vectors")
    if isinstance(path, Geodesic):
        how: dict[str, Any] = {"tolerance": tolerance, "steps": steps, "budget": budget}
        g = geodesic(land.at(path.points[0]), path.velocities[0], float(path.times[-1]), carry=rows.T, **how)
        return Transport(g.carried[-1], g.end, g.drift, g.converged, g.cost, g.method, g.notes)
    pieces = _pieces(land, path)
    point = pieces[0](torch.zeros((), dtype=torch.float64))
    here = land.at(point)
    first, sizes = _gram(here, rows)
    sizes = sizes.to(rows.dtype).unsqueeze(1)
    state, cost, ended = rows / sizes, Cost(gradients=1), ""
    for k, piece in enumerate(pieces):
        equations = Along(land, solver.budget - cost.gradients, piece)
        course = integrated(equations, state, [0.0, 1.0], solver)
        state, cost = course.states[-1], cost + course.cost
        point = piece(torch.tensor(course.times[-1], dtype=torch.float64)).to(land.device, land.dtype)
        if course.ended:
            at = f"{course.times[-1]:.3g} of piece {k + 1} of {len(pieces)}"
            ended = f"It ended at {at}: {course.ended.rstrip('.')}."
            break
    moved = state * sizes
    last, _ = _gram(land.at(point), moved)
    lengths = sizes.double().squeeze(1).to(last.device)
    drift = float(((last - first) / torch.outer(lengths, lengths)).abs().max()) if len(rows) else 0.0
    notes = (*kink_note(land.at(point)), *([ended] if ended else []))
    cost = replace(cost + Cost(gradients=1), seconds=time.perf_counter() - started)
    return Transport(moved.T, point, drift, not ended, cost, solver.words(land.dtype), notes)


class Along(Equations):
    """w' = -Gamma(theta', w) for every row, along a given path."""

    def __init__(self, land: Landscape, budget: float, path: Curve) -> None:
        super().__init__(land, budget)
        self.path = path

    def __call__(self, s: Tensor, state: State) -> State:
        with torch.enable_grad():
            theta, slope = jvp(self.path, (s,), (torch.ones_like(s),))
        theta, slope = (x.detach().to(self.land.device, self.land.dtype) for x in (theta, slope))
        g, H, beta = self.derivatives(theta, slope.unsqueeze(0))
        return christoffel(state, H[0], g, beta).neg_()


def _pieces(land: Landscape, path: Tensor | Curve) -> list[Curve]:
    """The smooth parts of a path, each on [0, 1]."""
    if isinstance(path, Tensor):
        if path.ndim != 2 or path.shape[1] != land.n or len(path) < 2:
            raise ArgumentError(f"path needs at least two points, (m, {land.n}), got {tuple(path.shape)}.")
        knots = [vector(land, row, "A point of path") for row in path]
        return [_line(a, b) for a, b in pairwise(knots)]
    if not callable(path):
        raise ArgumentError(f"path must be points, a function of s or a Geodesic, got {type(path).__name__}.")
    vector(land, path(torch.zeros((), dtype=torch.float64)), "path(0)")
    return [path]


def _line(a: Tensor, b: Tensor) -> Curve:
    return lambda s: a + (b - a) * s.to(a)


def _gram(land: Landscape, rows: State) -> tuple[Tensor, Tensor]:
    """Inner products in the metric, and lengths, 1 where zero. A gradient."""
    slopes = gram(rows, tangent_frame(land.fixed()).gradient.unsqueeze(0))
    G = gram(rows, rows) + slopes @ slopes.T
    lengths = G.diagonal().sqrt()
    return G, lengths.where(lengths > 0, torch.ones_like(lengths))

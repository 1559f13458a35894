"""A path between two points that is as short as its neighbours, by relaxation: from gradients alone, any n.

The path is a polynomial theta(s) of degree m, given by its values at the m + 1 Legendre-Gauss-Lobatto nodes of [0, 1].
With D the derivative at the nodes and w their weights, the energy of its lift to the graph is

    E = sum_i w_i |(D X)_i|^2 = tr(X^T K X),   K = D^T diag(w) D,   X = (theta, f(theta)) at the nodes,

whose gradient in theta is 2 (K theta + (K f) o grad f): one gradient of f at each inner node, no product. At a minimum
it is a geodesic, up to the degree, with spectral accuracy, run through at constant speed; E is its squared length.
L-BFGS in coordinates in which a flat E is |Z|^2.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.polynomial import legendre
from torch import Tensor

from egregium.errors import EgregiumError
from egregium.landscape import Landscape
from egregium.operators.inner import gram
from egregium.results import Cost

#: Degrees of the path, one after the other, until its last coefficients are small.
DEGREES = (8, 16, 32)
#: Steps of L-BFGS at each degree, and pairs of vectors that it keeps.
ITERATIONS, HISTORY = 200, 10
#: Relative gradient of E below which E no longer tells the better of two paths, and whole steps are taken.
TELLING = 1e-5
#: Evaluations without a better path after which a search ends.
PATIENCE = 12


@dataclass(frozen=True, eq=False)
class Nodes:
    """Legendre-Gauss-Lobatto nodes s_0 = 0 < ... < s_m = 1, the derivative D at them, K, and `inner`: C with
    C^T K_inner C = I.
    """

    s: np.ndarray
    D: np.ndarray
    K: np.ndarray
    inner: np.ndarray

    @classmethod
    def of_degree(cls, m: int) -> "Nodes":
        top = legendre.Legendre.basis(m)
        x = np.concatenate([[-1.0], np.sort(np.real(top.deriv().roots())), [1.0]])
        values = top(x)
        weights = 2 / (m * (m + 1) * values**2)
        apart = x[:, None] - x + np.eye(m + 1)
        D = values[:, None] / (values * apart)
        np.fill_diagonal(D, 0.0)
        np.fill_diagonal(D, -D.sum(1))
        D, weights = 2 * D, weights / 2
        K = D.T @ (weights[:, None] * D)
        inner = np.linalg.inv(np.linalg.cholesky(K[1:-1, 1:-1])).T
        return cls((x + 1) / 2, D, K, inner)

    def interpolation(self, s: np.ndarray) -> np.ndarray:
        """The matrix from values here to values of the polynomial at s."""
        m = len(self.s) - 1
        return legendre.legvander(2 * s - 1, m) @ np.linalg.inv(legendre.legvander(2 * self.s - 1, m))

    def tail(self, points: Float[Tensor, "m n"], values: Float[Tensor, " m"]) -> float:
        """The size of the lifted curve's last two Legendre coefficients, over that of all but the constant."""
        V = np.linalg.inv(legendre.legvander(2 * self.s - 1, len(self.s) - 1))[1:]
        lifts = torch.from_numpy(V) @ (values - values[0])
        sizes = torch.hypot(_times(V, points - points[:1]).norm(dim=1).double().cpu(), lifts)
        return float(sizes[-2:].max() / sizes.max().clamp_min(torch.finfo(torch.float64).tiny))


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A relaxed path.

    Attributes:
        path: (m + 1, n) points at the nodes.
        velocity: (n,) its derivative at the start.
        length: of its lift.
        slope: what is left of the gradient of E, relative to E.
        tail: what the degree leaves out, relative.
        failure: why it ended early, or "".
    """

    path: Float[Tensor, "m n"]
    velocity: Float[Tensor, " n"]
    length: float
    slope: float
    tail: float
    cost: Cost
    failure: str


def relaxed(land: Landscape, start: Tensor, end: Tensor, tol: float, budget: float) -> Relaxed:
    """The path from the straight line; `tol`: relative, of the gradient of E and of the tail."""
    nodes = Nodes.of_degree(DEGREES[0])
    points = torch.stack([torch.lerp(start, end, float(s)) for s in nodes.s])
    spent = 0.0
    for m in DEGREES:
        new = Nodes.of_degree(m)
        points = _times(nodes.interpolation(new.s), points)
        points[0], points[-1] = start, end
        problem = _Problem(land, new, points, budget - spent)
        problem.minimise(max(tol, TELLING), "strong_wolfe")
        tail = new.tail(problem.best, problem.values)
        last = tail <= tol or m == DEGREES[-1] or bool(problem.failure)
        if last and not problem.failure and problem.slope <= 10 * TELLING:
            problem.minimise(max(tol, tail / 10))
            tail = new.tail(problem.best, problem.values)
        nodes, points, spent = new, problem.best, spent + problem.gradients
        if last:
            break
    return Relaxed(
        points,
        _times(nodes.D[:1], points)[0],
        math.sqrt(problem.energy),
        problem.slope,
        tail,
        Cost(gradients=spent),
        problem.failure,
    )


class _Problem:
    """E of a path of one degree in the coordinates Z (m - 1, n), and its minimisation."""

    def __init__(self, land: Landscape, nodes: Nodes, points: Tensor, budget: float) -> None:
        self.land, self.nodes, self.ends, self.budget = land, nodes, points[[0, -1]], budget
        self.Z = _times(np.linalg.inv(nodes.inner), points[1:-1]).requires_grad_()
        self.gradients, self.failure = 0.0, ""
        self.best = points
        self.values = torch.zeros(len(points), dtype=torch.float64)
        self.energy = self.slope = math.inf
        self.fixed: list[float] = []

    def minimise(self, goal: float, search: str | None = None) -> None:
        """Lower E until its gradient is below `goal`, or nothing helps; by whole steps where there is no `search`."""
        how: dict[str, Any] = {"max_iter": ITERATIONS, "history_size": HISTORY, "tolerance_grad": 0.0}
        solver = torch.optim.LBFGS([self.Z], line_search_fn=search, tolerance_change=0.0, **how)
        self.goal, self.idle = goal, 0
        try:
            solver.step(self._closure)  # type: ignore[no-untyped-call]
        except StopIteration:
            pass
        except EgregiumError as error:
            self.failure = f"the path left the domain: {error}"
        with torch.no_grad():
            self.Z.copy_(_times(np.linalg.inv(self.nodes.inner), self.best[1:-1]))

    def _closure(self) -> Tensor:
        """E / 2 at Z, with its gradient in Z.grad; ends the search where that is small or the budget is spent."""
        inner = _times(self.nodes.inner, self.Z.detach())
        points = torch.cat([self.ends[:1], inner, self.ends[1:]])
        if not self.fixed:
            self.fixed = [self.land.at(end).value() for end in self.ends]
            self.gradients += 1
        values = torch.tensor([self.fixed[0], *([0.0] * len(inner)), self.fixed[1]], dtype=torch.float64)
        slopes = torch.empty_like(inner)
        for i, theta in enumerate(inner):
            values[i + 1], slopes[i] = self.land.at(theta).value_and_gradient()
        self.gradients += len(inner)
        K = torch.from_numpy(self.nodes.K)
        moved = points - points[:1]
        bent = K @ (values - values[0])
        energy = float((K * gram(moved, moved).cpu()).sum() + (values - values[0]) @ bent)
        pulled = _times(self.nodes.K[1:-1], moved)
        pulled += slopes * bent[1:-1].to(slopes).unsqueeze(1)
        self.Z.grad = _times(self.nodes.inner.T, pulled)
        slope = float(self.Z.grad.norm()) / max(energy, 1e-300) ** 0.5
        near = max(slope, self.slope) < 10 * TELLING
        better = slope < 0.9 * self.slope if near else energy < (1 - 1e-9) * self.energy
        self.idle = 0 if better else self.idle + 1
        if better:
            self.best, self.values, self.energy, self.slope = points, values, energy, slope
        if self.gradients >= self.budget and slope > self.goal:
            self.failure = "the budget was spent"
        if slope <= self.goal or self.failure or self.idle >= PATIENCE:
            raise StopIteration
        return torch.tensor(energy / 2, dtype=self.Z.dtype)


def _times(A: np.ndarray, points: Tensor) -> Tensor:
    """A small matrix times a block of rows, in the rows' dtype."""
    return torch.from_numpy(np.ascontiguousarray(A)).to(points) @ points

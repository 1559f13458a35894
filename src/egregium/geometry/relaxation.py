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
DEGREES = (8, 16, 32, 64)
#: Steps of L-BFGS at each degree, and pairs of vectors that it keeps.
ITERATIONS, HISTORY = 200, 10
#: Relative gradient of E below which E no longer tells the better of two paths, and whole steps are taken.
TELLING = 1e-5
#: Evaluations without a better path after which a search ends.
PATIENCE = 12
#: The unit of Z for the last digits, in lengths.
FINE = 1e-5


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
    straight = Nodes.of_degree(1)
    found = _Path(straight, torch.stack([start, end]))
    cost, failure, tail = 0.0, "", 1.0
    for m in DEGREES:
        problem = _Problem(land, found.refined(m), budget - cost)
        problem.minimise(max(tol, TELLING), "strong_wolfe")
        tail = problem.best.tail()
        last = tail <= tol or m == DEGREES[-1]
        if last and not problem.failure and problem.best.slope <= 10 * TELLING:
            problem.minimise(max(tol, tail / 10))
            tail = problem.best.tail()
        found, cost, failure = problem.best, cost + problem.gradients, problem.failure
        if last or failure:
            break
    velocity = _times(found.nodes.D[:1], found.points)[0]
    return Relaxed(found.points, velocity, math.sqrt(found.energy), found.slope, tail, Cost(gradients=cost), failure)


@dataclass(frozen=True, eq=False)
class _Path:
    """A path at its nodes, the loss there, its energy E, and what is left of E's gradient, relative."""

    nodes: Nodes
    points: Float[Tensor, "m n"]
    values: Float[Tensor, " m"] | None = None
    energy: float = math.inf
    slope: float = math.inf

    def refined(self, m: int) -> "_Path":
        """The same path at the nodes of degree m."""
        nodes = Nodes.of_degree(m)
        points = _times(self.nodes.interpolation(nodes.s), self.points)
        points[0], points[-1] = self.points[0], self.points[-1]
        return _Path(nodes, points)

    def tail(self) -> float:
        """The size of the lift's last two Legendre coefficients, over that of all but the constant."""
        if self.values is None:
            return 1.0
        V = np.linalg.inv(legendre.legvander(2 * self.nodes.s - 1, len(self.nodes.s) - 1))[1:]
        lifts = torch.from_numpy(V) @ (self.values - self.values[0])
        sizes = torch.hypot(_times(V, self.points - self.points[:1]).norm(dim=1).double().cpu(), lifts)
        return float(sizes[-2:].max() / sizes.max().clamp_min(torch.finfo(torch.float64).tiny))


class _Problem:
    """E / 2 of a path of one degree in the coordinates Z (m - 1, n), and its minimisation."""

    def __init__(self, land: Landscape, path: _Path, budget: float) -> None:
        self.land, self.nodes, self.ends, self.budget = land, path.nodes, path.points[[0, -1]], budget
        self.best, self.gradients, self.failure = path, 0.0, ""
        self.fixed: list[float] = []

    def minimise(self, goal: float, search: str | None = None) -> None:
        """Lower E until its gradient is below `goal`, or nothing helps; by whole steps where there is no `search`.

        Z is in units of the length; for the last digits in finer ones, since torch's L-BFGS drops pairs of steps whose
        product is below 1e-10.
        """
        self.unit = float((self.ends[1] - self.ends[0]).norm()) * (1.0 if search else FINE)
        Z = (_times(np.linalg.inv(self.nodes.inner), self.best.points[1:-1]) / self.unit).requires_grad_()
        how: dict[str, Any] = {"max_iter": ITERATIONS, "history_size": HISTORY, "tolerance_grad": 0.0}
        solver = torch.optim.LBFGS([Z], line_search_fn=search, tolerance_change=0.0, **how)
        self.goal, self.idle = goal, 0
        try:
            solver.step(lambda: self._closure(Z))  # type: ignore[no-untyped-call]
        except StopIteration:
            pass
        except EgregiumError as error:
            self.failure = f"the path left the domain: {error}"

    def _closure(self, Z: Tensor) -> Tensor:
        """The value at Z, with its gradient in Z.grad; ends the search where that is small or the budget is spent."""
        if self.gradients + len(Z) + (not self.fixed) > self.budget:
            self.failure = "the budget was spent"
            raise StopIteration
        if not self.fixed:
            self.fixed = [self.land.at(end).value() for end in self.ends]
            self.gradients += 1
        inner = _times(self.nodes.inner, Z.detach() * self.unit)
        values = torch.tensor([self.fixed[0], *([0.0] * len(inner)), self.fixed[1]], dtype=torch.float64)
        slopes = torch.empty_like(inner)
        for i, theta in enumerate(inner):
            values[i + 1], slopes[i] = self.land.at(theta).value_and_gradient()
        self.gradients += len(inner)
        points, K = torch.cat([self.ends[:1], inner, self.ends[1:]]), torch.from_numpy(self.nodes.K)
        moved = points - points[:1]
        bent = K @ (values - values[0])
        energy = float((K * gram(moved, moved).cpu()).sum() + (values - values[0]) @ bent)
        pulled = _times(self.nodes.K[1:-1], moved)
        pulled += slopes * bent[1:-1].to(slopes).unsqueeze(1)
        gradient = _times(self.nodes.inner.T, pulled)
        Z.grad = gradient / self.unit
        self._kept(_Path(self.nodes, points, values, energy, float(gradient.norm()) / math.sqrt(energy)))
        return torch.tensor(energy / (2 * self.unit**2), dtype=Z.dtype)

    def _kept(self, path: _Path) -> None:
        """Keep the better path: by E, and where E no longer tells, by its gradient."""
        near = max(path.slope, self.best.slope) < 10 * TELLING
        better = path.slope < 0.9 * self.best.slope if near else path.energy < (1 - 1e-9) * self.best.energy
        self.best, self.idle = (path, 0) if better else (self.best, self.idle + 1)
        if path.slope <= self.goal or self.idle >= PATIENCE:
            raise StopIteration


def _times(A: np.ndarray, points: Tensor) -> Tensor:
    """A small matrix times a block of rows, in the rows' dtype."""
    return torch.from_numpy(np.ascontiguousarray(A)).to(points) @ points

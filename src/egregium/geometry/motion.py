"""The equations of motion on the graph, integrated by torchdiffeq: geodesics, what they carry, and Jacobi fields.

One state is a block of rows (2 + c + 2 j, n): the point, the velocity, c carried vectors, j Jacobi fields and their
covariant derivatives. A right-hand side is one pass over the data: the gradient and 1 + j Hessian products.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torchdiffeq import odeint

from egregium.curvature import hessian
from egregium.errors import EgregiumError
from egregium.geometry.arguments import positive, whole
from egregium.landscape import Landscape
from egregium.operators import Stretch
from egregium.operators.inner import gram
from egregium.results import Cost

State = Float[Tensor, "rows n"]

#: Largest error of a step, in units of the path's length (position, at most 1) and of unit vectors (the rest).
TOLERANCES, COARSE = {torch.float64: 1e-10, torch.float32: 1e-5}, 1e-3
#: Gradients of the full data that a path may take.
BUDGET = 10_000.0
#: How often a step that leaves the domain of f is tried again, each time a fifth as long.
RETRIES, SHORTER = 12, 0.2


class EndedError(Exception):
    """The path cannot go on from here, for this reason."""


class DomainError(EndedError):
    """The loss or a derivative is not finite at a point: a shorter step may avoid it."""


@dataclass(frozen=True)
class Solver:
    """How to integrate: dopri5 to `tolerance` a step (by the dtype where None), or `steps` of RK4 in all."""

    tolerance: float | None = None
    steps: int | None = None
    budget: float = BUDGET

    def __post_init__(self) -> None:
        if self.tolerance is not None:
            positive(self.tolerance, "tolerance", below=1.0)
        if self.steps is not None:
            whole(self.steps, 1, "steps")
        if self.budget != math.inf:
            positive(self.budget, "budget, in gradients,")

    def of(self, dtype: torch.dtype) -> float:
        """The tolerance for this dtype."""
        return TOLERANCES.get(dtype, COARSE) if self.tolerance is None else self.tolerance

    def words(self, dtype: torch.dtype) -> str:
        return f"RK4, {self.steps} steps" if self.steps else f"dopri5, {self.of(dtype):g} a step"


@dataclass(frozen=True, eq=False)
class Course:
    """What an integration found: the states at those times that were reached, and where it ended, if early.

    Attributes:
        times, states: the last of them is the last point that was reached, asked for or not.
        ended: why it did not go to the end, or "".
        steps: of the solver, those that were tried again included.
    """

    times: list[float]
    states: list[State]
    cost: Cost
    ended: str
    steps: int = 0


class Equations(ABC):
    """The right-hand side d/ds of a state; counts its passes, and keeps the last state that the solver accepted."""

    def __init__(self, land: Landscape, budget: float) -> None:
        self.land, self.budget, self.cost, self.steps = land, budget, Cost(), 0
        self.last: tuple[float, State, float] | None = None

    def callback_step(self, s: Tensor, state: State, ds: Tensor) -> None:
        """torchdiffeq calls this before each step, from a state that it accepted."""
        self.last = float(s), state, float(ds)
        self.steps += 1

    @abstractmethod
    def __call__(self, s: Tensor, state: State) -> State:
        """d state / ds."""

    def norm(self, error: State) -> Tensor:
        """The size of an error, in units of the tolerance: its longest row."""
        longest: Tensor = error.norm(dim=-1).amax() if len(error) else error.new_zeros(())
        return longest

    def derivatives(self, theta: Tensor, directions: State) -> tuple[Tensor, State, float]:
        """(g, H X, beta) at theta, for the rows X. Raises DomainError where they are not finite."""
        price = hessian(self.land).cost(len(directions))
        if self.cost.gradients + price.gradients > self.budget:
            raise EndedError("the budget was spent")
        self.cost = self.cost + price
        try:
            g, H = hessian(self.land.at(theta)).with_gradient(directions)
        except EgregiumError as error:
            raise DomainError(f"it left the domain: {error}") from error
        row = g.unsqueeze(0)
        return g, H, 1 / (1 + float(gram(row, row)))


class Free(Equations):
    """Geodesics of unit speed, with what they carry: rows (2 + c + 2 j, n) as above."""

    def __init__(self, land: Landscape, budget: float, carried: int, fields: int, length: float) -> None:
        super().__init__(land, budget)
        self.first, self.fields, self.scale = 2 + carried, fields, min(length, 1.0)

    def norm(self, error: State) -> Tensor:
        lengths = error.norm(dim=-1)
        return torch.maximum(lengths[0] / self.scale, lengths[1:].max())

    def __call__(self, s: Tensor, state: State) -> State:
        """w' = -Gamma(v, w) for v and all that is carried; J' = K - Gamma(v, J), K' = -R(J, v) v - Gamma(v, K)."""
        J, K = self.of_fields(state)
        g, H, beta = self.derivatives(state[0], torch.cat([state[1:2], J]))
        moved = torch.empty_like(state)
        moved[0] = state[1]
        moved[1:] = christoffel(state[1:], H[0], g, beta).neg_()
        if self.fields:
            of_J, of_K = self.of_fields(moved)
            of_J += K
            along = gram(torch.cat([state[1:2], J]), H[:1]).to(g.dtype)  # v^T H v, and J^T H v of each field
            turned = along[0] * H[1:] - along[1:] * H[:1]
            of_K -= beta * Stretch(g, beta).matmat(turned.T).T  # metric^-1
        return moved

    def of_fields(self, state: State) -> tuple[State, State]:
        """The rows of the Jacobi fields, and of their derivatives; views."""
        return state[self.first : self.first + self.fields], state[self.first + self.fields :]


def christoffel(X: State, Hv: Tensor, g: Tensor, beta: float) -> State:
    """beta (x^T H v) g for each row x."""
    return torch.outer((gram(X, Hv.unsqueeze(0)) * beta).to(g.dtype).squeeze(1), g)


def integrated(equations: Equations, state: State, times: list[float], solver: Solver) -> Course:
    """The states at `times`, of which the first is now."""
    there, states = times[:1], [state]
    ended = ""
    for end in times[1:]:
        steps = math.ceil((solver.steps or 0) * (end - there[-1]) / (times[-1] - times[0]) - 1e-9)
        try:
            state = _segment(equations, state, there[-1], end, solver, steps)
        except EndedError as why:
            ended = str(why)
            if equations.last is not None and equations.last[0] > there[-1]:
                there.append(equations.last[0])
                states.append(equations.last[1])
            break
        there.append(end)
        states.append(state)
    return Course(there, states, equations.cost, ended, equations.steps)


def _segment(equations: Equations, state: State, begin: float, end: float, solver: Solver, steps: int) -> State:
    """The state at `end`, steps that leave the domain tried again and shorter. Raises EndedError where it is stuck."""
    options: dict[str, Any] = {"norm": equations.norm, "step_t": torch.tensor([end], dtype=torch.float64)}
    how: dict[str, Any] = {"method": "dopri5", "rtol": 0.0, "atol": solver.of(state.dtype), "options": options}
    if solver.steps is not None:
        how |= {"method": "rk4", "options": {"step_size": (end - begin) / steps}}
    tries, left = 0, "the solver's step shrank to nothing"
    while True:
        ends = torch.tensor([begin, end], dtype=torch.float64, device=state.device)
        try:
            with torch.no_grad():
                found: State = odeint(equations, state, ends, **how)[1]
        except (DomainError, AssertionError) as why:  # an assertion of torchdiffeq: a step too short to be one
            small = isinstance(why, AssertionError)
            left = left if small else str(why)
            reached, at, step = equations.last or (begin, state, end - begin)
            tries = 1 if reached > begin else tries + 1
            if small or solver.steps is not None or tries > RETRIES:
                raise EndedError(left) from why
            begin, state = reached, at
            options["first_step"] = SHORTER * step
        else:
            return found

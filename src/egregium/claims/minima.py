"""True minima of trained networks: the gradient zero up to rounding, the Hessian positive definite."""

from functools import lru_cache

import torch
from torch import Tensor

from egregium.claims.networks import digit_landscape
from egregium.curvature import hessian
from egregium.landscape import Landscape
from egregium.operators import dense_matrix

#: Weight decay of the networks that have a minimum.
DECAY = 1e-3
#: L-BFGS steps before Newton's, of which there are at most so many.
STEPS, NEWTON_STEPS = 400, 40
#: |g| below which rounding is all there is.
REST = 1e-11
#: Share of the largest eigenvalue at which smaller ones are taken, so that a step along them is no leap.
FLOOR = 1e-6
#: Share of the decrease to first order that a step must reach (Armijo), and the shortest step.
ENOUGH, SHORTEST = 1e-4, 1e-6


@lru_cache(maxsize=4)
def digit_minimum(hidden: tuple[int, ...] = (4,), samples: int = 200, seed: int = 0, decay: float = DECAY) -> Landscape:
    """A tanh network on digits at a minimum of its cross-entropy with weight decay.

    Without decay there is none: where the classes can be told apart the loss falls for ever. L-BFGS, then Newton's
    method with the dense Hessian.
    """
    return minimum(digit_landscape(hidden, samples, seed=seed, steps=STEPS, decay=decay))


def minimum(land: Landscape) -> Landscape:
    """`land` at the minimum that Newton's method with absolute eigenvalues descends to from where it is."""
    here = land.fixed()
    for _ in range(NEWTON_STEPS):
        value, g = here.value_and_gradient()
        if float(g.norm()) < REST:
            break
        values, vectors = torch.linalg.eigh(dense_matrix(hessian(here)))
        curvatures = values.abs().clamp(min=FLOOR * float(values.abs().max()))
        step = -vectors @ ((vectors.T @ g) / curvatures)
        further = _accepted(here, value, g, step)
        if further is None:
            break
        here = further
    return here


def _accepted(here: Landscape, value: float, g: Tensor, step: Tensor) -> Landscape | None:
    """The first of the steps 1, 1/2, ... that lowers f enough, or, where f is all rounding, halves the gradient."""
    length = 1.0
    while length > SHORTEST:
        there = here.at(here.theta + length * step)
        reached, slope = there.value_and_gradient()
        if reached <= value + ENOUGH * length * float(g @ step) or float(slope.norm()) < float(g.norm()) / 2:
            return there
        length /= 2
    return None

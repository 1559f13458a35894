"""By how much the loss rises at worst within a small ball: what SAM and ASAM make small."""

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import EgregiumError
from egregium.landscape import Landscape

#: Radii of SAM (P. Foret et al., arXiv 2010.01412) and of ASAM (J. Kwon et al., arXiv 2102.11600), as in their papers.
WORST, ADAPTIVE = 0.05, 0.5
#: Ascent steps; M. Andriushchenko et al. (arXiv 2302.07011) take 20.
STEPS = 20


def worst_rise(land: Landscape, radius: float, size: Float[Tensor, " n"] | None = None, steps: int = STEPS) -> float:
    """max of f(theta + e) - f(theta) over |e / size| <= radius, from below: the best of `steps` of projected ascent.

    size = 1 is SAM's ball, size = |theta| ASAM's, which rescaling a layer does not change. The first point is SAM's,
    radius along the gradient; the following steps are of a quarter of the radius along the gradient where they are.
    Costs steps + 1 gradients.

    >>> f = lambda x: (3 * x[0] ** 2 + x[1] ** 2) / 2
    >>> land = Landscape.from_function(f, torch.tensor([0.0, 1e-3], dtype=torch.float64))
    >>> land = land.at(torch.tensor([1e-4, 0.0], dtype=torch.float64))
    >>> round(worst_rise(land, 0.1), 5)  # 3 (0.1 + 1e-4)^2 / 2
    0.01503
    """
    theta = land.theta
    scale = torch.ones_like(theta) if size is None else size
    below, g = land.value_and_gradient()
    e, best = torch.zeros_like(theta), 0.0
    for step in range(steps):
        slope = scale * g
        length = float(slope.norm())
        if not length > 0:
            break
        e = e + (radius if step == 0 else radius / 4) / length * slope
        e = e * min(1.0, radius / float(e.norm()))
        try:
            value, g = land.at(theta + scale * e).value_and_gradient()
        except EgregiumError:  # not finite there: the rise is beyond all bounds
            return float("inf")
        best = max(best, value - below)
    return best

"""The interval of a difference of two estimates, from the interval of each.

Let a and b be estimates whose intervals at one level reach from a - l_a to a + u_a, and from b - l_b to b + u_b. That
of b - a reaches below it by L and above it by U, where

    independent:  L = sqrt(l_b^2 + u_a^2),  U = sqrt(u_b^2 + l_a^2)
    dependent:    L = l_b + u_a,            U = u_b + l_a.

*Independent*: the method of variance estimates recovery (G. Zou, A. Donner, Stat. Med. 27, 2008), which keeps the
longer side of each interval where it belongs. For Student's intervals both are `sqrt(t_a^2 s_a^2 + t_b^2 s_b^2)`, which
holds the difference of normal means with *at least* the nominal probability whatever the variances and degrees of
freedom (S. Banerjee, Sankhya A 23, 1961); Welch's interval is a little shorter, and at few degrees of freedom may hold
too rarely.

*Dependent*, in an unknown way (the same probe vectors at two points): for errors that are jointly normal the sum holds
with at least the nominal probability whatever their correlation rho. The error of b - a has the standard deviation
`sqrt(sigma_a^2 + sigma_b^2 - 2 rho sigma_a sigma_b) <= sigma_a + sigma_b`, and is independent of the estimated widths
`w = t s`; `P(|Z| <= x)` is concave in x > 0, so with `p = sigma_a / (sigma_a + sigma_b)`

    E P(|Z| <= (w_a + w_b) / (sigma_a + sigma_b)) >= p E P(|Z| <= w_a / sigma_a) + (1 - p) E P(|Z| <= w_b / sigma_b),

and both terms on the right are the nominal level.

What is no random error (rounding, the bias of a quadrature, a residual) is a bound, and bounds add up in either case.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Sides:
    """How far an interval reaches below and above its value, at one level; `bound` is the part that is not random."""

    below: float
    above: float
    bound: float = 0.0


def difference_sides(b: Sides, a: Sides, *, independent: bool) -> tuple[float, float]:
    """(below, above): how far the interval of b - a reaches from its value.

    >>> difference_sides(Sides(3.0, 3.0), Sides(4.0, 4.0), independent=True)
    (5.0, 5.0)
    >>> difference_sides(Sides(3.0, 1.0), Sides(4.0, 2.0), independent=False)
    (5.0, 5.0)
    >>> difference_sides(Sides(3.5, 3.5, bound=0.5), Sides(4.0, 4.0), independent=True)
    (5.5, 5.5)
    """
    if not independent:
        return b.below + a.above, b.above + a.below
    (below_a, above_a), (below_b, above_b) = (
        (max(s.below - s.bound, 0.0), max(s.above - s.bound, 0.0)) for s in (a, b)
    )
    fixed = a.bound + b.bound
    return math.hypot(below_b, above_a) + fixed, math.hypot(above_b, below_a) + fixed

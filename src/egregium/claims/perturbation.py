"""What a step of length eps does to the loss: in random directions, both ways, and in the worst one."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.claims.spectra import Sampled
from egregium.landscape import Landscape
from egregium.stats import jackknife_stderr, leave_one_out_mean, mean_half_width, student_half_width

#: Level of the intervals over directions: quadratic forms are skewed, so that Student's hold a little less often.
LEVEL = 0.9999
#: Roundings of f in a difference of two values of it.
ROUNDINGS = 8


@dataclass(frozen=True, eq=False)
class Differences:
    """f(theta + eps x) - f(theta) for k directions x and their opposites, as even and odd parts in eps.

    The mean over the sphere of the difference is that of `even`, and of its square that of even^2 + odd^2. Directions
    are independent in groups of `group`.
    """

    eps: float
    even: Float[Tensor, " k"]
    odd: Float[Tensor, " k"]
    rounding: float
    group: int = 1

    @property
    def first(self) -> Float[Tensor, " k"]:
        """The difference / eps^2, each averaged over a direction and its opposite."""
        return self.even / self.eps**2

    @property
    def second(self) -> Float[Tensor, " k"]:
        """Its square / eps^4, likewise."""
        return (self.even**2 + self.odd**2) / self.eps**4

    def square_along(self, sign: int) -> Float[Tensor, " k"]:
        """The square / eps^4 along the directions (1) or their opposites (-1)."""
        return (self.even + sign * self.odd).square() / self.eps**4

    def largest(self) -> float:
        """The largest of these, either way."""
        return float((self.even.abs() + self.odd.abs()).max()) ** 2 / self.eps**4

    def where_largest(self) -> int:
        """The number of the direction that has it."""
        return int((self.even.abs() + self.odd.abs()).argmax())


def directions(n: int, count: int, generator: torch.Generator) -> Float[Tensor, "count n"]:
    """Independent and uniform on the unit sphere, as rows."""
    x = torch.randn(count, n, generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(x, dim=1)


def frames(n: int, count: int, generator: torch.Generator) -> Float[Tensor, "count*n n"]:
    """The rows of `count` random orthogonal matrices: each uniform on the sphere, and the means over them steadier.

    The mean of x^T A x over n orthonormal vectors is tr A / n whatever they are, so that no sampling is left in it.
    """
    Q: Tensor = torch.linalg.qr(torch.randn(count, n, n, generator=generator, dtype=torch.float64)).Q
    return Q.mT.reshape(count * n, n)


def differences(land: Landscape, x: Float[Tensor, "k n"], eps: float, group: int = 1) -> Differences:
    """Of the loss along unit vectors, from 2 k + 1 values of it."""
    here, base = land.theta, land.value()
    x = x.to(here)
    values = [[land.at(here + sign * eps * row).value() - base for row in x] for sign in (1, -1)]
    found = torch.tensor(values, dtype=torch.float64)
    forth, back = found
    rounding = ROUNDINGS * torch.finfo(land.dtype).eps * max(abs(base), float(found.abs().max()))
    return Differences(eps, (forth + back) / 2, (forth - back) / 2, rounding, group)


def worst_direction(land: Landscape, eps: float, start: Float[Tensor, " n"], steps: int) -> Float[Tensor, " n"]:
    """The direction of the largest loss at distance eps, by ascent: along the gradient there, again and again.

    Where the gradient is 0 in the middle and eps small that is the power method.
    """
    here, x = land.theta, start.to(land.theta)
    for _ in range(steps):
        slope = land.at(here + eps * x).gradient()
        x = slope / slope.norm()
    return x


def sampled_mean(x: Float[Tensor, " k"], group: int = 1) -> Sampled:
    """The mean with half of Student's interval over the means of groups."""
    means = x.reshape(-1, group).mean(1)
    return Sampled(float(means.mean()), mean_half_width(means, LEVEL))


def next_order(at: Float[Tensor, " k"], at_twice: Float[Tensor, " k"]) -> float:
    """What the term of order eps^2 is at most at eps, from the same directions at eps and 2 eps.

    M(2 eps) - M(eps) is three times that term; its interval counts, and half of it in place of a third leaves room for
    the orders that come after.
    """
    change = sampled_mean(at_twice - at)
    return (abs(change.value) + change.error) / 2


def order(values: list[Float[Tensor, " k"]]) -> Sampled:
    """The order in eps of the first correction, from means at eps, 2 eps, 4 eps and 8 eps over the same directions.

    log2 of the quotient of successive changes; its error by the jackknife over directions, and by how much the order
    changes from the first three to the last three.
    """

    def between(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return ((c - b) / (b - a)).log2()

    means, left_out = [v.mean() for v in values], [leave_one_out_mean(v) for v in values]
    near, far = between(*means[:3]), between(*means[1:])
    k = values[0].numel()
    error = student_half_width(jackknife_stderr(between(*left_out[:3])), LEVEL, k - 1)
    return Sampled(float(near), error + abs(float(far - near)))

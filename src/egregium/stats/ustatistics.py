"""The unbiased square of a mean.

`(mean x)^2` overestimates `(E x)^2` by `Var(mean x)`. The average of `x_i x_j` over the pairs `i != j`, a
U-statistic, is unbiased for every k >= 2 (W. Hoeffding, Ann. Math. Statist. 19, 1948).
"""

import torch
from jaxtyping import Float
from torch import Tensor


def pair_mean(x: Float[Tensor, " k"]) -> Float[Tensor, ""]:
    """Mean of x_i x_j over i != j, `((sum x)^2 - sum x^2) / (k (k - 1))`; unbiased for (E x)^2. NaN for k < 2.

    Computed about the mean m, `m^2 - sum (x - m)^2 / (k (k - 1))`, which does not cancel.

    >>> pair_mean(torch.tensor([1.0, 2.0, 4.0]))  # (1*2 + 1*4 + 2*4) * 2 / 6
    tensor(4.6667)
    """
    k = x.numel()
    if k < 2:
        return torch.full((), torch.nan, dtype=x.dtype)
    mean = x.mean()
    return mean**2 - ((x - mean) ** 2).sum() / (k * (k - 1))


def leave_one_out_pair_mean(x: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """`pair_mean` of x without its i-th entry, for every i at once. NaN for k < 3.

    >>> leave_one_out_pair_mean(torch.tensor([1.0, 2.0, 4.0])).round(decimals=4)  # 2*4, 1*4, 1*2
    tensor([8., 4., 2.])
    """
    k = x.numel()
    if k < 3:
        return torch.full_like(x, torch.nan)
    mean, rest = x.mean(), k - 1
    deviation = x - mean
    left_mean = mean - deviation / rest
    left_squares = (deviation**2).sum() - deviation**2 * k / rest
    return left_mean**2 - left_squares / (rest * (rest - 1))

"""The jackknife: the error of a function of samples from its values with one sample left out.

`stderr^2 = (k - 1)/k sum_i (s_(i) - mean s_(.))^2` (B. Efron, C. Stein, Ann. Statist. 9, 1981: it overestimates
the variance on average, so it errs on the side of caution). Intervals use Student's t with k - 1 degrees of freedom.
"""

import math

from jaxtyping import Float
from scipy.special import stdtrit
from torch import Tensor


def leave_one_out_mean(x: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """The mean of x without its i-th entry, for every i at once.

    >>> import torch
    >>> leave_one_out_mean(torch.tensor([1.0, 2.0, 6.0]))
    tensor([4.0000, 3.5000, 1.5000])
    """
    mean = x.mean()
    return mean - (x - mean) / (x.numel() - 1)


def jackknife_stderr(left_out: Float[Tensor, " k"]) -> float:
    """Standard error of a statistic from its k leave-one-out values; NaN for k < 2.

    >>> import torch
    >>> x = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    >>> round(jackknife_stderr(leave_one_out_mean(x)) / float(x.std() / 3**0.5), 12)  # of a mean: s / sqrt(k)
    1.0
    """
    k = left_out.numel()
    if k < 2:
        return math.nan
    return math.sqrt((k - 1) / k * float(((left_out - left_out.mean()) ** 2).sum()))


def unequal_jackknife_variance(squares: Float[Tensor, " m"], sizes: Float[Tensor, " m"]) -> float:
    """Variance of a statistic from the squared influences of m groups of unequal sizes, left out one at a time.

    `squares[b]` is the square of what the statistic changes by when the mean over all terms is replaced by that of
    group b, to first order. With h_b = N / sizes[b] the delete-one value differs by `influence_b / (h_b - 1)`, and the
    jackknife for unequal groups (F. Busing, E. Meijer, R. van der Leeden, Stat. Comput. 9, 1999) is

        (1 / m) sum_b squares[b] / (h_b - 1),

    unbiased for a mean of independent terms whatever the sizes. m - 1 degrees of freedom.

    >>> import torch
    >>> x = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    >>> round(unequal_jackknife_variance((x - x.mean()) ** 2, torch.ones(3)) / float(x.var() / 3), 12)  # of a mean
    1.0
    """
    ratios = sizes.sum() / sizes - 1
    return float((squares / ratios).mean())


def student_half_width(stderr: float, confidence: float, degrees: float) -> float:
    """Half the width of the two-sided interval `value +/- t_degrees((1 + confidence)/2) stderr`.

    0 where stderr is 0 (an exact number), NaN where there are no degrees of freedom.

    >>> round(student_half_width(1.0, 0.95, 7), 3)
    2.365
    """
    if stderr == 0:
        return 0.0
    if not degrees > 0:
        return math.nan
    return student_quantile(confidence, degrees) * stderr


def mean_half_width(samples: Float[Tensor, " k"], confidence: float) -> float:
    """Half the width of Student's interval of the mean of k >= 2 independent samples: `t_(k-1) s / sqrt(k)`.

    >>> import torch
    >>> round(mean_half_width(torch.tensor([1.0, 3.0]), 0.5), 12)  # s = sqrt(2), t_1(0.75) = 1
    1.0
    """
    k = len(samples)
    return student_half_width(float(samples.double().std()) / math.sqrt(k), confidence, k - 1)


def student_quantile(confidence: float, degrees: float) -> float:
    """`t_degrees((1 + confidence)/2)`, the normal one for infinitely many degrees of freedom."""
    return float(stdtrit(degrees, (1 + confidence) / 2))

"""The nuclear norm by stochastic Lanczos quadrature.

`|A|_* = sum |lambda_i| = n E[v^T |A| v]` for a uniform unit vector v, and the Gauss rule of Lanczos from v gives
`v^T |A| v ~ sum_j w_j |theta_j|` (S. Ubaru, J. Chen, Y. Saad, SIAM J. Matrix Anal. 38, 2017). |x| is no polynomial: its
kink leaves an error of the rule where eigenvalues crowd at 0, on top of that of the probes.
"""

import math
import time
from dataclasses import replace

import torch

from egregium.errors import ArgumentError
from egregium.estimators.eigen import DENSE
from egregium.estimators.goal import Room, checked_confidence
from egregium.estimators.lanczos import Tridiagonal
from egregium.estimators.moments import ROUNDINGS
from egregium.estimators.quadrature import rule, runs
from egregium.operators import SymmetricOperator, dense_matrix
from egregium.results import Cost, Estimate

#: Lanczos runs and their products.
PROBES, STEPS = 16, 32


def nuclear_norm(
    op: SymmetricOperator,
    *,
    probes: int = PROBES,
    steps: int = STEPS,
    confidence: float = 0.95,
    seed: int = 0,
    room: Room = Room(),
) -> Estimate:
    """|A|_*, the sum of the absolute eigenvalues; exact, from the dense matrix and n products, for n <= 64.

    Otherwise `probes` Lanczos runs of `steps` products: Student's interval over the probes, and on either side, added
    linearly as `bias`, the most that the mean changed between the rules of steps / 2 and of all steps. That estimates
    the rule's error, which falls with the steps, and does not bound it. Memory: `steps` vectors, fewer where `room` has
    fewer. Raises ArgumentError for fewer than two probes or steps, or a confidence that is none.

    >>> from egregium.operators import Dense
    >>> print(nuclear_norm(Dense(torch.diag(torch.tensor([3.0, -4.0])))))
    7 (exact)
    """
    whole = all(isinstance(x, int) and not isinstance(x, bool) and x >= 2 for x in (probes, steps))
    if not whole:
        raise ArgumentError(f"nuclear_norm needs probes >= 2 and steps >= 2, got {probes!r} and {steps!r}.")
    checked_confidence(confidence)
    started, cost = time.perf_counter(), Cost()
    unit = ROUNDINGS * torch.finfo(op.dtype).eps
    if op.n <= DENSE:
        exact = float(torch.linalg.eigvalsh(dense_matrix(op).double()).abs().sum())
        cost = replace(op.cost(op.n), seconds=time.perf_counter() - started)
        words = "dense eigendecomposition"
        return Estimate(exact, 0.0, cost=cost, method=words, confidence=confidence, rounding=unit * exact)
    steps = max(min(steps, room.vectors, op.n), 2)
    samples, changes = [], []
    for run in runs(op, steps, probes, seed):
        cost = cost + run.cost
        values = _by_steps(run, steps)
        samples.append(op.n * values[-1])
        changes.append(op.n * (values[:-1] - values[-1]))
    each = torch.stack(samples)
    value, bias = float(each.mean()), float(torch.stack(changes).mean(0).abs().max())
    return Estimate(
        value,
        float(each.std()) / math.sqrt(probes),
        degrees=probes - 1,
        samples=each,
        cost=replace(cost, seconds=time.perf_counter() - started),
        method=f"stochastic Lanczos quadrature, {probes} probes of {steps} steps; samples n sum w |theta| a probe",
        confidence=confidence,
        rounding=unit * abs(value),
        bias=bias,
    )


def _by_steps(run: Tridiagonal, steps: int) -> torch.Tensor:
    """sum w |theta| by the rules of steps / 2, ..., steps; a run that ended before is exact from there on."""
    done = run.diagonal.numel()
    rules = [rule(run, done if float(run.beyond[-1]) == 0 else j) for j in range(max(steps // 2, 1), steps + 1)]
    return torch.stack([(weights * nodes.abs()).sum() for nodes, weights in rules])

"""Parts of a spectrum: eigenpairs and the spectral density."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.results.cost import Cost
from egregium.results.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """k eigenpairs at one end of the spectrum of a symmetric (n x n) matrix A.

    Attributes:
        values: (k,) eigenvalues, the outermost first.
        vectors: (n, k) unit eigenvectors, or (n, 0) where they were not kept.
        residuals: (k,) |A v - lambda v|: each interval `values[i] +/- residuals[i]` holds an eigenvalue of A.
        cost, method, converged: as in `Estimate`.
        beyond: eigenvalues that are not among `values` lie no further out than the last one by more than this;
            infinite where they were not looked for.
    """

    values: Float[Tensor, " k"]
    vectors: Float[Tensor, "n k"]
    residuals: Float[Tensor, " k"]
    cost: Cost = Cost()
    method: str = ""
    converged: bool = True
    beyond: float = math.inf

    @property
    def bounds(self) -> Float[Tensor, " k"]:
        """(k,) how far each value is from its eigenvalue: `min(r, r^2 / gap)`, r the residual.

        gap: the distance of the value from all other eigenvalues, known from the other values, their residuals and
        `beyond`; where it is not known to be positive, r stands (T. Kato, J. Phys. Soc. Japan 4, 1949).

        >>> import torch
        >>> pairs = Eigenpairs(torch.tensor([3.0, 1.0]), torch.empty(5, 0), torch.tensor([0.1, 0.0]), beyond=0.0)
        >>> pairs.bounds  # 0.1^2 / 2; below 1 there may be another
        tensor([0.0050, 0.0000])
        """
        if not self.values.numel():
            return self.residuals
        away = (self.values.unsqueeze(1) - self.values).abs() - self.residuals
        away.fill_diagonal_(math.inf)
        gap = torch.minimum(away.amin(1), (self.values - self.values[-1]).abs() - self.beyond)
        quadratic = self.residuals**2 / gap
        return torch.where(gap > self.residuals, quadratic, self.residuals)

    def __str__(self) -> str:
        pairs = zip(self.values.tolist(), self.residuals.tolist(), strict=True)
        return ", ".join(f"{value:.6g} +/- {residual:.1g}" for value, residual in pairs)


@dataclass(frozen=True, eq=False)
class SpectralDensity:
    """The density of eigenvalues of a symmetric (n x n) matrix, smoothed with a Gaussian of width `sigma`.

    `density[j]` estimates `(1/n) sum_i N(grid[j]; lambda_i, sigma^2)`; its integral is 1.

    Attributes:
        grid: (m,) positions, in the units of the eigenvalues.
        density: (m,) the estimate.
        stderr: (m,) its standard error over the probes.
        nodes, weights: (probes, steps) Ritz values and Gauss weights, each row of weights summing to 1.
        sigma: width of the Gaussian.
        cost, method: as in `Estimate`.
        lower, upper: (m,) pointwise band of the density at `confidence`, by the bootstrap over the probes; None in
            documents of older versions.
        n: rows of the matrix; 0 in documents of older versions.
        rounding: relative error that the dtype of the products may carry into a moment.
    """

    grid: Float[Tensor, " m"]
    density: Float[Tensor, " m"]
    stderr: Float[Tensor, " m"]
    nodes: Float[Tensor, "probes steps"]
    weights: Float[Tensor, "probes steps"]
    sigma: float
    cost: Cost = Cost()
    method: str = ""
    lower: Float[Tensor, " m"] | None = None
    upper: Float[Tensor, " m"] | None = None
    confidence: float = 0.95
    n: int = 0
    rounding: float = 0.0

    def moment(self, power: int) -> Estimate:
        """tr A^power = n E[sum_i w_i theta_i^power], with Student's interval over the probes: 1 is tr A, 2 |A|_F^2.

        Unbiased: Gauss rules of j steps are exact up to degree 2 j - 1. Raises ArgumentError for a power beyond that
        (where more steps are needed) or below 0, and where the document that this was read from does not say n.

        >>> import torch
        >>> nodes, weights, none = torch.tensor([[1.0, 3.0]] * 2), torch.tensor([[0.5, 0.5]] * 2), torch.empty(0)
        >>> print(SpectralDensity(none, none, none, nodes, weights, 1.0, n=4).moment(2))  # 1 + 1 + 9 + 9
        20 +/- 0 (95 %)
        """
        probes, steps = self.nodes.shape
        known = isinstance(power, int) and not isinstance(power, bool) and 0 <= power < 2 * steps
        if not known or not self.n:
            raise ArgumentError(
                f"A density of {steps} steps knows the moments 0, ..., {2 * steps - 1} of a matrix of known size, got "
                f"power = {power!r} and n = {self.n or 'unknown'}. Take more steps, or measure again."
            )
        each = self.n * (self.weights * self.nodes**power).sum(1)
        size = self.n * float((self.weights * self.nodes.abs() ** power).sum(1).mean())
        return Estimate(
            float(each.mean()),
            float(each.std()) / math.sqrt(probes),
            degrees=probes - 1,
            samples=each,
            cost=self.cost,
            method=self.method,
            confidence=self.confidence,
            rounding=self.rounding * size,
        )


@dataclass(frozen=True, eq=False)
class DualSpectrum:
    """Every eigenvalue of an (n x n) matrix of low rank, from a smaller one.

    Attributes:
        eigenvalues: (r,) those that may differ from `rest`, descending, float64; r <= n.
        rest: each of the other n - r: 0, or the weight decay.
        trace, squared_frobenius, nuclear_norm: sums over all n of lambda, lambda^2 and |lambda|.
        rank: eigenvalues beyond rounding, weight decay not counted.
        n: size of the matrix.
        cost, method, notes: as in `Estimate`.
    """

    eigenvalues: Float[Tensor, " r"]
    rest: float
    trace: float
    squared_frobenius: float
    nuclear_norm: float
    rank: int
    n: int
    cost: Cost = Cost()
    method: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        ends = f", {self.eigenvalues[0]:.6g} to {self.eigenvalues[-1]:.6g}" if self.eigenvalues.numel() else ""
        return f"rank {self.rank:,} of {self.n:,}{ends}"

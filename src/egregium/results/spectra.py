"""Parts of a spectrum: eigenpairs and the spectral density."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from egregium.results.cost import Cost


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """k eigenpairs at one end of the spectrum of a symmetric (n x n) matrix A.

    Attributes:
        values: (k,) eigenvalues, the outermost first.
        vectors: (n, k) unit eigenvectors, or (n, 0) where they were not kept.
        residuals: (k,) |A v - lambda v|: each interval `values[i] +/- residuals[i]` holds an eigenvalue of A.
        cost, method, converged: as in `Estimate`.
    """

    values: Float[Tensor, " k"]
    vectors: Float[Tensor, "n k"]
    residuals: Float[Tensor, " k"]
    cost: Cost = Cost()
    method: str = ""
    converged: bool = True

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
    """

    grid: Float[Tensor, " m"]
    density: Float[Tensor, " m"]
    stderr: Float[Tensor, " m"]
    nodes: Float[Tensor, "probes steps"]
    weights: Float[Tensor, "probes steps"]
    sigma: float
    cost: Cost = Cost()
    method: str = ""


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

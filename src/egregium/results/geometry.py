"""Results of `egregium.geometry`: curvatures of planes and directions, paths, balls."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.results.cost import Cost
from egregium.results.document import Document, save
from egregium.results.estimate import Estimate
from egregium.results.spectra import Eigenpairs


class Saved:
    """What can be written as a JSON document."""

    def save(self, path: str, *, force: bool = False) -> None:
        """Write this as a JSON document, whole or not at all; `egregium.load(path)` reads it back.

        Raises DocumentError where the file exists (unless `force`) or cannot be written.
        """
        save(self, path, force=force)


@dataclass(frozen=True, eq=False)
class PrincipalCurvatures(Saved):
    """Principal curvatures of the graph: eigenvalues of the shape operator, k at each end.

    Attributes:
        largest, smallest: eigenpairs of S~ = P H P / W, with error bounds; no vectors.
        largest_directions, smallest_directions: (n, k) principal directions in the coordinates of theta, of length 1
            in the metric and orthogonal in it.
        n: number of parameters.
    """

    largest: Eigenpairs
    smallest: Eigenpairs
    largest_directions: Float[Tensor, "n k"]
    smallest_directions: Float[Tensor, "n k"]
    n: int

    @property
    def cost(self) -> Cost:
        return self.largest.cost + self.smallest.cost

    def __str__(self) -> str:
        return f"largest {self.largest}; smallest {self.smallest}"


@dataclass(frozen=True, eq=False)
class SectionalCurvatures(Saved):
    """Sectional curvatures of planes at a point, or along a path.

    Attributes:
        samples: (k,) one a plane, in the order they were taken; NaN where the vectors spanned no plane.
        mean: their mean: an interval where the planes were drawn, exact where they were given.
        scalar_curvature: n (n - 1) times the mean of random planes, an estimate of R; None for given planes.
        n: number of parameters.
        cost, method, notes: as in `Estimate`.
    """

    samples: Float[Tensor, " k"]
    mean: Estimate
    scalar_curvature: Estimate | None
    n: int
    cost: Cost = Cost()
    method: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        known = self.samples[~self.samples.isnan()]
        if not known.numel():
            return "no planes"
        low, middle, high = (float(known.quantile(q)) for q in (0.05, 0.5, 0.95))
        return f"mean {self.mean}; 5 %, 50 % and 95 % of {known.numel()} planes: {low:.4g}, {middle:.4g}, {high:.4g}"


@dataclass(frozen=True, eq=False)
class Geodesic(Saved):
    """A geodesic of the graph, in the coordinates of theta.

    Attributes:
        times: (m,) in [0, t], those of the points that were kept: at least both ends.
        points, velocities: (m, n) there.
        carried: (m, n, k) vectors that were transported parallel along it; k = 0 where none were.
        fields, slopes: (m, n, k) Jacobi fields J and their covariant derivatives; k = 0 where none were asked for.
        length: on the graph, of what was reached.
        drift: largest relative change of the speed, and of inner products of what was carried, over the kept points;
            both are conserved, so this is the solver's error.
        converged: whether the end was reached.
        cost, method, notes: as in `Estimate`.
    """

    times: Float[Tensor, " m"]
    points: Float[Tensor, "m n"]
    velocities: Float[Tensor, "m n"]
    carried: Float[Tensor, "m n k"]
    fields: Float[Tensor, "m n k"]
    slopes: Float[Tensor, "m n k"]
    length: float
    drift: float
    converged: bool
    cost: Cost = Cost()
    method: str = ""
    notes: tuple[str, ...] = ()

    @property
    def end(self) -> Float[Tensor, " n"]:
        """The last point."""
        return self.points[-1]

    @property
    def end_velocity(self) -> Float[Tensor, " n"]:
        """The velocity there."""
        return self.velocities[-1]

    def __str__(self) -> str:
        ended = "" if self.converged else ", not to its end"
        return f"geodesic of length {self.length:.6g}{ended}, drift {self.drift:.1e}, {self.cost}"


@dataclass(frozen=True, eq=False)
class Logarithm(Saved):
    """A geodesic between two points, found as a boundary-value problem.

    Attributes:
        velocity: (n,) at the start; exp(velocity) is the target.
        distance: its length, with what the residual may add; the distance where the geodesic is a shortest one.
        residual: |exp(velocity) - target| in the metric at the target, where it was shot, relative to the length;
            infinite where no geodesic was shot.
        path: (m, n) the best path, both ends included.
        converged: whether it is as accurate as was asked.
        cost, method, notes: as in `Estimate`.
    """

    velocity: Float[Tensor, " n"]
    distance: Estimate
    residual: float
    path: Float[Tensor, "m n"]
    converged: bool
    cost: Cost = Cost()
    method: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        ended = "" if self.converged else " (not converged)"
        return f"distance {self.distance}{ended}, {self.cost}"


@dataclass(frozen=True, eq=False)
class Transport(Saved):
    """Vectors transported parallel along a path.

    Attributes:
        vectors: (n, k) at its end.
        point: (n,) the end.
        drift: largest change of an inner product in the metric, relative to the lengths; they are conserved, so this is
            the solver's error.
        converged: whether the end was reached.
        cost, method, notes: as in `Estimate`.
    """

    vectors: Float[Tensor, "n k"]
    point: Float[Tensor, " n"]
    drift: float
    converged: bool
    cost: Cost = Cost()
    method: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class BallVolumes(Saved):
    """Volumes of geodesic balls about a point, over those of Euclidean balls of the same radii.

    Attributes:
        radii: (m,).
        ratios: one a radius, vol B_M(r) / vol B_E(r), with the interval of the directions that were drawn.
        expansion: 1 - R r^2 / (6 (n + 2)) at each radius, where R was measured; its error is that of R.
        log_euclidean: (m,) the logarithm of vol B_E(r) = pi^(n/2) r^n / Gamma(n/2 + 1).
        samples: (k, m) the ratio of each pair of opposite directions.
        n, cost, method, notes: as elsewhere.
    """

    radii: Float[Tensor, " m"]
    ratios: tuple[Estimate, ...]
    expansion: tuple[Estimate, ...]
    log_euclidean: Float[Tensor, " m"]
    n: int
    samples: Float[Tensor, "k m"] = field(default_factory=lambda: torch.empty(0, 0, dtype=torch.float64), repr=False)
    cost: Cost = Cost()
    method: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = zip(self.radii.tolist(), self.ratios, strict=True)
        return "\n".join(f"radius {r:g}: {ratio} of a Euclidean ball" for r, ratio in rows)


Document.register(PrincipalCurvatures, SectionalCurvatures, Geodesic, Logarithm, Transport, BallVolumes)

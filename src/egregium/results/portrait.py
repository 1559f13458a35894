"""The geometry of the graph at a point, with a plane through it: what `egregium geometry` writes."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.results.cost import Cost
from egregium.results.document import Document
from egregium.results.environment import Environment
from egregium.results.estimate import Estimate, rounded
from egregium.results.geometry import PrincipalCurvatures, Saved, SectionalCurvatures
from egregium.results.spectra import SpectralDensity
from egregium.results.table import Row, html_table

#: Relative bound below which a value has six digits.
CLOSE = 1e-5


@dataclass(frozen=True, eq=False)
class Plane(Saved):
    """A plane theta + a e1 + b e2 through a point, and geodesics that start in it.

    Attributes:
        names: of e1 and e2, of length 1 in the metric and orthogonal in it.
        curvatures: the principal curvatures along them.
        radius: largest |a| and |b|, lengths on the graph at the point.
        losses: (m, m) f at equally spaced a (columns) and b (rows); NaN where it is not finite.
        scalar_curvatures, half_widths: (k, k) R, of all n dimensions, at coarser places, with half the width of its
            interval; NaN where it has none.
        confidence: of these intervals.
        rays: (r, p, 2) the points of r geodesics projected on the plane along its metric complement; heights (r, p) the
            loss at the points themselves, and apart (r, p) their distances from the plane in theta. NaN after the end.
        notes: of the geodesics.
    """

    names: tuple[str, str]
    curvatures: tuple[float, float]
    radius: float
    losses: Float[Tensor, "m m"]
    scalar_curvatures: Float[Tensor, "k k"]
    half_widths: Float[Tensor, "k k"]
    confidence: float
    rays: Float[Tensor, "r p 2"]
    heights: Float[Tensor, "r p"]
    apart: Float[Tensor, "r p"]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Portrait(Saved):
    """The geometry of the graph of f at a point.

    Attributes:
        n, loss, gradient_norm: number of parameters, f and |g|.
        volume_element: W = sqrt(1 + |g|^2).
        scalar_curvature: R.
        mean_curvature: tr S / n.
        principal: the outermost principal curvatures; their directions are not kept here.
        sectional: of random planes.
        ricci_along_gradient: Ric(u, u) of u = g / |g| in the metric; None where g = 0.
        plane: None where it was not asked for, or not reached.
        density: of all n principal curvatures; None in documents of older versions.
        cost, environment, setting, scale: as in `Measurement`.
        title, command, created: what was measured, the exact command line, ISO 8601 time.
    """

    n: int
    loss: float
    gradient_norm: float
    volume_element: float
    scalar_curvature: Estimate
    mean_curvature: Estimate
    principal: PrincipalCurvatures
    sectional: SectionalCurvatures
    ricci_along_gradient: Estimate | None
    plane: Plane | None
    scale: float
    cost: Cost
    environment: Environment
    setting: tuple[Row, ...] = ()
    density: SpectralDensity | None = None
    title: str = ""
    command: str = ""
    created: str = ""

    def rows(self) -> list[Row]:
        """The table of this point: name, value with interval, and what it means."""
        rows = [
            Row("loss", f"{self.loss:.6g}", f"{self.n:,} parameters", group="point"),
            *([Row("scale", f"{self.scale:g}", "multiplies the loss", group="point")] if self.scale != 1 else []),
            Row("gradient norm", f"{self.gradient_norm:.4g}", "|g|", group="point"),
            Row("volume element", f"{self.volume_element:.6g}", "W = √(1 + |g|²)", group="point"),
            *self.setting,
            Row("scalar curvature R", str(self.scalar_curvature), "(tr S)² − |S|²", group="intrinsic", strong=True),
            Row("sectional curvature", str(self.sectional.mean), "mean of random planes", group="intrinsic"),
            Row("  90 % of planes", self._spread(), f"{self.sectional.samples.numel()} planes", group="intrinsic"),
        ]
        if self.ricci_along_gradient is not None:
            along = Row("Ricci, along g", str(self.ricci_along_gradient), "Ric(u, u), u = g / |g|", group="intrinsic")
            rows.append(along)
        rows.append(Row("mean curvature", str(self.mean_curvature), "tr S / n", group="extrinsic"))
        for name, pairs in (("largest", self.principal.largest), ("smallest", self.principal.smallest)):
            rounding = torch.finfo(getattr(torch, self.environment.dtype)).eps
            values = zip(pairs.values.tolist(), pairs.bounds.tolist(), strict=True)
            for k, (value, residual) in enumerate(values):
                bound = max(residual, rounding * abs(value))
                meaning = "κ, along the normal (−g, 1)" if k == 0 else ""
                row = f"{name} principal curvature" if k == 0 else f"{name}, number {k + 1}"
                close = bound < CLOSE * abs(value)
                text = f"{value:.6g} +/- {bound:.1g}" if close else rounded(value, bound)
                rows.append(Row(row, text, meaning, group="extrinsic"))
        rows.append(Row("cost", str(self.cost), "", group="cost"))
        return rows

    def _spread(self) -> str:
        known = self.sectional.samples
        low, high = (float(known.quantile(q)) for q in (0.05, 0.95))
        return f"{low:.2g} to {high:.2g}"

    def __str__(self) -> str:
        return "\n".join(f"{row.name:28} {row.value:28} {row.meaning}" for row in self.rows())

    def _repr_html_(self) -> str:
        return html_table(self.rows())


Document.register(Plane, Portrait)

"""Everything measured at one point of a landscape, and the documents that hold such measurements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from egregium.results.cost import Cost
from egregium.results.document import Document, save
from egregium.results.environment import Environment
from egregium.results.estimate import Estimate
from egregium.results.fingerprint import Fingerprint
from egregium.results.notebook import shown
from egregium.results.spectra import Eigenpairs, SpectralDensity
from egregium.results.table import Row
from egregium.stats import Bend

#: The four terms of R = beta [(tr H)^2 - |H|_F^2] + 2 beta^2 [g^T H^2 g - tr(H) g^T H g], in this order.
TermName = Literal["trace", "frobenius", "gradient", "gradient_trace"]
TERMS: dict[TermName, str] = {
    "trace": "β (tr H)²",
    "frobenius": "−β |H|²_F",
    "gradient": "2β² gᵀH²g",
    "gradient_trace": "−2β² tr H · gᵀHg",
}


@dataclass(frozen=True, eq=False)
class Measurement:
    """The geometry of a loss graph at one point, one number beside the other.

    With g the gradient, H the Hessian (or the Gauss-Newton matrix, by `operator`), `W = sqrt(1 + |g|^2)` and S~ the
    shape operator of the graph. All estimates come from the same probes.

    Attributes:
        n: number of parameters.
        loss, gradient_norm: f and |g|.
        scalar_curvature: R = (tr S~)^2 - |S~|_F^2, in units of f^2 / theta^4 where |g| is small.
        trace, squared_frobenius, frobenius_norm: tr H, |H|_F^2, |H|_F.
        effective_rank: (tr H)^2 / |H|_F^2.
        mean_curvature: tr S~ / n.
        terms: what each of R's four terms contributes; they add up to R.
        largest, smallest: extreme eigenvalues of H, one each; None where they were not asked for or not reached.
        density: the spectral density of H, where asked for.
        operator, scale: which H; f was multiplied by `scale`.
        cost: of everything here.
        environment: versions, machine, seed, dtype, device.
        setting: rows on how the model was taken: evaluation mode, part of the parameters, weight decay, precision.
        fingerprint: of data, point and model; None in documents of older versions.
    """

    n: int
    loss: float
    gradient_norm: float
    scalar_curvature: Estimate
    trace: Estimate
    squared_frobenius: Estimate
    frobenius_norm: Estimate
    effective_rank: Estimate
    mean_curvature: Estimate
    terms: Mapping[TermName, Estimate]
    largest: Eigenpairs | None
    smallest: Eigenpairs | None
    density: SpectralDensity | None
    operator: str
    scale: float
    cost: Cost
    environment: Environment
    setting: tuple[Row, ...] = ()
    fingerprint: Fingerprint | None = None

    def rows(self) -> list[Row]:
        """The table of this measurement: name, value with interval, and what it means."""
        level = f"{100 * self.scalar_curvature.confidence:g} %"
        letter = "H" if self.operator == "hessian" else "G"
        rows = [
            Row("loss", f"{self.loss:.6g}", f"{self.n:,} parameters", group="point"),
            Row("gradient norm", f"{self.gradient_norm:.4g}", "|g|", group="point"),
            *self.setting,
            Row("scalar curvature R", str(self.scalar_curvature), "(tr S̃)² − |S̃|²_F", group="curvature", strong=True),
            Row("mean curvature", str(self.mean_curvature), "tr S̃ / n", group="curvature"),
            Row(f"tr {letter}", str(self.trace), "Σ λ, eigenvalues", group="spectrum"),
            Row(f"|{letter}|_F", str(self.frobenius_norm), "√ Σ λ²", group="spectrum"),
            Row("effective rank", str(self.effective_rank), f"(tr {letter})² / |{letter}|²_F", group="spectrum"),
        ]
        bounds = (("largest", self.largest, "λ_max ≥ this"), ("smallest", self.smallest, "λ_min ≤ this"))
        for name, pairs, bound in bounds:  # a Ritz value never lies beyond the spectrum
            if pairs is not None:
                note = bound if pairs.converged else f"{bound}; not converged"
                rows.append(Row(f"{name} eigenvalue", str(pairs), note, group="spectrum"))
        rows += [
            Row(TERMS[name].replace("H", letter), str(term), "term of R", group="terms")
            for name, term in self.terms.items()
        ]
        rows.append(Row("cost", str(self.cost), f"intervals at {level}", group="cost"))
        return rows

    def save(self, path: str, *, force: bool = False) -> None:
        """Write this measurement as a JSON document, whole or not at all; `egregium.load(path)` reads it back.

        Raises DocumentError where the file exists (unless `force`) or cannot be written.
        """
        save(self, path, force=force)

    def __str__(self) -> str:
        return "\n".join(f"{row.name:22} {row.value:28} {row.meaning}" for row in self.rows())

    def _repr_html_(self) -> str:
        return shown(self, self.rows())


@dataclass(frozen=True, eq=False)
class Session:
    """What one run of the command measured: several points under one title.

    Attributes:
        title: what was measured.
        command: the exact command line.
        measurements: by name of the point, in order.
        created: ISO 8601 time, UTC.
        remarks: sentences for the reader.
    """

    title: str
    command: str
    measurements: Mapping[str, Measurement]
    created: str
    remarks: tuple[str, ...] = field(default=())

    def save(self, path: str, *, force: bool = False) -> None:
        """As `Measurement.save`."""
        save(self, path, force=force)


Document.register(Bend, Cost, Estimate, Eigenpairs, SpectralDensity, Environment, Measurement, Row, Session)

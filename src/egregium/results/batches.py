"""A number from one mini-batch to the next."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.results.cost import Cost
from egregium.results.document import Document
from egregium.results.estimate import Estimate
from egregium.results.geometry import Saved
from egregium.results.notebook import shown
from egregium.results.table import Row


@dataclass(frozen=True, eq=False)
class BatchCurvatures(Saved):
    """The scalar curvature of each mini-batch's own loss, beside that of all data.

    Attributes:
        values, half_widths: (batches,) R of each, in the order of the data, and half the width of its interval.
        whole: R of the mean loss.
        n: number of parameters.
        confidence: of all intervals.
        cost, notes: as in `Estimate`.
    """

    values: Float[Tensor, " batches"]
    half_widths: Float[Tensor, " batches"]
    whole: Estimate
    n: int
    confidence: float
    cost: Cost
    notes: tuple[str, ...] = ()

    def rows(self) -> list[Row]:
        """The table: R of all data, and how the batches spread."""
        rows = [Row("R of all data", str(self.whole), f"{self.n:,} parameters", group="batches", strong=True)]
        known = self.values[torch.isfinite(self.values)]
        if known.numel():
            low, middle, high = (float(known.quantile(q)) for q in (0.0, 0.5, 1.0))
            spread = f"{low:.4g} to {high:.4g}, median {middle:.4g}"
            widest = f"{known.numel()} batches, each at most ± {float(self.half_widths.nan_to_num(0).max()):.2g}"
            rows.append(Row("R of single batches", spread, widest, group="batches"))
        return [*rows, Row("cost", str(self.cost), "", group="cost")]

    def __str__(self) -> str:
        return "\n".join(f"{row.name:22} {row.value:34} {row.meaning}" for row in self.rows())

    def _repr_html_(self) -> str:
        return shown(self, self.rows())


Document.register(BatchCurvatures)

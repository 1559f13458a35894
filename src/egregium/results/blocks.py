"""The curvature of each block of parameters, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass

from egregium.results.cost import Cost
from egregium.results.document import Document, save
from egregium.results.environment import Environment
from egregium.results.estimate import Estimate
from egregium.results.table import Row, html_table


@dataclass(frozen=True, eq=False)
class Block:
    """One block b of parameters: the graph of f as a function of these alone, all others held where they are.

    With g_b the block's part of the gradient, H_bb its principal submatrix, t = tr H_bb, F = |H_bb|_F^2 and
    `beta = 1 / (1 + |g_b|^2)`. All estimates come from the same probes.

    Attributes:
        parameters: their names; n: how many numbers they have; gradient_norm: |g_b|.
        scalar_curvature: `beta [t^2 - F] + 2 beta^2 [g_b^T H_bb^2 g_b - t g_b^T H_bb g_b]`, the R of that graph.
        critical: t^2 - F, what R would be were g_b zero.
        trace, squared_frobenius: t and F.
    """

    parameters: tuple[str, ...]
    n: int
    gradient_norm: float
    scalar_curvature: Estimate
    critical: Estimate
    trace: Estimate
    squared_frobenius: Estimate


@dataclass(frozen=True, eq=False)
class BlockTable:
    """The diagonal blocks of the Hessian (or the Gauss-Newton matrix, by `operator`) at one point.

    Attributes:
        n: parameters of the landscape, in blocks or not.
        loss: f.
        blocks: by name, in order.
        squared_frobenius: |H|_F^2 of the whole matrix.
        off_blocks: `1 - sum_b |H_bb|_F^2 / |H|_F^2`, the share of |H|_F^2 outside the blocks; an estimate near 0 may
            come out slightly negative.
        operator: which H; cost: of everything here.
        environment, setting: as in `Measurement`.
    """

    n: int
    loss: float
    blocks: Mapping[str, Block]
    squared_frobenius: Estimate
    off_blocks: Estimate
    operator: str
    cost: Cost
    environment: Environment
    setting: tuple[Row, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether R of every block is as accurate as was asked."""
        return all(block.scalar_curvature.converged for block in self.blocks.values())

    def rows(self) -> list[Row]:
        """The table as rows: R of each block with its interval; trace and squared Frobenius norm beside it."""
        letter = "H" if self.operator == "hessian" else "G"
        rows = [Row("loss", f"{self.loss:.6g}", f"{self.n:,} parameters", group="point"), *self.setting]
        for name, block in self.blocks.items():
            verdict = "" if block.scalar_curvature.converged else "; not converged"
            beside = f"tr {block.trace}, |.|_F^2 {block.squared_frobenius}, n = {block.n:,}{verdict}"
            rows.append(Row(name, str(block.scalar_curvature), beside, group="blocks"))
        share = f"share of |{letter}|_F^2 outside the blocks"
        rows.append(Row("off the blocks", str(self.off_blocks), share, group="whole"))
        rows.append(Row("cost", str(self.cost), "intervals as printed", group="cost"))
        return rows

    def save(self, path: str, *, force: bool = False) -> None:
        """As `Measurement.save`."""
        save(self, path, force=force)

    def __str__(self) -> str:
        rows = self.rows()
        wide = max(22, *(len(row.name) for row in rows))
        return "\n".join(f"{row.name:{wide}} {row.value:28} {row.meaning}" for row in rows)

    def _repr_html_(self) -> str:
        return html_table(self.rows())


Document.register(Block, BlockTable)

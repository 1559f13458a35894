"""The blocks of a Hessian, one row each, and what lies outside of them."""

from collections.abc import Mapping

from egregium.results import BlockTable, Estimate
from egregium.viz.labels import fixed_and_sampled, wrapped
from egregium.viz.palette import BLUE, GREEN, MUTED, PURPLE, VERMILLION
from egregium.viz.picture import Picture, blank, style
from egregium.viz.rows import ROW, ZERO, draw_row, finish_rows, logarithmic, wild

#: More rows would be no picture: those with the largest magnitudes are drawn.
MOST_BLOCKS = 40


def block_figures(table: BlockTable) -> list[Picture]:
    """R, trace and squared norm of each block with intervals, and the share of |H|_F^2 outside of the blocks."""
    letter = "H" if table.operator == "hessian" else "G"
    blocks = table.blocks
    pictures = []
    if blocks:
        curvatures = {name: block.scalar_curvature for name, block in blocks.items()}
        traces = {name: block.trace for name, block in blocks.items()}
        norms = {name: block.squared_frobenius for name, block in blocks.items()}
        pictures = [
            _rows("Scalar curvature R of each block", "R of the graph over the block alone, f² / θ⁴", curvatures, BLUE),
            _rows(
                f"Trace of {letter} in each block", f"trace of the block of {letter}, f / θ²", traces, GREEN, bar=True
            ),
            _rows(f"Norm of {letter} in each block", f"|block of {letter}|²_F, f² / θ⁴", norms, PURPLE, bar=True),
        ]
    return [*pictures, _share(table.off_blocks, letter)]


def _rows(title: str, label: str, estimates: Mapping[str, Estimate], colour: str, *, bar: bool = False) -> Picture:
    """One estimate a row, on a symmetric logarithmic axis where magnitudes differ wildly."""
    largest = sorted(estimates, key=lambda name: abs(estimates[name].value), reverse=True)[:MOST_BLOCKS]
    shown = {name: e for name, e in estimates.items() if name in largest}
    many = wild(shown.values())
    with style():
        figure = blank(0.8 + ROW * len(shown))
        ax = figure.add_subplot()
        if many:
            logarithmic(ax, shown.values())
        for y, (name, estimate) in enumerate(shown.items()):
            draw_row(ax, y, name, estimate, colour, bar=bar)
        finish_rows(ax, len(shown), wrapped(label + (", symmetric logarithmic axis" if many else "")))
    caption = fixed_and_sampled(shown.values(), "the whiskers")
    if len(shown) < len(estimates):
        caption = f"{caption.removesuffix('.')}; the {len(shown)} largest of {len(estimates)} blocks are drawn."
    return Picture(figure, title, caption)


def _share(off: Estimate, letter: str) -> Picture:
    """The share outside of the blocks as one bar of a whole."""
    with style():
        figure = blank(0.8 + ROW)
        ax = figure.add_subplot()
        ax.barh(0, 1.0, 2 * ZERO, color=MUTED, alpha=0.25)
        draw_row(ax, 0, "outside of the blocks", off, VERMILLION, bar=True)
        finish_rows(ax, 1, f"share of |{letter}|²_F")
    return Picture(figure, f"How much of {letter} lies outside of the blocks", fixed_and_sampled([off], "the whiskers"))

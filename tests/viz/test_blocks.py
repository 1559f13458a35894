"""Blocks as rows."""

import pytest
from drawable import ENVIRONMENT

from egregium.results import Block, BlockTable, Cost, Estimate
from egregium.viz import block_figures
from egregium.viz.blocks import MOST_BLOCKS


def table(count: int = 2, off: float = 0.25) -> BlockTable:
    blocks = {
        f"layer <{j}> $x$": Block(
            ("w",), 3, 0.1, Estimate(j + 1.0, 0.1, confidence=0.9), Estimate(0, 0), Estimate(2, 0.1), Estimate(3, 0.1)
        )
        for j in range(count)
    }
    share = Estimate(off, 0.1, confidence=0.9)
    return BlockTable(6, 1.0, blocks, Estimate(9, 0), share, "hessian", Cost(), ENVIRONMENT)


def test_a_row_each_for_curvature_trace_and_norm() -> None:
    curvature, trace, norm, _ = block_figures(table())
    (ax,) = curvature.figure.axes
    assert [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"] == [1, 2]
    assert [text.get_text() for text in ax.texts][::2] == ["layer <0> $x$", "layer <1> $x$"]
    assert "90 %" in curvature.caption
    for picture, value in ((trace, 2), (norm, 3)):
        assert [bar.get_width() for bar in picture.figure.axes[0].patches] == [value, value]
        assert "θ" in picture.figure.axes[0].get_xlabel()


@pytest.mark.parametrize("off", [0.25, -0.02])
def test_the_share_is_a_bar_of_a_whole_with_its_interval(off: float) -> None:
    picture = block_figures(table(off=off))[-1]
    (ax,) = picture.figure.axes
    whole, share = ax.patches
    assert (whole.get_width(), share.get_width()) == (1, off)
    (whisker,) = [c.get_segments()[0] for c in ax.collections]
    assert [x for x, _ in whisker] == pytest.approx(Estimate(off, 0.1).interval(0.9))


def test_many_blocks_are_thinned_to_the_largest_and_said() -> None:
    picture = block_figures(table(MOST_BLOCKS + 3))[0]
    shown = [line.get_xdata()[0] for line in picture.figure.axes[0].lines if line.get_marker() == "o"]
    assert shown == [j + 1 for j in range(3, MOST_BLOCKS + 3)]
    assert f"the {MOST_BLOCKS} largest of {MOST_BLOCKS + 3} blocks" in picture.caption


def test_no_blocks_leave_the_share() -> None:
    assert len(block_figures(table(0))) == 1

"""The surface at rest."""

import numpy as np
from handmade import line, plane, trajectory

from egregium.viz import slice_surface_figure, svg
from egregium.viz.still import MOST_CELLS


def test_checkpoints_and_centre_are_on_it() -> None:
    picture = slice_surface_figure(plane(), trajectory())
    assert picture is not None
    _, steps, centre = picture.figure.axes[0].lines
    np.testing.assert_allclose(steps.get_data_3d()[2], trajectory().losses)  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.ravel(centre.get_data_3d()), [0, 0, 0.31], rtol=1e-6)  # type: ignore[attr-defined]
    assert "coloured by scalar curvature R" in picture.title


def test_a_fine_grid_makes_no_heavy_picture() -> None:
    picture = slice_surface_figure(plane(size=101))
    assert picture is not None
    assert len(picture.figure.axes[0].collections[0].get_facecolor()) <= MOST_CELLS**2
    assert len(svg(picture)) < 200_000


def test_a_line_has_no_surface() -> None:
    assert slice_surface_figure(line()) is None

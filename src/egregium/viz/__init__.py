"""Results as pictures: pure functions to matplotlib figures, and a figure as inline SVG. Nothing here computes."""

from egregium.viz.comparison import differences_figure, points_figure
from egregium.viz.curvature import curvature_figure
from egregium.viz.picture import Picture
from egregium.viz.plane import plane_figure, surface_figure
from egregium.viz.probes import probes_figure
from egregium.viz.spectrum import spectrum_figure
from egregium.viz.svg import svg
from egregium.viz.terms import terms_figure

__all__ = [
    "Picture",
    "curvature_figure",
    "differences_figure",
    "plane_figure",
    "points_figure",
    "probes_figure",
    "spectrum_figure",
    "surface_figure",
    "svg",
    "terms_figure",
]

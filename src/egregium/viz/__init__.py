"""Results as pictures: pure functions to matplotlib figures, and a figure as inline SVG. Nothing here computes."""

from egregium.viz.curvature import curvature_figure
from egregium.viz.landscape import belongs
from egregium.viz.picture import Picture
from egregium.viz.plane import plane_figure, surface_figure
from egregium.viz.probes import probes_figure
from egregium.viz.spectrum import spectrum_figure
from egregium.viz.still import slice_surface_figure
from egregium.viz.surface import surface_spec
from egregium.viz.svg import svg
from egregium.viz.terms import terms_figure

__all__ = [
    "Picture",
    "belongs",
    "curvature_figure",
    "plane_figure",
    "probes_figure",
    "slice_surface_figure",
    "spectrum_figure",
    "surface_figure",
    "surface_spec",
    "svg",
    "terms_figure",
]

"""Results as pictures: pure functions to matplotlib figures, and a figure as inline SVG or as a file. No computing."""

from egregium.viz.batches import batches_figure
from egregium.viz.blocks import block_figures
from egregium.viz.chart import chart_figure
from egregium.viz.comparison import differences_figure, points_figure
from egregium.viz.curvature import curvature_figure
from egregium.viz.landscape import belongs
from egregium.viz.modes import mode_path_figure
from egregium.viz.paper import write_figure
from egregium.viz.picture import Picture
from egregium.viz.plane import plane_figure, surface_figure
from egregium.viz.principal import principal_density_figure, principal_figure
from egregium.viz.probes import probes_figure
from egregium.viz.scatter import scatter_figure
from egregium.viz.slices import slice_figures
from egregium.viz.spectrum import spectrum_figure
from egregium.viz.still import slice_surface_figure
from egregium.viz.study import granulated_figure, tau_figure
from egregium.viz.surface import surface_spec
from egregium.viz.svg import svg
from egregium.viz.sweeps import sweep_figures
from egregium.viz.terms import terms_figure
from egregium.viz.training import training_figure
from egregium.viz.trajectory import trajectory_figure

__all__ = [
    "Picture",
    "batches_figure",
    "belongs",
    "block_figures",
    "chart_figure",
    "curvature_figure",
    "differences_figure",
    "granulated_figure",
    "mode_path_figure",
    "plane_figure",
    "points_figure",
    "principal_density_figure",
    "principal_figure",
    "probes_figure",
    "scatter_figure",
    "slice_figures",
    "slice_surface_figure",
    "spectrum_figure",
    "surface_figure",
    "surface_spec",
    "svg",
    "sweep_figures",
    "tau_figure",
    "terms_figure",
    "training_figure",
    "trajectory_figure",
    "write_figure",
]

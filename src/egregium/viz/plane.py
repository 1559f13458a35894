"""A plane through a point: R as colour with the loss as contours, and the surface above it, both with geodesics."""

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import MaxNLocator

from egregium.results import Plane, Portrait
from egregium.viz.colours import colour_bar, colour_scale, draw_cells, with_widest
from egregium.viz.contours import draw_contours
from egregium.viz.interpolation import between
from egregium.viz.labels import TickFormatter, typeset
from egregium.viz.palette import HALO, INK, ON_CELLS
from egregium.viz.picture import Picture, blank, label_axes, style


def plane_figure(portrait: Portrait) -> Picture | None:
    """R over the plane as colour, contours of the loss, geodesics from the point; None where there is no plane."""
    plane = portrait.plane
    if plane is None:
        return None
    with style():
        figure = blank(4.6)
        ax = figure.add_subplot()
        ax.set_aspect("equal")
        coarse, places = (np.linspace(-plane.radius, plane.radius, k) for k in _sizes(plane))
        mesh = draw_cells(ax, coarse, coarse, plane.scalar_curvatures)
        draw_contours(ax, places, places, plane.losses, on_cells=True)
        for ray in np.asarray(plane.rays):
            ax.plot(ray[:, 0], ray[:, 1], color=HALO, linewidth=3.0, solid_capstyle="round")
            ax.plot(ray[:, 0], ray[:, 1], color=ON_CELLS, linewidth=1.4, solid_capstyle="round")
        ax.plot(0, 0, "o", color=ON_CELLS, markersize=6, markeredgecolor=HALO)
        colour_bar(figure, mesh, ax, with_widest("R", plane.half_widths))
        label_axes(ax, _axis(plane, 0), _axis(plane, 1))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(5))
            axis.set_major_formatter(TickFormatter())
    return Picture(figure, "Scalar curvature R over a plane through the point", _caption(plane))


def surface_figure(portrait: Portrait) -> Picture | None:
    """The loss above the plane, coloured by R, with geodesics on it and the two principal directions; None likewise."""
    plane = portrait.plane
    if plane is None or not np.isfinite(np.asarray(plane.losses)).any():
        return None
    colours, norm = colour_scale(plane.scalar_curvatures)
    with style():
        figure = blank(4.4)
        ax: Any = figure.add_subplot(projection="3d", computed_zorder=False)
        ax.patch.set_alpha(0)
        places = np.linspace(-plane.radius, plane.radius, len(plane.losses))
        a, b = np.meshgrid(places, places)
        z = np.asarray(plane.losses)
        cells = (z[:-1, :-1] + z[1:, 1:]) / 2
        middle = (places[:-1] + places[1:]) / 2
        coarse = np.linspace(-plane.radius, plane.radius, len(plane.scalar_curvatures))
        faces = colours(norm(between(plane.scalar_curvatures, coarse, coarse, middle, middle)))
        faces[~np.isfinite(cells)] = 0
        ax.plot_surface(
            a, b, z, facecolors=faces, rstride=1, cstride=1, linewidth=0.12, edgecolor=INK, shade=False, zorder=1
        )
        for ray, height in zip(np.asarray(plane.rays), np.asarray(plane.heights), strict=True):
            ax.plot(ray[:, 0], ray[:, 1], height, color=HALO, linewidth=2.6, zorder=2)
            ax.plot(ray[:, 0], ray[:, 1], height, color=ON_CELLS, linewidth=1.2, zorder=3)
        ax.plot([0], [0], [portrait.loss], "o", color=ON_CELLS, markeredgecolor=HALO, markersize=6, zorder=4)
        ax.set_xlabel(f"e₁, κ = {_curvature(plane, 0)}", labelpad=2)
        ax.set_ylabel(f"e₂, κ = {_curvature(plane, 1)}", labelpad=2)
        ax.set_zlabel("loss f")
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            axis.set_major_locator(MaxNLocator(4))
            axis.set_major_formatter(TickFormatter())
            axis.set_pane_color((0, 0, 0, 0))
        ax.view_init(elev=48, azim=-58)
        ax.set_box_aspect((1, 1, 0.65), zoom=0.92)
        colour_bar(figure, ScalarMappable(norm, colours), ax, with_widest("R", plane.half_widths))
    return Picture(figure, "The loss above the plane, coloured by R, with geodesics", _caption(plane))


def _sizes(plane: Plane) -> tuple[int, int]:
    """Places a side, of R and of the loss."""
    return len(plane.scalar_curvatures), len(plane.losses)


def _axis(plane: Plane, j: int) -> str:
    return f"length along {'e₁e₂'[2 * j : 2 * j + 2]}, {plane.names[j]} κ = {_curvature(plane, j)}"


def _curvature(plane: Plane, j: int) -> str:
    return typeset(f"{plane.curvatures[j]:.3g}")


def _caption(plane: Plane) -> str:
    widths = np.asarray(plane.half_widths)
    known = widths[np.isfinite(widths)]
    holes = int(np.isnan(np.asarray(plane.scalar_curvatures)).sum())
    apart = np.asarray(plane.apart)
    error = f"at most ±{typeset(f'{known.max():.2g}')} ({100 * plane.confidence:g} %)" if known.size else "unknown"
    off = float(np.nanmax(apart)) if np.isfinite(apart).any() else float("nan")
    missing = f" {holes} places have no R and are left blank." if holes else ""
    return (
        f"Model, data and the plane of two principal directions are fixed. R, of all dimensions and not of the plane, "
        f"was estimated at {widths.size} places with random probes, each {error}. Lines from the point are geodesics "
        f"of length {typeset(f'{plane.radius:.3g}')}, projected on the plane, which they leave by up to "
        f"{typeset(f'{off:.2g}')} in theta.{missing}"
    )

"""A plane through a point: R as colour with the loss as contours, and the surface above it, both with geodesics."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import FuncFormatter, MaxNLocator

from egregium.results import Plane, Portrait
from egregium.viz.colouring import masked, scale
from egregium.viz.labels import tick, typeset
from egregium.viz.palette import INK
from egregium.viz.picture import Picture, blank, label_axes, style


def plane_figure(portrait: Portrait) -> Picture | None:
    """R over the plane as colour, contours of the loss, geodesics from the point; None where there is no plane."""
    plane = portrait.plane
    if plane is None:
        return None
    colours, norm = scale(plane.scalar_curvatures)
    with style():
        figure = blank(4.6)
        ax = figure.add_subplot()
        ax.set_aspect("equal")
        r, places = plane.radius, np.linspace(-plane.radius, plane.radius, len(plane.losses))
        step = 2 * r / (len(plane.scalar_curvatures) - 1)
        edges = np.linspace(-r - step / 2, r + step / 2, len(plane.scalar_curvatures) + 1)
        mesh = ax.pcolormesh(edges, edges, masked(plane.scalar_curvatures), cmap=colours, norm=norm, rasterized=False)
        losses = masked(plane.losses)
        if losses.count() and losses.max() > losses.min():
            lines = ax.contour(places, places, losses, levels=8, colors=INK, linewidths=0.7, alpha=0.75)
            ax.clabel(lines, fontsize=7, fmt=lambda value: tick(float(f"{value:.3g}")))
        for ray in np.asarray(plane.rays):
            ax.plot(ray[:, 0], ray[:, 1], color="white", linewidth=3.0, solid_capstyle="round")
            ax.plot(ray[:, 0], ray[:, 1], color=INK, linewidth=1.4, solid_capstyle="round")
        ax.plot(0, 0, "o", color=INK, markersize=6, markeredgecolor="white")
        ax.set_xlim(edges[0], edges[-1])
        ax.set_ylim(edges[0], edges[-1])
        _bar(figure, mesh, ax, _error(plane))
        label_axes(ax, _axis(plane, 0), _axis(plane, 1))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(5))
            axis.set_major_formatter(FuncFormatter(tick))
    return Picture(figure, "Scalar curvature R over a plane through the point", _caption(plane))


def surface_figure(portrait: Portrait) -> Picture | None:
    """The loss above the plane, coloured by R, with geodesics on it and the two principal directions; None likewise."""
    plane = portrait.plane
    if plane is None or not np.isfinite(np.asarray(plane.losses)).any():
        return None
    colours, norm = scale(plane.scalar_curvatures)
    with style():
        figure = blank(4.4)
        ax: Any = figure.add_subplot(projection="3d", computed_zorder=False)
        ax.patch.set_alpha(0)
        places = np.linspace(-plane.radius, plane.radius, len(plane.losses))
        a, b = np.meshgrid(places, places)
        z = np.asarray(plane.losses)
        cells = (z[:-1, :-1] + z[1:, 1:]) / 2
        middle = (places[:-1] + places[1:]) / 2
        faces = colours(norm(_between(plane, middle)))
        faces[~np.isfinite(cells)] = 0
        ax.plot_surface(
            a, b, z, facecolors=faces, rstride=1, cstride=1, linewidth=0.12, edgecolor=INK, shade=False, zorder=1
        )
        for ray, height in zip(np.asarray(plane.rays), np.asarray(plane.heights), strict=True):
            ax.plot(ray[:, 0], ray[:, 1], height, color="white", linewidth=2.6, zorder=2)
            ax.plot(ray[:, 0], ray[:, 1], height, color=INK, linewidth=1.2, zorder=3)
        ax.plot([0], [0], [portrait.loss], "o", color=INK, markeredgecolor="white", markersize=6, zorder=4)
        ax.set_xlabel(f"e₁, κ = {_curvature(plane, 0)}", labelpad=2)
        ax.set_ylabel(f"e₂, κ = {_curvature(plane, 1)}", labelpad=2)
        ax.set_zlabel("loss f")
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            axis.set_major_locator(MaxNLocator(4))
            axis.set_major_formatter(FuncFormatter(tick))
            axis.set_pane_color((0, 0, 0, 0))
        ax.view_init(elev=48, azim=-58)
        ax.set_box_aspect((1, 1, 0.65), zoom=0.92)
        _bar(figure, ScalarMappable(norm, colours), ax, _error(plane))
    return Picture(figure, "The loss above the plane, coloured by R, with geodesics", _caption(plane))


def _between(plane: Plane, places: np.ndarray) -> np.ndarray:
    """R between its places, linearly: for colouring alone."""
    coarse = np.linspace(-plane.radius, plane.radius, len(plane.scalar_curvatures))
    along = np.array([np.interp(places, coarse, row) for row in np.asarray(plane.scalar_curvatures)])
    return np.array([np.interp(places, coarse, column) for column in along.T]).T


def _bar(figure: Any, of: ScalarMappable, ax: Axes, title: str) -> None:
    bar = figure.colorbar(of, ax=ax, shrink=0.75, pad=0.1 if hasattr(ax, "zaxis") else 0.02)
    bar.outline.set_visible(False)
    bar.ax.set_title(title, fontsize=9.5, loc="left", color=INK)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(tick))


def _axis(plane: Plane, j: int) -> str:
    return f"length along {'e₁e₂'[2 * j : 2 * j + 2]}, {plane.names[j]} κ = {_curvature(plane, j)}"


def _error(plane: Plane) -> str:
    """The colour bar's title, with the widest interval: smaller differences of colour are noise."""
    known = np.asarray(plane.half_widths)[np.isfinite(np.asarray(plane.half_widths))]
    return f"R\n± {typeset(f'{known.max():.2g}')}" if known.size and known.max() > 0 else "R"


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

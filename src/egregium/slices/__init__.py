"""Landscapes as one looks at them: directions, slices, trajectories and paths between minima. Nothing is drawn here."""

from egregium.slices.directions import (
    difference,
    eigenvectors,
    filter_normalised,
    gaussian,
    gradient,
    joined,
    orthogonal,
    principal,
)
from egregium.slices.look import Look
from egregium.slices.modes import mode_path
from egregium.slices.slice import between, line, path, plane
from egregium.slices.trajectory import components, trajectory

__all__ = [
    "Look",
    "between",
    "components",
    "difference",
    "eigenvectors",
    "filter_normalised",
    "gaussian",
    "gradient",
    "joined",
    "line",
    "mode_path",
    "orthogonal",
    "path",
    "plane",
    "principal",
    "trajectory",
]

"""Checkpoints of a training, projected on a plane."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError, NotFiniteError
from egregium.geometry.arguments import landscape, vector
from egregium.landscape import Landscape
from egregium.operators.inner import gram
from egregium.results import Directions, Trajectory
from egregium.slices.directions import claimed, given, orthogonal
from egregium.slices.slice import plane

#: A checkpoint: theta, or a state dict, whose buffers (running statistics) are used for its own loss.
Checkpoint = Tensor | Mapping[str, Tensor]
#: Room left of the outermost checkpoints, as a share of the range, and the least range in units of the other axis.
MARGIN, NARROWEST = 0.15, 0.1
#: Share of the squared distances below which a component is rounding.
SMALLEST = 1e-12


def components(land: Landscape, checkpoints: Sequence[Checkpoint], k: int = 2) -> Directions:
    """The first k principal components of checkpoint - theta, unit vectors.

    From the small (m x m) Gram matrix of the m differences: D^T v / sigma for D D^T v = sigma^2 v. The centre is theta
    itself, not the mean, as in Li et al., arXiv 1712.09913: let the landscape stand at the last checkpoint. Memory: m
    vectors. Raises ArgumentError where the checkpoints span fewer than k directions.

    >>> land = Landscape.from_function(lambda x: x @ x, torch.zeros(3, dtype=torch.float64))
    >>> steps = [torch.tensor(x, dtype=torch.float64) for x in ([3.0, 1.0, 0.0], [2.0, -1.0, 0.0], [0.0, 0.0, 0.0])]
    >>> found = components(land, steps)
    >>> found.vectors[2].abs().max().item() < 1e-12, found.names  # with their shares of the squared distances
    (True, ('component 1 (87 %)', 'component 2 (13 %)'))
    """
    D = torch.stack([_theta(land, checkpoint) for checkpoint in checkpoints]) - land.theta
    squares, V = torch.linalg.eigh(gram(D, D))
    squares, V = squares.flip(0).clamp_min(0), V.flip(1)
    total = float(squares.sum())
    if not total or len(squares) < k or float(squares[k - 1]) <= SMALLEST * total:
        raise ArgumentError(
            f"{len(D)} checkpoints span fewer than {k} directions from the landscape's point. Pass more checkpoints, "
            "or directions=."
        )
    vectors = orthogonal((V[:, :k].T.to(D.dtype) @ D).T)  # small ones carry the rounding of large ones
    names = tuple(f"component {j + 1} ({100 * float(square) / total:.0f} %)" for j, square in enumerate(squares[:k]))
    return claimed(vectors, names, "components")


def trajectory(
    land: Landscape,
    checkpoints: Sequence[Checkpoint],
    *,
    directions: Any = None,
    names: Sequence[str] | None = None,
    surface: bool = True,
    **how: Any,
) -> Trajectory:
    """Checkpoints projected on the plane through the landscape's point, with their distances from it and own losses.

        (a, b) = argmin |theta + a d1 + b d2 - checkpoint|

    Args:
        checkpoints: thetas of shape (n,), or state dicts; a state dict's loss is that with its own buffers.
        directions: two; None for the first two principal components.
        names: of the checkpoints; None for their numbers.
        surface: whether to look at the plane as well; how: then as of `plane`, over the range of the checkpoints.

    Cost: a forward pass a checkpoint, and the plane's. Raises ArgumentError for checkpoints that do not fit.

    >>> land = Landscape.from_function(lambda x: x @ x, torch.zeros(3, dtype=torch.float64))
    >>> steps = [torch.tensor(x, dtype=torch.float64) for x in ([3.0, 1.0, 2.0], [2.0, -1.0, 0.0])]
    >>> found = trajectory(land, steps, directions=torch.eye(3, 2, dtype=torch.float64), surface=False)
    >>> found.coordinates.tolist(), found.apart.tolist(), found.losses.tolist()
    ([[3.0, 1.0], [2.0, -1.0]], [2.0, 0.0], [14.0, 5.0])
    """
    landscape(land)
    if not isinstance(checkpoints, Sequence) or not checkpoints:
        raise ArgumentError("checkpoints must be a list of thetas or state dicts, at least one.")
    if names is not None and len(names) != len(checkpoints):
        raise ArgumentError(f"names must be one for each of {len(checkpoints)} checkpoints, got {len(names)}.")
    d = components(land, checkpoints) if directions is None else given(land, directions, (2,))
    D = torch.stack([_theta(land, checkpoint) for checkpoint in checkpoints]) - land.theta
    rows = d.vectors.T.contiguous()
    coordinates = torch.linalg.solve(gram(rows, rows), gram(rows, D)).T
    left = D - coordinates.to(D.dtype) @ rows
    total = float(D.double().square().sum())
    along = D.double() @ orthogonal(d.vectors.double())
    shares = tuple(float(x) / total if total else math.nan for x in along.square().sum(0))
    spans = _spans(coordinates.cpu(), d.lengths)
    plain = [not isinstance(checkpoint, Mapping) for checkpoint in checkpoints]
    seen = plane(land, d, **({"span": spans} | how)) if surface else None
    notes = []
    if land.keeps_statistics and any(plain):
        notes.append("Running statistics are those of the model, not of the checkpoints.")
    elif seen is not None and seen.statistics:
        those = "found anew at each place" if seen.statistics == "re-estimated" else "of the model"
        notes.append(f"A checkpoint's loss is with its own running statistics, the plane's with those {those}.")
    return Trajectory(
        names=tuple(names) if names is not None else tuple(str(i) for i in range(len(checkpoints))),
        coordinates=coordinates.cpu(),
        apart=left.double().norm(dim=1).cpu(),
        losses=torch.tensor([_own_loss(land, checkpoint) for checkpoint in checkpoints], dtype=torch.float64),
        explained=shares,
        plane=seen,
        notes=tuple(notes),
    )


def _theta(land: Landscape, checkpoint: Any) -> Float[Tensor, " n"]:
    if isinstance(checkpoint, Mapping):
        if land.model is not None:
            return vector(land, land.loaded(checkpoint).theta, "a checkpoint")
        return vector(land, land.flatten(checkpoint), "a checkpoint")
    return vector(land, checkpoint, "a checkpoint")


def _own_loss(land: Landscape, checkpoint: Checkpoint) -> float:
    """f at the checkpoint itself; NaN or inf where it is that."""
    try:
        if isinstance(checkpoint, Mapping) and land.model is not None:
            return land.loaded(checkpoint).value()
        return land.at(_theta(land, checkpoint)).value()
    except NotFiniteError as error:
        return error.value


def _spans(coordinates: Float[Tensor, "m 2"], lengths: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The range of both coordinates, the origin included, with a margin; neither much narrower than the other."""
    both = torch.cat([coordinates, coordinates.new_zeros(1, 2)])
    low, high = both.min(0).values, both.max(0).values
    sizes = (high - low) * torch.tensor(lengths, dtype=low.dtype)
    least = NARROWEST * float(sizes.max())
    spans = []
    for j in range(2):
        middle = float(low[j] + high[j]) / 2
        half = (max(float(sizes[j]), least) or 1.0) / lengths[j] / 2 * (1 + 2 * MARGIN)
        spans.append((middle - half, middle + half))
    return tuple(spans)

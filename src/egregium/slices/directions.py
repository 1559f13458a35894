"""Directions in the space of parameters along which a landscape is looked at.

All are (n,) vectors in theta's order; buffers have no part in them, so that running statistics never move.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.estimators.probes import checked_seed
from egregium.estimators.probes import gaussian as normal_vector
from egregium.geometry import principal_curvatures
from egregium.geometry.arguments import landscape, vector, whole
from egregium.landscape import Landscape
from egregium.landscape.normalisation import filters
from egregium.measurement import eigenpairs
from egregium.results import Directions

#: What a dimension-one parameter (bias, gain of a norm) gets in filter normalisation.
OneDimensional = Literal["zero", "scaled"]
#: Stream of the probes that directions are drawn from.
STREAM = 77
#: The largest cosine of what is said to be orthogonal.
CLAIM = 1e-6


def gaussian(land: Landscape, k: int = 2, *, seed: int = 0) -> Directions:
    """k directions of independent standard normal entries, made orthogonal; each of length |theta|, or 1 where it is 0.

    Raises ArgumentError for k outside 1, ..., n.

    >>> land = Landscape.from_function(lambda x: x @ x, torch.tensor([3.0, 4.0]))
    >>> found = gaussian(land)
    >>> [round(length, 5) for length in found.lengths], found.cosine() < 1e-6
    ([5.0, 5.0], True)
    """
    V = orthogonal(_drawn(land, k, seed))
    size = float(land.theta.double().norm()) or 1.0
    names = tuple(f"random direction {j + 1}" for j in range(k))
    return claimed(V * size, names, "gaussian")


def filter_normalised(
    land: Landscape, k: int = 2, *, seed: int = 0, one_dimensional: OneDimensional = "zero"
) -> Directions:
    """k Gaussian directions scaled filter by filter: d_i <- d_i |theta_i| / |d_i|.

    A filter is what makes one output channel: a slice of a parameter tensor along its first dimension, of transposed
    convolutions along its second. Each is scaled once. Biases and the parameters of normalisation layers do not move
    ("zero"), or are scaled as one filter a tensor ("scaled"). Along such a direction a rescaling of the filters
    that leaves the network's function does not change the picture. The directions are not orthogonal.
    Source: Li, Xu, Taylor, Studer, Goldstein, arXiv 1712.09913.

    >>> land = Landscape(torch.nn.Linear(2, 3), torch.nn.MSELoss(), (torch.ones(1, 2), torch.ones(1, 3)))
    >>> d = land.unflatten(filter_normalised(land, 1).vectors[:, 0])
    >>> torch.allclose(d["weight"].norm(dim=1), land.model.weight.norm(dim=1)), d["bias"].tolist()
    (True, [0.0, 0.0, 0.0])
    """
    if one_dimensional not in ("zero", "scaled"):
        raise ArgumentError(f'one_dimensional must be "zero" or "scaled", got {one_dimensional!r}.')
    V, theta, where = _drawn(land, k, seed), land.unflatten(land.theta), filters(land.model, land.shapes)
    scaled = []
    for column in V.T:
        parts = land.unflatten(column.contiguous())
        each = (_by_filter(d, theta[name], where[name], one_dimensional) for name, d in parts.items())
        scaled.append(torch.cat([d.reshape(-1) for d in each]))
    found = torch.stack(scaled, 1)
    if not bool(found.any(0).all()):
        raise ArgumentError(
            "Filter normalisation leaves nothing to move: no parameter has two dimensions and is not 0. Pass "
            'one_dimensional="scaled", or other directions.'
        )
    what = "biases and norms fixed" if one_dimensional == "zero" else "each bias and norm as one filter"
    names = tuple(f"filter-normalised direction {j + 1}" for j in range(k))
    return Directions(found, names, "filter-normalised", False, (f"Filter-normalised directions, {what}.",))


def eigenvectors(
    land: Landscape, largest: int = 1, smallest: int = 1, *, tol: float = 1e-3, seed: int = 0
) -> Directions:
    """Unit eigenvectors of the Hessian, so many from each end of the spectrum. Cost as of `egregium.eigenpairs`.

    >>> land = Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=torch.float64))
    >>> eigenvectors(land).vectors.abs().round(decimals=6).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    ends = [("largest", whole(largest, 0, "largest")), ("smallest", whole(smallest, 0, "smallest"))]
    vectors, names = [], []
    for end, count in ends:
        if count:
            pairs = eigenpairs(landscape(land), count, largest=end == "largest", tol=tol, seed=seed)
            vectors.append(pairs.vectors)
            names += [f"eigenvector of λ = {float(value):.4g}" for value in pairs.values]
    if not vectors:
        raise ArgumentError("eigenvectors needs at least one, of the largest or of the smallest; both are 0.")
    return claimed(orthogonal(torch.cat(vectors, 1)), tuple(names), "eigenvectors")


def principal(land: Landscape, largest: int = 1, smallest: int = 1, *, scale: float = 1.0, seed: int = 0) -> Directions:
    """Principal directions of the graph, orthonormal in its metric, in the coordinates of theta.

    They are orthogonal on the graph, in theta where g is small. Cost as of `geometry.principal_curvatures`.
    """
    whole(largest, 0, "largest")
    if not largest + whole(smallest, 0, "smallest"):
        raise ArgumentError("principal needs at least one direction, of the largest or of the smallest; both are 0.")
    found = principal_curvatures(land, max(largest, smallest), scale=scale, seed=seed)
    ends = (
        (found.largest.values[:largest], found.largest_directions[:, :largest]),
        (found.smallest.values[:smallest], found.smallest_directions[:, :smallest]),
    )
    names = tuple(f"principal direction, κ = {float(value):.4g}" for values, _ in ends for value in values)
    vectors = torch.cat([X for _, X in ends], 1)
    return Directions(vectors, names, "principal", False, ("Principal directions are orthonormal in the metric.",))


def gradient(land: Landscape) -> Directions:
    """The unit gradient. Raises ArgumentError where it is 0."""
    g = landscape(land).gradient()
    size = float(g.double().norm())
    if not 0 < size < float("inf"):
        raise ArgumentError(f"The gradient's length is {size}: there is no direction of steepest ascent here.")
    return Directions((g / size).unsqueeze(1), ("gradient",), "gradient", True)


def difference(land: Landscape, other: Float[Tensor, " n"]) -> Directions:
    """other - theta: the coordinate is 0 here and 1 there. Raises ArgumentError where they are the same."""
    d = vector(landscape(land), other, "other") - land.theta
    if not bool(d.any()):
        raise ArgumentError("The two points are the same: there is no direction between them.")
    return Directions(d.unsqueeze(1), ("towards the other point",), "difference", True)


def joined(*directions: Directions, orthogonalised: bool = False) -> Directions:
    """Several as one, in order; `orthogonalised` by Gram and Schmidt, each with its length."""
    vectors = torch.cat([d.vectors for d in directions], 1)
    if orthogonalised:
        vectors = orthogonal(vectors) * vectors.norm(dim=0)
    names, notes = (tuple(x for d in directions for x in getattr(d, of)) for of in ("names", "notes"))
    return (
        claimed(vectors, names, "joined", notes)
        if orthogonalised
        else Directions(vectors, names, "joined", False, notes)
    )


def claimed(
    vectors: Float[Tensor, "n k"], names: tuple[str, ...], kind: str, notes: tuple[str, ...] = ()
) -> Directions:
    """Directions that are said to be orthogonal where they are, to 1e-6: half precision cannot hold it."""
    found = Directions(vectors, names, kind, True, notes)
    return found if found.cosine() < CLAIM else replace(found, orthogonal=False)


def orthogonal(V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """Unit columns with the span of V's, orthogonal to 1e-6 in theta's own dtype, each on the side of V's.

    Raises ArgumentError where the columns are dependent.
    """
    Q, R = torch.linalg.qr(V.double())
    diagonal = R.diagonal()
    if V.shape[1] > V.shape[0] or bool((diagonal.abs() <= 1e-6 * V.double().norm(dim=0)).any()):
        raise ArgumentError("The directions are linearly dependent: they span no plane. Choose others.")
    found: Tensor = (Q * diagonal.sign()).to(V.dtype)
    return found


def _drawn(land: Landscape, k: int, seed: int) -> Float[Tensor, "n k"]:
    if whole(k, 1, "k") > landscape(land).n:
        raise ArgumentError(f"k must be at most n = {land.n:,}, the number of parameters, got {k:,}.")
    how: dict[str, Any] = {"seed": checked_seed(seed), "stream": STREAM, "dtype": land.dtype, "device": land.device}
    return torch.stack([normal_vector(land.n, j, **how) for j in range(k)], 1)


def _by_filter(d: Tensor, theta: Tensor, along: int | None, one_dimensional: OneDimensional) -> Tensor:
    """d with each filter as long as theta's."""
    if along is None and one_dimensional == "zero":
        return torch.zeros_like(d)
    over = [axis for axis in range(d.ndim) if axis != along]
    lengths, own = (torch.linalg.vector_norm(x, dim=over, keepdim=True) if over else x.abs() for x in (d, theta))
    scaled: Tensor = d * (own / lengths.clamp_min(torch.finfo(d.dtype).tiny))
    return scaled


#: The ways of `egregium slice --directions`, for two directions.
PAIRS: Mapping[str, Callable[[Landscape, int], Directions]] = {
    "filter": lambda land, seed: filter_normalised(land, seed=seed),
    "gaussian": lambda land, seed: gaussian(land, seed=seed),
    "eigenvectors": lambda land, seed: eigenvectors(land, seed=seed),
    "sharpest": lambda land, seed: eigenvectors(land, 2, 0, seed=seed),
    "principal": lambda land, seed: principal(land, seed=seed),
    "gradient": lambda land, seed: joined(gradient(land), eigenvectors(land, 1, 0, seed=seed), orthogonalised=True),
}


def given(land: Landscape, directions: Any, count: Sequence[int]) -> Directions:
    """`directions` where they fit the landscape and are as many as `count` allows. Raises ArgumentError else."""
    if isinstance(directions, Tensor):
        columns = directions.unsqueeze(1) if directions.ndim == 1 else directions
        names = tuple(f"direction {j + 1}" for j in range(columns.shape[-1]))
        directions = Directions(columns, names, "given", False)
    if not isinstance(directions, Directions):
        raise ArgumentError(
            f"directions must be Directions or a tensor of shape (n, k), got {type(directions).__name__}. Make them: "
            "egregium.slices.filter_normalised(land), .gaussian, .eigenvectors, .principal, .gradient, .difference."
        )
    V = directions.vectors
    if V.ndim != 2 or V.shape[0] != land.n or V.shape[1] not in count:
        expected = " or ".join(f"({land.n}, {k})" for k in count)
        raise ArgumentError(f"directions must have vectors of shape {expected}, got {tuple(V.shape)}.")
    checked = torch.stack([vector(land, column, "a direction") for column in V.T], 1)
    if not bool(checked.any(0).all()):
        raise ArgumentError("A direction is zero: nothing would move along it.")
    return Directions(checked, directions.names, directions.kind, directions.orthogonal, directions.notes)

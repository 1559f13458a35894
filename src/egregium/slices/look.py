"""How a slice is looked at, and the looking."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.estimators import ProgressCallback
from egregium.estimators.probes import checked_seed
from egregium.geometry.arguments import positive, whole
from egregium.landscape import Landscape
from egregium.results import QUANTITIES, Cost, Fingerprint, QuantityName, Slice, Statistics, environment
from egregium.slices.quantities import CHEAP, FORWARD, Precision
from egregium.slices.store import Store
from egregium.slices.survey import Grid, Survey


@dataclass(frozen=True)
class Look:
    """How a slice is looked at; the keyword arguments of `line`, `plane`, `path` and `between`.

    Attributes:
        quantities: of "loss", "gradient_norm", "accuracy", "scalar_curvature", "mean_curvature", "largest_eigenvalue".
        points: places along each axis for the first three, odd for the centre to be one.
        coarse: places along each axis for the others, which take tens of gradients each and more.
        adaptive: look at the loss only where it bends: where linear interpolation between its places may be off by more
            than this share of the loss's range.
        statistics: of BatchNorm, at each place: "kept", those that the model has, or "re-estimated" there by one more
            pass over the data.
        store: a file of JSON lines to which each place is added, and from which the same call goes on.
        store_anew: whether a file of another slice is begun anew; else it is refused.
        rtol, confidence, seed, budget, memory: of the sampled quantities, as in `scalar_curvature`; the budget is that
            of the whole slice, in gradients.
        progress: called before each place with what the rest will cost; returning False ends with what is known.
    """

    quantities: Sequence[QuantityName] = ("loss",)
    points: int = 21
    coarse: int = 5
    adaptive: float | None = None
    statistics: Statistics = "kept"
    store: str | PathLike[str] | None = None
    store_anew: bool = False
    rtol: float = 0.1
    confidence: float = 0.95
    seed: int = 0
    budget: float | None = None
    memory: Any = None
    progress: ProgressCallback | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.quantities if name not in QUANTITIES]
        if isinstance(self.quantities, str) or unknown or not self.quantities:
            raise ArgumentError(f"quantities must be some of {', '.join(QUANTITIES)}, got {self.quantities!r}.")
        if self.statistics not in get_args(Statistics):
            raise ArgumentError(f'statistics must be "kept" or "re-estimated", got {self.statistics!r}.')
        for name, count in (("points", self.points), ("coarse", self.coarse)):
            whole(count, 2, name)
        positive(self.rtol, "rtol")
        positive(self.confidence, "confidence", below=1.0)
        checked_seed(self.seed)
        if self.adaptive is not None:
            positive(self.adaptive, "adaptive", below=1.0)
        if self.budget is not None:
            positive(self.budget, "budget, in gradients,")


@dataclass(frozen=True)
class Shape:
    """What a slice runs over, as in `Slice`."""

    kind: Literal["line", "plane", "path"]
    axes: tuple[str, ...]
    lengths: tuple[float, ...]
    cosine: float = 0.0


def surveyed(
    land: Landscape,
    at: Callable[[tuple[float, ...]], Landscape],
    grids: Sequence[Grid],
    look: Look,
    shape: Shape,
    made_of: Sequence[Tensor],
) -> Slice:
    """The slice: every quantity over its grid, the cheap ones first."""
    started = time.perf_counter()
    centre = land.value()
    again = look.statistics == "re-estimated" and land.keeps_statistics

    def land_at(c: tuple[float, ...]) -> Landscape:
        return at(c).reestimated() if again else at(c)

    precision = Precision(look.rtol, look.confidence, look.seed, look.budget, look.memory)
    print_ = land.fingerprint()
    header = _subject(land, centre, print_) | _looked(grids, look, shape.axes, made_of)
    store = Store(look.store, header, look.store_anew)
    extra = FORWARD if again else Cost()
    survey = Survey(land_at, store, precision, look.adaptive, look.progress, FORWARD, extra)
    names = sorted(dict.fromkeys(look.quantities), key=lambda name: name not in CHEAP)
    try:
        sheets = {name: survey.sheet(name, grids[name not in CHEAP]) for name in names}
    finally:
        store.close()
    return Slice(
        kind=shape.kind,
        axes=shape.axes,
        lengths=shape.lengths,
        cosine=shape.cosine,
        sheets=sheets,
        centre=centre,
        statistics=look.statistics if land.keeps_statistics else "",
        confidence=look.confidence,
        n=land.n,
        scale=land.scale,
        cost=replace(survey.cost, seconds=time.perf_counter() - started),
        environment=environment(land.device, land.dtype, look.seed),
        setting=land.setting,
        notes=survey.remarks(),
        fingerprint=print_,
    )


def _subject(land: Landscape, centre: float, print_: Fingerprint) -> dict[str, Any]:
    """What makes two slices those of one landscape."""
    return {
        "loss at the centre": repr(centre),
        "data": f"{print_.samples} samples, {print_.data}",
        "model": print_.model,
        "state": print_.rest,
        "loss": print_.loss,
        "scale": land.scale,
        "setting": [[row.name, row.value] for row in land.setting],
        "parameters": land.n,
        "dtype": str(land.dtype),
        "device": land.device.type,
    }


def _looked(grids: Sequence[Grid], look: Look, axes: Sequence[str], made_of: Sequence[Tensor]) -> dict[str, Any]:
    """What makes two slices of one landscape the same: where, and how."""
    digest = hashlib.sha256()
    for tensor in made_of:
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return {
        "directions": digest.hexdigest()[:16],
        "axes": list(axes),
        "coordinates": [[list(grid.a), list(grid.b)] for grid in grids],
        "statistics": look.statistics,
        "rtol": look.rtol,
        "confidence": look.confidence,
        "seed": look.seed,
    }

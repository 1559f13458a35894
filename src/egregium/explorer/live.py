"""A stored plane with the landscape that it was cut from: measures where it is asked."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from egregium.errors import ArgumentError, DocumentError, TargetError
from egregium.landscape import Landscape
from egregium.results import Slice
from egregium.slices.quantities import Precision, found

#: Relative difference of the loss at the centre beyond which TARGET is not what it was.
CHANGED = 1e-4
#: How far outside the plane one may ask, in units of its side.
OUTSIDE = 1.0
#: Coordinates beyond which no number is one.
MOST = 1e300


@dataclass(frozen=True, eq=False)
class Live:
    """Where to measure: theta + a d1 + b d2 of this landscape.

    `rtol`, `seed`, `budget`: of R. One place is measured at a time.
    """

    land: Landscape
    theta: Float[Tensor, " n"]
    directions: Float[Tensor, "n 2"]
    plane: Slice
    rtol: float
    seed: int
    budget: float
    lock: Any = field(default_factory=Lock)

    def measured(self, a: Any, b: Any) -> dict[str, Any]:
        """Loss, gradient norm and R with its interval at (a, b), as JSON has them: None where one is not finite.

        Raises ArgumentError for coordinates that are no numbers, or far outside the plane, BudgetError where the budget
        ends before there is an interval.
        """
        x, y = (self._inside(value, name, j) for j, (value, name) in enumerate(((a, "a"), (b, "b"))))
        theta = self.theta + x * self.directions[:, 0] + y * self.directions[:, 1]
        with self.lock:
            here = self.land.at(theta)
            again = self.plane.statistics == "re-estimated"
            return {"a": x, "b": y} | self._at(cache(here.reestimated) if again else lambda: here)

    def _at(self, place: Callable[[], Landscape]) -> dict[str, Any]:
        precision = Precision(self.rtol, self.plane.confidence, self.seed, self.budget)
        loss, slope, R = (found(name, place, precision) for name in ("loss", "gradient_norm", "scalar_curvature"))
        e = R.estimate
        text = "–" if e is None else str(e).replace("+/-", "±").replace("-", "−")
        if not math.isfinite(loss.value):
            says = loss.why or f"The loss is {loss.value} here."
        else:
            says = R.why or ("" if R.converged else "R is less precise than asked: the budget ended.")
        return {
            "loss": _finite(loss.value),
            "gradient": _finite(slope.value),
            "R": _finite(R.value),
            "half": None if e is None else _finite(e.half_width()),
            "text": text,
            "says": says,
        }

    def _inside(self, value: Any, name: str, j: int) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < MOST:
            raise ArgumentError(f"{name} must be a finite number, got {value!r:.40}.")
        sheet = next(iter(self.plane.sheets.values()))
        side = (sheet.a, sheet.b)[j]
        low, high = float(side.min()), float(side.max())
        room = OUTSIDE * (high - low)
        if not low - room <= value <= high + room:
            raise ArgumentError(
                f"{name} = {value:g} is far outside the plane, which goes from {low:.4g} to {high:.4g}."
            )
        return float(value)


def live(
    plane: Slice,
    arrays: Path,
    landscape_of: Callable[[Slice], Landscape],
    rtol: float = 0.1,
    seed: int = 0,
    budget: float = 5_000.0,
) -> Live:
    """The stored plane with its landscape, checked to be what was cut.

    Raises DocumentError where the arrays are not the plane's, TargetError where TARGET is gone or has changed.
    """
    if plane.kind != "plane" or not plane.target:
        raise DocumentError("The slice does not say of which TARGET it is a plane. Make it by `egregium slice TARGET`.")
    try:
        stored = load_file(arrays)
        theta, directions = stored["theta"], stored["directions"]
    except (OSError, SafetensorError, KeyError) as error:
        raise DocumentError(f"{arrays} cannot be read: {error}. Run `egregium slice` again with --force.") from error
    if theta.shape != (plane.n,) or directions.shape != (plane.n, 2):
        raise DocumentError(f"{arrays} is not of this slice: run `egregium slice` again with --force.")
    land = landscape_of(plane)
    if land.n != plane.n:
        raise TargetError(f"{plane.target} has {land.n:,} parameters now, the slice {plane.n:,}: it has changed since.")
    land = land.scaled(plane.scale / land.scale)
    theta, directions = (x.to(land.device, land.dtype) for x in (theta, directions))
    here = land.at(theta).value()
    if not math.isclose(here, plane.centre, rel_tol=CHANGED, abs_tol=CHANGED**2):
        raise TargetError(
            f"{plane.target} has changed since: the loss at the centre is {here:.6g} now, and was {plane.centre:.6g}. "
            "Bring model, data and checkpoint back, or run `egregium slice` again with --force."
        )
    stored_data, now = (plane.fingerprint.data if plane.fingerprint else "", land.fingerprint().data)
    if stored_data and now and stored_data != now:
        raise TargetError(
            f"{plane.target} has changed since: its data are others. Bring them back, or run `egregium slice` again "
            "with --force."
        )
    return Live(land, theta, directions, plane, rtol, seed, budget)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

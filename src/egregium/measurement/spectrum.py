"""Extreme eigenvalues and spectral density beside R, as far as budget, time and caller allow."""

from dataclasses import dataclass, replace

from egregium.estimators import Goal, Progress, ProgressCallback, Room, stopped
from egregium.estimators.density import PROBES, STEPS, spectral_density
from egregium.estimators.eigen import extreme_eigenpairs
from egregium.operators import SymmetricOperator
from egregium.results import Cost, Eigenpairs, SpectralDensity

#: Lanczos vectors without which the ends of a spectrum say nothing.
FEWEST_STEPS = 4


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What was reached: None for what was not asked for, or for which nothing was left."""

    largest: Eigenpairs | None = None
    smallest: Eigenpairs | None = None
    density: SpectralDensity | None = None
    cost: Cost = Cost()


class _Stop:
    """The caller's progress callback, remembering whether it ever said stop."""

    def __init__(self, progress: ProgressCallback | None) -> None:
        self._progress, self.said = progress, False

    def __call__(self, report: Progress) -> bool:
        self.said |= stopped(self._progress, report)
        return not self.said


def measured_spectrum(
    op: SymmetricOperator,
    goal: Goal,
    *,
    extremes: bool,
    density: bool,
    seed: int,
    spent: Cost,
    progress: ProgressCallback | None,
    room: Room = Room(),
) -> Spectrum:
    """Extremes first, then the density where its products fit into what is left of the budget."""
    found, told = Spectrum(), _Stop(progress)
    if extremes and room.vectors >= FEWEST_STEPS and not goal.late() and goal.left(spent) >= op.cost(1).effort:
        largest, smallest = extreme_eigenpairs(op, goal, seed=seed, spent=spent, room=room, progress=told)
        found = Spectrum(largest, smallest, None, largest.cost + smallest.cost)
    spent = spent + found.cost

    def goes_on(probe: int) -> bool:
        return told(Progress("spectral density", probe / PROBES, None, spent)) and not goal.late()

    steps = min(STEPS, room.vectors)
    price = PROBES * steps * op.cost(1).effort
    if density and steps >= FEWEST_STEPS and not told.said and goal.left(spent) >= price and goes_on(0):
        whole = spectral_density(op, steps=steps, seed=seed, confidence=goal.confidence, goes_on=goes_on)
        found = replace(found, density=whole, cost=found.cost + whole.cost)
    return found

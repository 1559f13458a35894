"""The passes of one diagnosis, counted."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import torch
import torch.utils.deterministic as filling

from egregium.diagnostics.reading import Pass, Reading, read_closely, read_values
from egregium.diagnostics.watch import Switches
from egregium.errors import EgregiumError
from egregium.landscape import Landscape
from egregium.landscape.fetching import Seeds
from egregium.results import Cost

#: A pass by values, in gradients.
PASS = 1 / 3


@dataclass
class Inquiry:
    """A landscape under inquiry, and how many passes it took so far."""

    land: Landscape
    passes: int = 0

    def __post_init__(self) -> None:
        self._begun = perf_counter()

    @property
    def cost(self) -> Cost:
        """Of all passes so far."""
        return Cost(gradients=self.passes * PASS, seconds=perf_counter() - self._begun)

    def look(self, data: int, noise: int, switches: Switches = Switches()) -> Pass:
        """One pass with these seeds, everything watched."""
        self.passes += 1
        return read_closely(self.land, Seeds(data, noise), switches)

    def values(self, seed: int) -> Reading:
        """One pass with this seed for everything, by values alone."""
        self.passes += 1
        return read_values(self.land, Seeds(seed, seed))

    def pair(self, switches: Switches = Switches(), data: int = 0, noise: int = 0) -> tuple[Pass, Pass]:
        """A pass with the seeds (0, 0) and one with (data, noise), both with these switches."""
        return self.look(0, 0, switches), self.look(data, noise, switches)

    def in_float64(self) -> tuple[Reading, Reading] | None:
        """Two passes with other seeds in float64; None where the model cannot be computed in it."""
        land = self.land.to(dtype=torch.float64)
        self.passes += 2
        try:
            return read_values(land, Seeds(0, 0)), read_values(land, Seeds(1, 1))
        except (EgregiumError, RuntimeError, TypeError, ValueError):  # tensors of its own in another dtype
            return None

    def deterministic(self) -> tuple[tuple[Pass, Pass] | None, list[str]]:
        """Two equal passes with torch's deterministic algorithms, and what torch warned of.

        None instead of the passes where they fail: memory that nobody wrote is NaN then.
        """
        with _deterministic() as said:
            try:
                return self.pair(), said
            except EgregiumError:
                return None, said


@contextmanager
def _deterministic() -> Iterator[list[str]]:
    """Deterministic algorithms, uninitialised memory filled, warnings collected; then as before."""
    was = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    filled = filling.fill_uninitialized_memory  # type: ignore[attr-defined]
    said: list[str] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.use_deterministic_algorithms(True, warn_only=True)
            filling.fill_uninitialized_memory = True  # type: ignore[attr-defined]
            yield said
    finally:
        said += [str(warning.message) for warning in caught if "deterministic" in str(warning.message)]
        filling.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
        torch.use_deterministic_algorithms(was[0], warn_only=was[1])

"""Whether a loss has kinks: where its gradient jumps, the graph is no C^2 surface and geodesics do not see it."""

from collections.abc import Iterable

from torch import Tensor

from egregium.autodiff import kinks_of
from egregium.landscape import BatchLoss, Landscape
from egregium.landscape.losses import Count


def kink_note(land: Landscape) -> tuple[str, ...]:
    """A sentence where operations in the graph of the first batch have kinks; nothing else. A forward pass of it."""
    found: list[str] = []

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
        found.extend(kinks_of([batch.terms()[0]]))
        return (), 1.0

    land.means(look, most=1)
    if not found:
        return ()
    return (
        f"The loss has kinks ({', '.join(found)}): the path crosses them as if they were not there, and is a geodesic "
        "of the smooth pieces alone; its speed jumps where the gradient does (see drift).",
    )

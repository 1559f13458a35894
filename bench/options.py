"""What the command line says about a run."""

from dataclasses import dataclass
from pathlib import Path

#: Where Debian's package dataset-fashion-mnist puts its files.
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True)
class Options:
    """How to run: `quick` with few seeds and rounds, on how many `processes`, where the data and the peers are."""

    quick: bool = False
    processes: int = 2
    fashion_mnist: Path = FASHION_MNIST
    peers: Path | None = None

    def number(self, full: int, quick: int) -> int:
        """`full` seeds or rounds, or `quick`."""
        return quick if self.quick else full

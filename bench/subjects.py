"""The networks on which accuracy is measured, trained here on real data that install by name."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from bench.networks import mlp

#: Full-batch Adam steps of a trained network, and their rate.
STEPS, RATE = 400, 0.01
#: Images of Fashion-MNIST that accuracy is measured on, and the pooling that brings 28 x 28 to 7 x 7.
IMAGES, POOLING = 2000, 4


@dataclass(frozen=True)
class Subject:
    """A ReLU or tanh network on a data set ("digits" or "fashion"), trained or as it starts."""

    data: str
    activation: type[nn.Module]
    sizes: tuple[int, ...]
    trained: bool

    @property
    def title(self) -> str:
        """Data, layers, activation, state."""
        layers = "-".join(map(str, self.sizes))
        return f"{self.data} {layers} {self.activation.__name__}, {'trained' if self.trained else 'untrained'}"

    def built(self, fashion_mnist: Path) -> tuple[nn.Module, Tensor, Tensor]:
        """(model, inputs, labels) in float64. Raises FileNotFoundError where the data are absent."""
        X, y = digits() if self.data == "digits" else fashion(fashion_mnist)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = mlp(self.sizes, self.activation).double()
        if self.trained:
            train(model, X, y)
        return model, X, y


LAYERS = {"digits": (64, 16, 16, 10), "fashion": (49, 24, 16, 10)}
SUBJECTS = (
    Subject("digits", nn.ReLU, (64, 32, 32, 10), True),
    *(
        Subject(data, activation, sizes, trained)
        for data, sizes in LAYERS.items()
        for activation in (nn.ReLU, nn.Tanh)
        for trained in (True, False)
    ),
)


def digits() -> tuple[Tensor, Tensor]:
    """scikit-learn's 1,797 digits, 8 x 8, scaled to [0, 1]."""
    X, y = load_digits(return_X_y=True)
    return torch.from_numpy(X).double() / 16, torch.from_numpy(y).long()


def fashion(folder: Path, images: int = IMAGES, border: int = 0) -> tuple[Tensor, Tensor]:
    """The first `images` of Fashion-MNIST's training set, averaged to 7 x 7, scaled to [0, 1].

    `border`: dark pixels around an image before that; with 2 it is 8 x 8.
    """
    if not folder.exists():
        raise FileNotFoundError(f"no Fashion-MNIST at {folder}: apt-get install dataset-fashion-mnist")
    pixels = _idx(folder / "train-images-idx3-ubyte.gz", 16)[: images * 784].reshape(images, 1, 28, 28)
    labels = _idx(folder / "train-labels-idx1-ubyte.gz", 8)[:images]
    scaled = F.pad(torch.from_numpy(pixels.astype(np.float64)) / 255, (border,) * 4)
    small = F.avg_pool2d(scaled, POOLING)
    return small.flatten(1), torch.from_numpy(labels.astype(np.int64))


def train(model: nn.Module, X: Tensor, y: Tensor) -> None:
    """Adam on all data at once."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        F.cross_entropy(model(X), y).backward()
        optimizer.step()


def _idx(path: Path, header: int) -> np.ndarray:
    """The bytes of an idx file after its header."""
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)

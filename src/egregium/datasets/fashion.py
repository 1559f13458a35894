"""Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, arXiv 1708.07747), as the Debian package installs it."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from egregium.datasets.split import Split
from egregium.errors import DataError

#: Where the package puts it, and the variable that names another place.
FOLDER, VARIABLE = Path("/usr/share/datasets/fashion-mnist"), "EGREGIUM_FASHION_MNIST"
#: The files' magic numbers: unsigned bytes, of three dimensions and of one.
IMAGES, CLASSES = 0x803, 0x801
INSTALL = (
    f"Install it with `apt-get install dataset-fashion-mnist` (Debian, Ubuntu), or set {VARIABLE} to a folder that has "
    "its four idx files (train-images-idx3-ubyte.gz, ...)."
)


def fashion_mnist(train: int = 10_000, test: int = 10_000) -> tuple[Split, Split]:
    """A fixed subset: the first `train` of the 60,000 training images and the first `test` of the 10,000 others.

    Inputs are (N, 1, 28, 28) in [0, 1]. Raises DataError, with the install command, where the data are not there.
    """
    folder = Path(os.environ.get(VARIABLE) or FOLDER)
    if not folder.is_dir():
        raise DataError(f"Fashion-MNIST is not installed: there is no folder {folder}. {INSTALL}")
    return _split(folder, "train", train), _split(folder, "t10k", test)


def _split(folder: Path, name: str, count: int) -> Split:
    images = _idx(folder, f"{name}-images-idx3-ubyte", IMAGES, count)
    classes = _idx(folder, f"{name}-labels-idx1-ubyte", CLASSES, count)
    return Split(images.unsqueeze(1).float() / 255, classes.long())


def _idx(folder: Path, name: str, magic: int, count: int) -> Tensor:
    """The first `count` entries of an idx file, plain or compressed."""
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        raw = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
        (found,) = struct.unpack_from(">i", raw)
        shape = struct.unpack_from(f">{found & 255}i", raw, 4)
        values = np.frombuffer(raw, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error) as error:
        raise DataError(f"Fashion-MNIST in {folder} cannot be read: {name}: {error}. {INSTALL}") from error
    if found != magic:
        raise DataError(f"Fashion-MNIST in {folder} is damaged: {name} begins with {found:#x}. {INSTALL}")
    if count > len(values):
        raise DataError(f"Fashion-MNIST in {folder} has {len(values):,} entries in {name}; {count:,} were asked for.")
    return torch.tensor(values[:count])

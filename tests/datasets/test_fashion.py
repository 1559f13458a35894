"""Fashion-MNIST where it is, where it is not, and where it is damaged; on files made up in its format."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from egregium.datasets import Split, fashion_mnist
from egregium.errors import DataError


def made_up(folder: Path, train: int = 7, test: int = 3) -> Path:
    draw = np.random.default_rng(0)
    for name, count in (("train", train), ("t10k", test)):
        images = draw.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        images[0, 0, 0] = 255
        classes = np.arange(count, dtype=np.uint8) % 10
        write(folder / f"{name}-images-idx3-ubyte.gz", 0x803, images)
        write(folder / f"{name}-labels-idx1-ubyte.gz", 0x801, classes)
    return folder


def write(path: Path, magic: int, values: np.ndarray) -> None:
    head = struct.pack(f">i{values.ndim}i", magic, *values.shape)
    path.write_bytes(gzip.compress(head + values.tobytes()))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EGREGIUM_FASHION_MNIST", str(tmp_path))
    return made_up(tmp_path)


@pytest.mark.usefixtures("folder")
def test_the_first_images_in_their_order() -> None:
    train, test = fashion_mnist(5, 3)
    assert train.inputs.shape == (5, 1, 28, 28)
    assert train.targets.tolist() == [0, 1, 2, 3, 4]
    assert float(train.inputs.max()) == 1
    assert float(train.inputs.min()) >= 0
    assert len(test) == 3
    again, _ = fashion_mnist(2, 3)
    assert torch.equal(again.inputs, train.first(2).inputs)
    assert isinstance(again, Split)


def test_where_it_is_missing_the_install_command_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGREGIUM_FASHION_MNIST", str(tmp_path / "none"))
    with pytest.raises(DataError, match="apt-get install dataset-fashion-mnist"):
        fashion_mnist()


@pytest.mark.usefixtures("folder")
def test_more_images_than_there_are() -> None:
    with pytest.raises(DataError, match="has 7 entries in train-images-idx3-ubyte; 8 were asked for"):
        fashion_mnist(8, 3)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("train-images-idx3-ubyte.gz", b"hello", "cannot be read: train-images-idx3-ubyte"),
        ("train-images-idx3-ubyte.gz", gzip.compress(b""), "cannot be read"),
        ("train-labels-idx1-ubyte.gz", gzip.compress(struct.pack(">2i", 0x801, 7)), "cannot be read"),
        ("t10k-labels-idx1-ubyte.gz", gzip.compress(struct.pack(">2i", 0x901, 2) + b"ab"), "begins with 0x901"),
    ],
    ids=["not gzip", "empty", "cut short", "another kind"],  # gzip writes the time: no two workers would agree
)
def test_damaged_files(folder: Path, name: str, content: bytes, words: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        fashion_mnist(2, 2)


def test_an_unpacked_file_is_read_too(folder: Path) -> None:
    packed = folder / "train-images-idx3-ubyte.gz"
    (folder / "train-images-idx3-ubyte").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert len(fashion_mnist(7, 3)[0]) == 7

"""What a batch is made of, in a number that does not depend on the order of its samples."""

from collections import UserDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence
from torch.utils._pytree import tree_leaves


@dataclass
class Samples:
    """How many samples there were, the sum of their hashes modulo 2^64, and a hash of them in their order.

    Two are equal where the samples are the same, in any order.
    """

    number: int = 0
    total: int = 0
    ordered: int = field(default=0, compare=False)

    def add(self, batch: Any) -> None:
        """Count the samples of a batch."""
        for digest in digests(batch):
            self.number += 1
            self.total = (self.total + int.from_bytes(digest, "big")) % 2**64
            self.ordered = (3 * self.ordered + int.from_bytes(digest, "big")) % 2**64


def digests(batch: Any) -> Iterator[bytes]:
    """A hash of each sample: of the rows that its tensors have in common, or of each row where they have not."""
    leaves = [_rows(leaf) for leaf in _leaves(batch)]
    rows = [leaf for leaf in leaves if leaf]
    if rows and all(len(leaf) == len(rows[0]) for leaf in rows):
        rows = [[b"".join(parts) for parts in zip(*rows, strict=True)]]
    for which, leaf in enumerate(rows):
        for row in leaf:
            yield blake2b(row, digest_size=8, person=bytes([which % 256])).digest()


def _leaves(batch: Any) -> Iterator[Any]:
    for leaf in tree_leaves(batch, is_leaf=lambda part: isinstance(part, PackedSequence)):
        if isinstance(leaf, PackedSequence):  # how many there are at each step belongs to the batch
            yield leaf.data
        elif isinstance(leaf, (Mapping, UserDict)):
            yield from _leaves(dict(leaf))
        elif is_dataclass(leaf) and not isinstance(leaf, type):
            yield from _leaves([getattr(leaf, f.name) for f in fields(leaf)])
        else:
            yield leaf


def _rows(leaf: Any) -> list[bytes]:
    """The rows of a tensor or array as bytes; other plain values as one; nothing of what cannot be read."""
    if isinstance(leaf, np.ndarray):
        return [np.ascontiguousarray(row).tobytes() for row in leaf] if leaf.ndim else [leaf.tobytes()]
    if isinstance(leaf, (str, bytes, int, float)):
        return [repr(leaf).encode()]
    if not isinstance(leaf, Tensor) or not leaf.numel() or leaf.layout is not torch.strided:
        return []
    plain = leaf.detach().resolve_conj().resolve_neg().cpu().contiguous()
    table = plain.reshape(len(leaf) if leaf.ndim else 1, -1).view(torch.uint8).numpy()
    return [row.tobytes() for row in table]


def projections(output: Any) -> Tensor | None:
    """One float64 number for each sample of a model's output, (samples,); None where it has no rows of samples."""
    leaves = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor) and leaf.ndim and leaf.numel()]
    if not leaves or any(len(leaf) != len(leaves[0]) or leaf.is_complex() for leaf in leaves):
        return None
    total = torch.zeros(len(leaves[0]), dtype=torch.float64)
    for leaf in leaves:
        table = leaf.detach().reshape(len(leaf), -1).double().cpu()
        total += table @ torch.cos(torch.arange(1.0, table.shape[1] + 1, dtype=torch.float64))
    return total

"""A number for the samples of a batch: the same in any order, another for any change."""

from collections import UserDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_sequence

from egregium.diagnostics.samples import Samples, projections


def seen(*batches: Any) -> Samples:
    found = Samples()
    for batch in batches:
        found.add(batch)
    return found


@dataclass
class Pair:
    x: Tensor
    y: Tensor


X, Y = torch.randn(6, 3), torch.arange(6)
FORMS = {
    "pair": lambda x, y: (x, y),
    "dict": lambda x, y: {"x": x, "y": y},
    "UserDict": lambda x, y: UserDict(x=x, y=y),
    "dataclass": Pair,
    "bfloat16": lambda x, y: (x.bfloat16(), y),
    "numpy": lambda x, y: (x.numpy(), y.numpy()),
    "complex": lambda x, y: (torch.complex(x, x).conj(), y),
    "packed": lambda x, y: pack_sequence([row[:, None] for row in x]),
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


@every_form
def test_the_order_and_the_batches_do_not_matter(form: Any) -> None:
    order = torch.randperm(6)
    parts = [form(x, y) for x, y in zip(X[order].split(2), Y[order].split(2), strict=True)]
    assert seen(form(X, Y)) == seen(*parts)
    assert seen(form(X, Y)).ordered != seen(*parts).ordered


@every_form
def test_one_other_number_does(form: Any) -> None:
    other = X.clone()
    other[4, 1] += 0.5
    assert seen(form(X, Y)) != seen(form(other, Y))


def test_a_target_belongs_to_its_sample() -> None:
    assert seen((X, Y)) != seen((X, Y.flip(0)))
    assert seen((X, Y)).number == 6


def test_what_cannot_be_read_is_left_out() -> None:
    assert seen((X, Y, object(), None)) == seen((X, Y))
    assert seen((X, ["a", "b"])) != seen((X, ["a", "c"]))
    assert seen(np.float64(1.0)).number == 1


def test_projections_are_a_number_for_each_sample() -> None:
    whole = projections({"logits": X, "more": X[:, :1]})
    assert whole is not None
    assert whole.shape == (6,)
    assert torch.allclose(projections((X[2:], X[2:, :1])), whole[2:])
    assert projections((X, X[:2])) is None
    assert projections(torch.ones(())) is None

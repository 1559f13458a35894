"""Values against the types of fields, for every kind of field that results have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from egregium.results.document import Document
from egregium.results.typed import _hints, refuse_misfits


@dataclass
class Part:
    x: int = 0


@dataclass
class Whole:
    number: float = 0.0
    flag: bool = False
    name: str = ""
    tensor: Float[Tensor, " k"] | None = None
    mask: Bool[Tensor, "..."] | None = None
    kind: Literal["a", "b"] = "a"
    parts: tuple[Part, ...] = ()
    pair: tuple[float, str] | None = None
    table: Mapping[str, Part] | None = None


@pytest.mark.parametrize(
    "values",
    [
        {"number": 1},
        {"tensor": torch.zeros(3)},
        {"mask": torch.zeros(3, dtype=torch.bool)},
        {"kind": "b"},
        {"parts": (Part(), Part())},
        {"pair": (1.0, "x")},
        {"table": {"x": Part()}},
        {},
    ],
)
def test_what_fits(values: dict[str, Any]) -> None:
    refuse_misfits(Whole, values)


@pytest.mark.parametrize(
    "values",
    [
        {"number": "1"},
        {"number": True},
        {"number": None},
        {"flag": 1},
        {"name": 1},
        {"tensor": (1.0,)},
        {"kind": "c"},
        {"parts": (Part(), 1)},
        {"parts": Part()},
        {"pair": (1.0,)},
        {"table": {"x": 1}},
        {"table": (Part(),)},
    ],
)
def test_what_does_not(values: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(values))):
        refuse_misfits(Whole, values)


def test_the_types_of_every_result_are_known() -> None:
    assert all(_hints(known) for known in Document.classes.values())

"""Slices, trajectories and paths refuse what does not fit, also from a document that a hand has edited."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from handmade import line, mode_path, plane, trajectory

import egregium as eg
from egregium.errors import DocumentError
from egregium.results import Directions


def of_loss(**changed: Any) -> Any:
    return replace(plane().sheets["loss"], **changed)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: replace(plane(), axes=("a",)), "it has 1 axes, a plane has 2"),
        (lambda: replace(plane(), kind="line", axes=("a",)), "its sheet loss is not that of a line"),
        (lambda: of_loss(values=torch.zeros(21)), "the values of a Sheet are not 21 x 21"),
        (lambda: of_loss(half_widths=torch.zeros(20, 21)), "the values of a Sheet are not 21 x 21"),
        (lambda: of_loss(measured=torch.zeros(21, 21)), "true or false"),
        (lambda: replace(trajectory(), names=("a",)), "not equally many"),
        (lambda: replace(mode_path(), path=plane()), "its path is a plane"),
    ],
)
def test_what_does_not_fit_is_refused(made: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made()


def test_an_edited_document_is_a_sentence(tmp_path: Path) -> None:
    place = tmp_path / "slice.json"
    line().save(str(place))
    text = place.read_text()
    place.write_text(text.replace('"kind": "line"', '"kind": "plane"'))
    with pytest.raises(DocumentError, match="it has 1 axes, a plane has 2"):
        eg.load(place)
    place.write_text(text.replace('"kind": "line"', '"kind": "cube"'))
    with pytest.raises(DocumentError, match=r"Slice\.kind"):
        eg.load(place)


def test_cosine_and_lengths() -> None:
    V = torch.tensor([[3.0, 0.0], [4.0, 2.0]])
    found = Directions(V, ("a", "b"), "given", False)
    assert found.lengths == pytest.approx((5.0, 2.0))
    assert found.cosine() == pytest.approx(0.8)
    assert Directions(V[:, :1], ("a",), "given", False).cosine() == 0.0

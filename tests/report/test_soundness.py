"""Documents edited by hand are seen; those of egregium itself are not blamed."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from handmade import line, mode_path, plane, trajectory

import egregium as eg
from egregium.report.soundness import fault


def test_what_egregium_makes_is_sound(session: eg.Session) -> None:
    for result in (session, plane(), line(), trajectory(), mode_path()):
        assert fault(result) is None


def sheets(**changed: Any) -> Any:
    shown = plane()
    return replace(shown, sheets={"loss": replace(shown.sheets["loss"], **changed)})


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (replace(plane(), centre="0.3"), "centre of Slice is '0.3'"),
        (replace(plane(), kind="cube"), "kind of Slice is 'cube'"),
        (replace(plane(), axes=("a",)), "it has 1 axes, a plane has 2"),
        (replace(plane(), cost=replace(plane().cost, hvps=True)), "cost: hvps of Cost is True"),
        (replace(plane(), kind="line"), "its sheet loss is not that of a line"),
        (sheets(values=torch.zeros(21)), "the values of a Sheet are not 21 x 21"),
        (sheets(measured=torch.zeros(21, 21)), "measured of Sheet is a torch.float32 tensor"),
        (replace(trajectory(), names=("a",)), "not equally many"),
        (replace(mode_path(), path=plane()), "its path is a plane"),
        (replace(mode_path(), notes="none"), "notes of ModePath is 'none'"),
    ],
)
def test_what_was_changed_is_said(result: Any, words: str) -> None:
    found = fault(result)
    assert found is not None
    assert words in found

"""The table of a session in a terminal."""

import io

import pytest
import torch
from rich.console import Console

import egregium as eg
from egregium.cli import console as shown
from egregium.cli.console import described, table, watching


def test_points_stand_side_by_side() -> None:
    measurements = {
        name: eg.measure(eg.Landscape.from_function(lambda x, c=c: c * (x**2).sum(), torch.zeros(3)))
        for name, c in (("flat", 0.5), ("steep", 2.0))
    }
    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(table(eg.Session("two bowls", "", measurements, "")))
    text = console.export_text()
    for word in ("two bowls", "flat", "steep", "scalar curvature R", "6 (exact)", "96 (exact)", "effective rank"):
        assert word in text


def test_errors_are_described_with_their_place() -> None:
    try:
        raise RuntimeError("no data here")
    except RuntimeError as error:
        assert "RuntimeError: no data here" in described(error)
        assert "test_console.py, line" in described(error)


@pytest.mark.parametrize(("terminal", "times"), [(True, 1), (False, 0)])
def test_what_is_needed_is_said_once_and_in_a_terminal(
    terminal: bool, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(shown, "ERR", Console(file=out, force_terminal=terminal, width=100))
    land = eg.Landscape.from_function(lambda x: x @ x, torch.zeros(3))
    with watching() as watch:
        for name in ("one point", "another"):
            watch.begin(name)
            eg.measure(land, progress=watch)
    assert out.getvalue().count("This needs at most") == times
    assert terminal or out.getvalue() == ""

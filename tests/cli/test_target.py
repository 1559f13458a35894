"""TARGET: both forms, and every way it can be wrong in a sentence."""

from pathlib import Path

import pytest

from egregium.cli.target import landscape_of
from egregium.errors import TargetError

GOOD = """
import torch, egregium as eg
def factory():
    return eg.Landscape.from_function(lambda x: (x ** 2).sum(), torch.zeros(4, dtype=torch.float64))
def number():
    return 4
def broken():
    raise RuntimeError("no data here")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "landscapes_of_mine.py").write_text(GOOD)
    (tmp_path / "typo.py").write_text("x = 1\ndef factory(:\n")
    (tmp_path / "missing.py").write_text("import does_not_exist_anywhere\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("target", ["landscapes_of_mine.py:factory", "landscapes_of_mine:factory"])
def test_both_forms(folder: Path, target: str) -> None:
    assert landscape_of(target).n == 4


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("landscapes_of_mine.py", "names no function"),
        (":factory", "names no function"),
        ("none.py:factory", "There is no file none.py"),
        ("no_such_module:factory", "cannot be imported: ModuleNotFoundError"),
        ("landscapes_of_mine.py:factroy", "no function 'factroy'; it defines factory, number, broken"),
        ("landscapes_of_mine.py:number", "returned a int"),
        ("landscapes_of_mine.py:broken", "RuntimeError: no data here .*line 8"),
        ("typo.py:factory", "line 2.*def factory"),
        ("missing.py:factory", "does_not_exist_anywhere.*line 1"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, target: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        landscape_of(target)

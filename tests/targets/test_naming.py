"""Functions that a user names."""

from pathlib import Path

import pytest

from egregium.errors import TargetError
from egregium.targets import described, named


def test_a_function_of_a_file_and_of_a_module(tmp_path: Path) -> None:
    (tmp_path / "mine_named.py").write_text("def f(x):\n    return 2 * x\n")
    assert named(f"{tmp_path / 'mine_named.py'}:f")(3) == 6
    assert named("math:sqrt")(9) == 3


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nothing", "names no function. Expected file.py:name"),
        ("math:nothing", "has no function 'nothing'"),
        ("math:pi", "has no function 'pi'"),
        ("none.py:f", "There is no file none.py"),
        ("no.such.module:f", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_is_said(target: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        named(target)


def test_a_file_that_fails_says_where(tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text("x = 1\n1 / 0\n")
    with pytest.raises(TargetError, match=r"ZeroDivisionError: division by zero \(.*fails.py, line 2\)"):
        named(f"{tmp_path / 'fails.py'}:f")
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(TargetError, match=r"line 1: invalid syntax"):
        named(f"{tmp_path / 'broken.py'}:f")


def test_an_exception_without_words_is_described() -> None:
    assert described(ValueError()) == "ValueError: no message"
